import assert from "node:assert/strict";
import fc from "fast-check";
import { cloudConfig, groupMember, memberPath, nginxMain, nginxSite } from "../../policy/fixtures/texts";
import type { FixtureResource } from "../../policy/frame/fixture";
import { unknownValue } from "../../policy/frame/value";
import { definitions } from "../../policy/registry";
import { judgeFixture } from "./harness";

/** Inputs that the policies read, by type. */
const shapes: Readonly<Record<string, readonly string[]>> = {
  "digitalocean:index/loadBalancer:LoadBalancer": [
    "forwardingRules",
    "redirectHttpToHttps",
    "tlsCipherPolicy",
    "glbSettings",
    "dropletTag",
    "dropletIds",
    "type",
    "domains",
    "healthcheck",
    "vpcUuid",
  ],
  "digitalocean:index/droplet:Droplet": [
    "name",
    "userData",
    "tags",
    "image",
    "size",
    "region",
    "vpcUuid",
    "monitoring",
    "backups",
    "publicNetworking",
    "volumeIds",
  ],
  "digitalocean:index/firewall:Firewall": ["inboundRules", "outboundRules", "tags", "dropletIds"],
  "digitalocean:index/databaseFirewall:DatabaseFirewall": ["clusterId", "rules"],
  "digitalocean:index/databaseCluster:DatabaseCluster": ["engine"],
  "digitalocean:index/tag:Tag": ["name"],
  "digitalocean:index/app:App": ["spec"],
  "digitalocean:index/cdn:Cdn": ["customDomain", "certificateName"],
  "digitalocean:index/certificate:Certificate": [
    "type",
    "domains",
    "leafCertificate",
    "certificateChain",
    "privateKey",
  ],
  "digitalocean:index/databaseRedisConfig:DatabaseRedisConfig": ["ssl"],
  "digitalocean:index/monitorAlert:MonitorAlert": ["type", "enabled", "alerts", "tags", "entities"],
  "digitalocean:index/project:Project": ["resources"],
  "digitalocean:index/reservedIp:ReservedIp": ["dropletId"],
  "digitalocean:index/spacesBucket:SpacesBucket": ["acl", "corsRules", "forceDestroy"],
  "digitalocean:index/spacesBucketPolicy:SpacesBucketPolicy": ["policy", "bucket"],
  "digitalocean:index/uptimeAlert:UptimeAlert": ["type", "checkId", "notifications"],
  "digitalocean:index/uptimeCheck:UptimeCheck": ["type", "target", "enabled"],
  "digitalocean:index/volume:Volume": ["size", "region", "tags"],
  "digitalocean:index/volumeAttachment:VolumeAttachment": ["dropletId", "volumeId"],
  "example:index:Tier": ["configurationEvidence"],
};

const key = fc.constantFrom(
  "entryProtocol",
  "targetProtocol",
  "entryPort",
  "tlsPassthrough",
  "protocol",
  "portRange",
  "sourceAddresses",
  "type",
  "value",
  "roles",
  "files",
  "host-1",
  "/etc/nginx/nginx.conf",
  "/etc/mysql/my.cnf",
  "__proto__",
  "x",
);
const leaf = fc.oneof(
  fc.constantFrom<unknown>(
    unknownValue,
    null,
    true,
    false,
    0,
    443,
    -1,
    1.5,
    "",
    "http",
    "https",
    "tcp",
    "0.0.0.0/0",
    "1-65535",
    "web",
    "database",
    "host-1",
    "ip_addr",
    "mysql",
    "server { listen 80; }",
    "[mysqld]\nport=1",
  ),
  fc.string({ maxLength: 12 }),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    leaf,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4 }),
  ),
}));

const resource: fc.Arbitrary<FixtureResource> = fc
  .constantFrom(...Object.keys(shapes))
  .chain((type) =>
    fc
      .record(Object.fromEntries((shapes[type] ?? []).map((name) => [name, value])), { requiredKeys: [] })
      .map((properties) => ({ type, properties })),
  );

function assertJudged(resources: Readonly<Record<string, FixtureResource>>, stack: string): void {
  for (const definition of definitions) {
    for (const { message } of judgeFixture(definition, { title: "fuzz", stack, resources })) {
      assert.ok(!message.includes("could not check it"), message);
    }
  }
}

describe("policies on anything", function () {
  this.timeout(90_000);

  it("never fail on random resources", () => {
    fc.assert(
      fc.property(fc.array(resource, { maxLength: 5 }), (resources) => {
        assertJudged(Object.fromEntries(resources.map((one, index) => [`resource-${index}`, one])), "prod");
      }),
      { numRuns: 500 },
    );
  });

  it("never fail on damaged configuration files", () => {
    const texts: readonly (readonly [string, string])[] = [
      ["/etc/nginx/nginx.conf", nginxMain],
      ["/etc/nginx/conf.d/site.conf", nginxSite],
      [memberPath, groupMember],
      [
        "/etc/haproxy/haproxy.cfg",
        "defaults\n  mode http\nlisten a\n  bind :80\n  server b c:80 ssl verify none\n",
      ],
      ["/root/replica.sql", "CHANGE REPLICATION SOURCE TO SOURCE_HOST='a', SOURCE_SSL=1 FOR CHANNEL 'c';"],
    ];
    const damage = fc.record({
      file: fc.nat(texts.length - 1),
      at: fc.nat(600),
      drop: fc.nat(8),
      put: fc.constantFrom(
        "",
        "{",
        "}",
        ";",
        "'",
        '"',
        "\\",
        "\n",
        "[",
        "]",
        "!include ",
        "include *;",
        "${",
        "%[",
        "#",
      ),
    });
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (damages) => {
        const files = new Map(texts);
        for (const { file, at, drop, put } of damages) {
          const [path = ""] = texts[file] ?? [];
          const text = files.get(path) ?? "";
          const position = text.length === 0 ? 0 : at % text.length;
          files.set(path, text.slice(0, position) + put + text.slice(position + drop));
        }
        const userData = cloudConfig(Object.fromEntries(files));
        assertJudged(
          { host: { type: "digitalocean:index/droplet:Droplet", properties: { name: "host", userData } } },
          "prod",
        );
      }),
      { numRuns: 500 },
    );
  });

  it("never fail on damaged user data", () => {
    const whole = cloudConfig({ [memberPath]: groupMember }, { packages: ["nginx"] });
    fc.assert(
      fc.property(fc.nat(whole.length), fc.nat(20), fc.string({ maxLength: 4 }), (at, drop, put) => {
        const userData = whole.slice(0, at) + put + whole.slice(at + drop);
        assertJudged(
          { host: { type: "digitalocean:index/droplet:Droplet", properties: { name: "host", userData } } },
          "dev",
        );
      }),
      { numRuns: 250 },
    );
  });
});
