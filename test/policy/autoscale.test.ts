/** The droplets of a pool (DropletAutoscale) are judged like others, by the pool's template. */
import assert from "node:assert/strict";
import { cloudConfig, memberFiles, nginxFiles } from "../../policy/fixtures/texts";
import type { FixtureResource } from "../../policy/frame/fixture";
import { unknownValue } from "../../policy/frame/value";
import { definitions } from "../../policy/registry";
import { judgeFixture } from "./harness";

const pool = (template: unknown, secrets?: readonly string[]): FixtureResource => ({
  type: "digitalocean:index/dropletAutoscale:DropletAutoscale",
  properties: { name: "web", config: { minInstances: 2, maxInstances: 5 }, dropletTemplate: template },
  ...(secrets === undefined ? {} : { secrets }),
});
const template = (rest: Readonly<Record<string, unknown>>) => ({
  image: "ubuntu-26-04-x64",
  size: "s-1vcpu-2gb",
  region: "fra1",
  sshKeys: [],
  tags: ["web"],
  vpcUuid: "c33931f2-a26a-4e61-b85c-4e95a2ec431b",
  ...rest,
});

function messages(policy: string, web: FixtureResource): readonly string[] {
  const definition = definitions.find(({ name }) => name === policy);
  assert.ok(definition !== undefined);
  return judgeFixture(definition, { title: "pool", stack: "prod", resources: { web } }).map(
    ({ message }) => message,
  );
}

describe("a pool's droplets", () => {
  const wrong: readonly (readonly [policy: string, template: unknown, says: RegExp])[] = [
    ["supported-images", template({ image: "ubuntu-18-04-x64" }), /dropletTemplate\.image: support .* ended/],
    [
      "end-to-end-encryption",
      template({ userData: cloudConfig({ "/etc/nginx/conf.d/p.conf": "server { listen 80; root /srv; }" }) }),
      /dropletTemplate\.userData, \/etc\/nginx\/conf\.d\/p\.conf:1: nginx serves plain text on port 80/,
    ],
    [
      "end-to-end-encryption",
      template({ userData: unknownValue }),
      /dropletTemplate\.userData: its userData is unknown/,
    ],
    ["end-to-end-encryption", unknownValue, /dropletTemplate\.userData: its userData is unknown/],
    ["droplets-behind-firewall", template({}), /firewall/],
    ["no-world-open-database", template({ userData: cloudConfig(memberFiles) }), /not behind a firewall/],
    ["private-network", template({ vpcUuid: undefined }), /dropletTemplate\.vpcUuid: vpcUuid is not set/],
    [
      "no-exposed-secrets",
      template({ tags: [`dop_v1_${"0123456789abcdef".repeat(4)}`] }),
      /dropletTemplate\.tags: it contains a DigitalOcean token/,
    ],
    [
      "no-single-writer-in-production",
      template({ userData: cloudConfig({}, { packages: ["mysql-server"] }) }),
      /not a member of a replication group/,
    ],
    [
      "encrypted-database-connections",
      template({ userData: cloudConfig({ "/etc/app.env": "URL=mysql://db.example.com/shop\n" }) }),
      /an address connects to a MySQL database without TLS/,
    ],
  ];
  for (const [policy, given, says] of wrong) {
    it(`${policy} judges them: ${says.source.slice(0, 60)}`, () => {
      const seen = messages(policy, pool(given));
      assert.ok(
        seen.some((message) => message.startsWith('DropletAutoscale "web"') && says.test(message)),
        JSON.stringify(seen),
      );
    });
  }

  it("pass with a sound template", () => {
    const userData = cloudConfig(nginxFiles);
    for (const policy of [
      "supported-images",
      "end-to-end-encryption",
      "no-exposed-secrets",
      "private-network",
    ])
      assert.deepEqual(messages(policy, pool(template({ userData }), ["dropletTemplate"])), []);
  });

  it("have DigitalOcean's monitoring", () => {
    assert.deepEqual(messages("droplet-monitoring", pool(template({}))), []);
  });
});
