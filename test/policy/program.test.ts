import assert from "node:assert/strict";
import type { HostConfiguration } from "../../infra/evidence";
import { buildTopology, type Replication, type TopologyName } from "../../infra/topology";
import { hostEvidence } from "../../infra/userdata/files";
import { renderUserData } from "../../infra/userdata/render";
import type { HostContext, HostSecrets, HostSettings } from "../../infra/userdata/types";
import {
  droplet,
  firewall,
  httpsRule,
  loadBalancer,
  passthroughRule,
  tier,
} from "../../policy/fixtures/texts";
import type { Fixture } from "../../policy/frame/fixture";
import { unknownValue } from "../../policy/frame/value";
import { definitions } from "../../policy/registry";
import { judgeFixture } from "./harness";

const pem = (kind: string) => `-----BEGIN ${kind}-----\nMarker5f1c\n-----END ${kind}-----\n`;
const pair = { certificate: pem("CERTIFICATE"), privateKey: pem("PRIVATE KEY") };
const secrets: HostSecrets = {
  caCertificate: pem("CERTIFICATE"),
  web: pair,
  app: pair,
  database: pair,
  passwords: { app: "Marker5f1cA", replication: "Marker5f1cB", health: "Marker5f1cC" },
  datadogApiKey: "Marker5f1cD",
};

type Tls = HostSettings["tls"];

function settings(replication: Replication, tls: Tls, agent: boolean): HostSettings {
  const slice = { weight: 100, memoryMaxPercent: 50 };
  return {
    replication,
    tls,
    siteName: "www.foobar.com",
    hstsMaxAgeSeconds: 31_536_000,
    vpcIpRange: "10.10.0.0/20",
    operatorNetworks: ["203.0.113.0/24"],
    groupName: "0f5ab2a8-4a7b-4f0e-9d38-4c1e3c7f2b10",
    database: { bufferPoolMib: 256, maxConnections: 100 },
    app: { connectionLimit: 10 },
    slices: { web: slice, app: slice, database: slice, monitoring: slice },
    monitoring: agent ? { agent: "datadog", site: "datadoghq.eu" } : { agent: "none" },
    stack: "prod",
    environment: "production",
  };
}

/** A stack as the program makes it: in a first preview, or with its user data known. */
function stackOf(
  name: TopologyName,
  replication: Replication,
  tls: Tls,
  agent: boolean,
  known: boolean,
): Fixture {
  const topology = buildTopology("prod", {
    topology: name,
    domain: "foobar.com",
    web: { count: 2, size: "s-1vcpu-2gb" },
    database: { count: 3, size: "s-2vcpu-4gb" },
  });
  const contextOf = (host: HostContext["host"]): HostContext => ({
    host,
    topology,
    settings: settings(replication, tls, agent),
  });
  const evidence = Object.fromEntries(
    topology.hosts.map((host) => [host.dropletName, hostEvidence(contextOf(host))]),
  );
  const droplets = topology.hosts.map((host) => {
    const userData = known ? renderUserData(contextOf(host), secrets) : unknownValue;
    return [host.name, droplet(host.dropletName, { tags: host.tags, userData })] as const;
  });
  const fromTags = ["secured-web-prod-web", "secured-web-prod-database"].map((tag) => ({
    protocol: "tcp",
    portRange: "3306",
    sourceTags: [tag],
  }));
  return {
    title: "the program's stack",
    stack: "prod",
    resources: {
      edge: loadBalancer([tls === "reencrypt" ? httpsRule : passthroughRule], {
        dropletTag: "secured-web-prod-web",
      }),
      guard: firewall(fromTags, { tags: ["secured-web-prod-database"] }),
      tier: tier(evidence),
      ...Object.fromEntries(droplets),
    },
  };
}

