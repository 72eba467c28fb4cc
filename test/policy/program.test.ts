import assert from "node:assert/strict";
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
});
