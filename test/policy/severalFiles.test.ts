/** Several wrong files of one kind on one host: each is a violation of its own, with its path. */
import assert from "node:assert/strict";
import { cloudConfig, droplet, groupMember, nginxFiles, tier } from "../../policy/fixtures/texts";
import type { PolicyDefinition } from "../../policy/frame/definition";
import type { FixtureResource } from "../../policy/frame/fixture";
import { unknownValue } from "../../policy/frame/value";
import { encryptedDataServices } from "../../policy/policies/encrypted-data-services/policy";
import { encryptedDatabaseConnections } from "../../policy/policies/encrypted-database-connections/policy";
import { endToEndEncryption } from "../../policy/policies/end-to-end-encryption/policy";
import { noExposedSecrets } from "../../policy/policies/no-exposed-secrets/policy";
import { judgeFixture } from "./harness";

type Files = Readonly<Record<string, string>>;

const inUserData = (files: Files) => ({ "host-1": droplet("host-1", { userData: cloudConfig(files) }) });
const inScript = (files: Files) => ({
  "host-1": droplet("host-1", {
    userData: `#!/bin/sh\n${Object.entries(files)
      .map(([path, text]) => `cat > ${path} <<'END'\n${text}\nEND\n`)
      .join("")}`,
  }),
});
const inEvidence = (files: Files, role = "web") => ({
  tier: tier({ "host-1": { roles: [role], files } }),
  "host-1": droplet("host-1", { userData: unknownValue }),
});
const inPool = (files: Files) => ({
  pool: {
    type: "digitalocean:index/dropletAutoscale:DropletAutoscale",
    properties: {
      name: "pool",
      config: { targetNumberInstances: 2 },
      dropletTemplate: {
        image: "ubuntu-26-04-x64",
        size: "s-1vcpu-2gb",
        region: "fra1",
        userData: cloudConfig(files),
      },
    },
  },
});

const plain = "server { listen 8080; root /srv; }\n";
const both = (text: string, ...paths: readonly string[]): Files =>
  Object.fromEntries(paths.map((path) => [path, text]));
const sites = both(plain, "/etc/nginx/conf.d/a.conf", "/etc/nginx/conf.d/b.conf");
const servers = both(
  groupMember.replace("require_secure_transport = ON", "require_secure_transport = OFF"),
  "/etc/mysql/one.cnf",
  "/etc/mysql/two.cnf",
);
const addresses = both("URL=postgresql://app@db.example.com:5432/app\n", "/srv/api/.env", "/srv/worker/.env");
const keys = both(
  "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
  "/srv/a.key",
  "/srv/b.key",
);
const rules = both(
  "host all all 10.0.0.0/8 md5\n",
  "/etc/postgresql/16/main/pg_hba.conf",
  "/etc/postgresql/16/copy/pg_hba.conf",
);
const caches = both(
  "bind 0.0.0.0\nrequirepass from-the-secret-store\n",
  "/etc/redis/one.conf",
  "/etc/redis/two.conf",
);

const cases: readonly [
  what: string,
  definition: PolicyDefinition,
  resources: Readonly<Record<string, FixtureResource>>,
  files: Files,
][] = [
  ["sites of nginx in user data", endToEndEncryption, inUserData({ ...nginxFiles, ...sites }), sites],
  ["sites of nginx in a script", endToEndEncryption, inScript(sites), sites],
  ["sites of nginx in evidence", endToEndEncryption, inEvidence({ ...nginxFiles, ...sites }), sites],
  [
    "sites of nginx in the template of a pool",
    endToEndEncryption,
    inPool({ ...nginxFiles, ...sites }),
    sites,
  ],
  ["options of MySQL", endToEndEncryption, inUserData(servers), servers],
  ["options of MySQL in evidence", endToEndEncryption, inEvidence(servers, "database"), servers],
  ["client rules of PostgreSQL", encryptedDataServices, inUserData(rules), rules],
  ["settings of Redis", encryptedDataServices, inUserData(caches), caches],
  ["addresses of a database", encryptedDatabaseConnections, inUserData(addresses), addresses],
  ["addresses of a database in evidence", encryptedDatabaseConnections, inEvidence(addresses), addresses],
  ["private keys", noExposedSecrets, inUserData(keys), keys],
  ["private keys in evidence", noExposedSecrets, inEvidence(keys), keys],
];

describe("two wrong files of one kind", () => {
  for (const [what, definition, resources, files] of cases) {
    it(`are two violations with their paths: ${what}`, () => {
      const seen = judgeFixture(definition, { title: what, resources }).map(({ message }) => message);
      for (const path of Object.keys(files))
        assert.equal(
          seen.filter((message) => message.includes(path)).length,
          1,
          `one violation with ${path}: ${JSON.stringify(seen)}`,
        );
    });
  }
});
