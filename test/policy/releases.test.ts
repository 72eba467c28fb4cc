/** The program's own releases, judged by every policy: as they are, and with a protection taken away. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { type ReleaseDocument, releaseDocument } from "../../infra/releases/document";
import { envelope, releaseContentType } from "../../infra/releases/envelope";
import { evidenceOf } from "../../infra/userdata/evidence";
import { renderUserData } from "../../infra/userdata/render";
import type { HostContext, HostSecrets } from "../../infra/userdata/types";
import { droplet } from "../../policy/fixtures/texts";
import type { FixtureResource } from "../../policy/frame/fixture";
import { definitions } from "../../policy/registry";
import { contextsOf, datadog, fakeSecrets } from "../payload/contexts";
import { testCertificate } from "../unit/certificates";
import { judgeFixture } from "./harness";

const { privateKey } = generateKeyPairSync("ed25519");
const signingKey = String(privateKey.export({ type: "pkcs8", format: "pem" }));

/** Secrets with real certificates and keys, because the policies look for keys. */
async function realSecrets({ host }: HostContext): Promise<HostSecrets> {
  const secrets = fakeSecrets(host);
  const pair = await testCertificate([host.fqdn]);
  return {
    ...secrets,
    caCertificate: pair.certificate,
    ...(secrets.web ? { web: pair } : {}),
    ...(secrets.app ? { app: pair } : {}),
    ...(secrets.database ? { database: pair } : {}),
  };
}

describe("the program's releases, judged by the pack", () => {
  const contexts = contextsOf({
    topology: "separated",
    settings: { releases: true, monitoring: datadog, environment: "production", operatorNetworks: [] },
  });
  const hosts: { context: HostContext; userData: string; document: ReleaseDocument; address: string }[] = [];
  before(async () => {
    for (const context of contexts) {
      const secrets = await realSecrets(context);
      const address = secrets.release?.releasesUrl ?? assert.fail("no address");
      const document = releaseDocument(context, secrets);
      hosts.push({ context, userData: renderUserData(context, secrets), document, address });
    }
  });

  /** The violations at droplets and releases, with the files of one host changed. */
  function judged(isFirstUserDataOld: boolean, change?: { path: string; from: string; to: string }) {
    const resources: Record<string, FixtureResource> = {
      tier: {
        type: "example:index:Tier",
        properties: { configurationEvidence: change ? {} : evidenceOf(contexts) },
      },
    };
    for (const { context, userData, document, address } of hosts) {
      const { name, dropletName } = context.host;
      const text = isFirstUserDataOld
        ? renderUserData(
            { ...context, settings: { ...context.settings, hstsMaxAgeSeconds: 1 } },
            fakeSecrets(context.host),
          )
        : userData;
      const files = document.files.map((file) => {
        if (change?.path !== file.path) return file;
        assert.ok(file.content.includes(change.from), `${change.path} does not contain ${change.from}`);
        return { ...file, content: file.content.replaceAll(change.from, change.to) };
      });
      const [, bucket, region, key] =
        /^https:\/\/(.+)\.(.+)\.digitaloceanspaces\.com\/(.+)$/.exec(address) ?? [];
      resources[dropletName] = {
        ...droplet(dropletName, { userData: text, tags: ["web"] }),
        ignoreChanges: ["userData"],
        secrets: ["userData"],
      };
      resources[`${name}-release`] = {
        type: "digitalocean:index/spacesBucketObject:SpacesBucketObject",
        properties: {
          bucket,
          region,
          key,
          acl: "private",
          contentType: releaseContentType,
          content: envelope({ ...document, files }, 1, signingKey),
        },
        secrets: [],
      };
    }
    const config = { "secured-web:environment": "production" };
    return definitions
      .flatMap((definition) => judgeFixture(definition, { title: definition.name, config, resources }))
      .filter(({ resource, message }) => /-release$/.test(resource) || /userData|release/.test(message));
  }

  it("are accepted, with user data of the same files and with user data of long ago", () => {
    assert.equal(hosts.length, 5);
    for (const isOld of [false, true])
      assert.deepEqual(
        judged(isOld).map(({ message }) => message),
        [],
      );
  });

  for (const [what, path, from, to, says] of [
    ["nginx without TLS", "/etc/nginx/nginx.conf", "listen 443 ssl", "listen 443", /nginx.*plain text/],
    [
      "MySQL without TLS",
      "/etc/mysql/secured-web.cnf",
      "require_secure_transport = ON",
      "require_secure_transport = OFF",
      /require_secure_transport/,
    ],
    [
      "a single primary",
      "/etc/mysql/secured-web.cnf",
      "single_primary_mode = OFF",
      "single_primary_mode = ON",
      /group_replication_single_primary_mode/,
    ],
    [
      "an agent that does not query MySQL",
      "/etc/datadog-agent/conf.d/mysql.d/conf.yaml",
      "instances:",
      "others:",
      /no agent on it collects its query rate/,
    ],
    [
      "another address",
      "/etc/secured-web/release.json",
      ".digitaloceanspaces.com/hosts/",
      ".digitaloceanspaces.com/other/",
      /fetch releases from another address/,
    ],
  ] as const) {
    it(`are refused with ${what}`, () => {
      const messages = judged(false, { path, from, to }).map(({ message }) => message);
      assert.ok(
        messages.some((message) => says.test(message)),
        messages.join("\n"),
      );
    });
  }
});
