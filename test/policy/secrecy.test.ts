import assert from "node:assert/strict";
import {
  cloudConfig,
  droplet,
  firewall,
  groupMember,
  memberPath,
  nginxFiles,
  nginxSite,
  tier,
} from "../../policy/fixtures/texts";
import type { Fixture } from "../../policy/frame/fixture";
import { definitions } from "../../policy/registry";
import { judgeFixture } from "./harness";
import { mutants } from "./mutants";
import { registeredPolicies } from "./registered";

const marker = "Marker5f1cSecret";

/** Judges a fixture with every policy; gives what they said, and fails where the marker is in it. */
function assertQuiet(fixture: Fixture, what: string, judges = definitions): number {
  const messages = judges
    .flatMap((definition) => judgeFixture(definition, fixture))
    .map(({ message }) => message);
  for (const message of messages) assert.ok(!message.includes(marker), `${what}: ${message}`);
  return messages.length;
}

const oneHost = (files: Readonly<Record<string, string>>): Fixture => ({
  title: "one host",
  stack: "prod",
  resources: { "host-1": droplet("host-1", { userData: cloudConfig(files) }) },
});

describe("messages hold no secret", function () {
  this.timeout(90_000);

  it("where any input of any fixture's resource is a secret", () => {
    let messages = 0;
    for (const { definition, fixtures } of registeredPolicies) {
      for (const fixture of [...fixtures.valid, ...fixtures.invalid]) {
        for (const [name, resource] of Object.entries(fixture.resources)) {
          for (const { path, value } of mutants(resource.properties, [["secret", marker]])) {
            const resources = { ...fixture.resources, [name]: { ...resource, properties: value } };
            // Each policy over its own fixtures, which hold the inputs that it reads.
            messages += assertQuiet({ ...fixture, resources }, `${fixture.title}: ${name}.${path}`, [
              definition,
            ]);
          }
        }
      }
    }
    // A run in which nothing was said would prove nothing.
    assert.ok(messages > 1_000, String(messages));
  });

  it("where any option of MySQL is a secret", () => {
    let messages = 0;
    const lines = groupMember.split("\n");
    for (const index of lines.keys()) {
      const text = lines
        .map((line, at) => (at === index ? line.replace(/=.*/, `= ${marker}`) : line))
        .join("\n");
      messages += assertQuiet(oneHost({ [memberPath]: text }), lines[index] ?? "");
    }
    assert.ok(messages > 10);
  });

  it("where any argument of nginx is a secret, but for names of hosts", () => {
    let messages = 0;
    const words = nginxSite.split(/([\s;{}]+)/);
    for (const [index, word] of words.entries()) {
      if (!/^[a-z0-9]/.test(word) || /^(http|unix):/.test(word)) continue;
      const text = words.map((other, at) => (at === index ? marker : other)).join("");
      messages += assertQuiet(oneHost({ ...nginxFiles, "/etc/nginx/conf.d/site.conf": text }), word);
    }
    assert.ok(messages > 3, String(messages));
  });

  it("in user data and evidence that cannot be read", () => {
    const broken = [
      { [memberPath]: `${marker} = ${marker}\n` },
      { "/etc/nginx/nginx.conf": `${marker} {` },
      { "/etc/haproxy/haproxy.cfg": `global\n "${marker}\n` },
      { "/etc/nginx/nginx.conf": `http { include /etc/${marker}; }` },
      { [`/etc/nginx/${marker} x.conf`]: "server { listen 80; }" },
      {
        "/etc/nginx/nginx.conf": `http { server { listen 80; location / { proxy_pass http://user:${marker}@api; } } }`,
      },
      {
        "/root/setup.sql": `CHANGE REPLICATION SOURCE TO SOURCE_HOST='${marker}', SOURCE_PASSWORD='${marker}';`,
      },
      { "/etc/haproxy/haproxy.cfg": `backend b\n server s user:${marker}@x:80\n` },
    ];
    for (const files of broken)
      assert.ok(assertQuiet(oneHost(files), JSON.stringify(files)) > 0, JSON.stringify(files));
    const inEvidence: Fixture = {
      title: "evidence",
      resources: { tier: tier({ "host-1": { roles: [marker], files: { [memberPath]: marker } } }) },
    };
    assert.ok(assertQuiet(inEvidence, "evidence") > 0);
  });

  it("in a firewall's addresses and ports", () => {
    const rule = { protocol: marker, portRange: marker, sourceAddresses: [marker, "0.0.0.0/0"] };
    const host = droplet("db-1", {
      tags: ["database"],
      userData: cloudConfig({ [memberPath]: groupMember }),
    });
    assert.ok(
      assertQuiet({ title: "firewall", resources: { guard: firewall([rule]), "db-1": host } }, "firewall") >
        0,
    );
  });
});