describe("the program's own stacks", () => {
  for (const topology of ["converged", "separated"] as const) {
    for (const tls of ["reencrypt", "passthrough"] as const) {
      for (const agent of [false, true]) {
        for (const known of [false, true]) {
          const what = `${topology}, ${tls}, ${agent ? "with" : "without"} an agent, user data ${known ? "known" : "unknown"}`;
          it(`${what}: no policy objects to a group; production refuses a source with replicas`, () => {
            const group = stackOf(topology, "group", tls, agent, known);
            for (const definition of definitions)
              assert.deepEqual(judgeFixture(definition, group), [], definition.name);
            const single = stackOf(topology, "source-replica", tls, agent, known);
            for (const definition of definitions) {
              const seen = judgeFixture(definition, single);
              const refuses = definition.name === "no-single-writer-in-production";
              assert.equal(seen.length > 0, refuses, `${definition.name}: ${JSON.stringify(seen)}`);
              for (const { message } of seen) assert.ok(!message.includes("Marker5f1c"), message);
            }
          });
        }
      }
    }
  }

  /** Each protection in the payload, taken away: file, text, replacement, the policy that must refuse. */
  const protections: readonly (readonly [path: RegExp, from: RegExp, to: string, policy: string])[] = [
    [/nginx\.conf$/, /listen 443 ssl default_server;/, "listen 443 default_server;", "end-to-end-encryption"],
    [/nginx\.conf$/, /listen 127\.0\.0\.1:8081;/, "listen 8081;", "end-to-end-encryption"],
    [
      /nginx\.conf$/,
      /ssl_protocols TLSv1\.2 TLSv1\.3;/,
      "ssl_protocols TLSv1.1 TLSv1.2;",
      "end-to-end-encryption",
    ],
    [/nginx\.conf$/, /server unix:\S+/, "server 10.0.0.9:8080", "end-to-end-encryption"],
    [/haproxy\.cfg$/, /bind 127\.0\.0\.1:8082/, "bind :8082", "end-to-end-encryption"],
    [/haproxy\.cfg$/, /:3306/, ":6379", "end-to-end-encryption"],
    [
      /secured-web\.cnf$/,
      /require_secure_transport = ON/,
      "require_secure_transport = OFF",
      "end-to-end-encryption",
    ],
    [/secured-web\.cnf$/, /require_secure_transport = ON\n/, "", "end-to-end-encryption"],
    [/secured-web\.cnf$/, /ssl_mode = VERIFY_IDENTITY/, "ssl_mode = DISABLED", "end-to-end-encryption"],
    [/secured-web\.cnf$/, /recovery_use_ssl = ON/, "recovery_use_ssl = OFF", "end-to-end-encryption"],
    [/secured-web\.cnf$/, /verify_server_cert = ON/, "verify_server_cert = OFF", "end-to-end-encryption"],
    [
      /secured-web\.cnf$/,
      /single_primary_mode = OFF/,
      "single_primary_mode = ON",
      "no-single-writer-in-production",
    ],
  ];
  for (const [path, from, to, policy] of protections) {
    it(`${policy} sees ${from} replaced by "${to}"`, () => {
      const stack = stackOf("converged", "group", "reencrypt", false, false);
      const definition = definitions.find(({ name }) => name === policy);
      const evidence = stack.resources.tier?.properties.configurationEvidence as Record<
        string,
        HostConfiguration
      >;
      const [name, host] = Object.entries(evidence)[0]!;
      const file = Object.keys(host.files).find((candidate) => path.test(candidate));
      assert.ok(definition !== undefined && file !== undefined);
      const text = host.files[file]!;
      assert.notEqual(text.replace(from, to), text, "the payload has no such protection");
      const changedHost = { ...host, files: { ...host.files, [file]: text.replace(from, to) } };
      const resources = { ...stack.resources, tier: tier({ ...evidence, [name]: changedHost }) };
      const seen = judgeFixture(definition, { ...stack, resources });
      assert.ok(
        seen.some(({ resource }) => resource === "tier"),
        JSON.stringify(seen),
      );
    });
  }
});
