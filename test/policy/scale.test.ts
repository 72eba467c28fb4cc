import assert from "node:assert/strict";
import type { ResourceValidationArgs, StackValidationArgs } from "@pulumi/policy";
import {
  cloudConfig,
  droplet,
  firewall,
  httpsRule,
  loadBalancer,
  memberFiles,
  nginxFiles,
  tier,
} from "../../policy/fixtures/texts";
import { compilePolicies } from "../../policy/frame/compile";
import type { FixtureResource } from "../../policy/frame/fixture";
import { unknownValue } from "../../policy/frame/value";
import { definitions } from "../../policy/registry";
import { asEngineProps } from "./harness";

const hosts = 1_000;

/** A stack of many droplets, each with user data of its own, a firewall for each ten, and evidence of some. */
function largeStack(): ReadonlyMap<string, FixtureResource> {
  const resources = new Map<string, FixtureResource>();
  resources.set("edge", loadBalancer([httpsRule], { vpcUuid: "vpc-1" }));
  for (const metric of ["cpu", "memory_utilization_percent", "disk_utilization_percent"]) {
    resources.set(metric, {
      type: "digitalocean:index/monitorAlert:MonitorAlert",
      properties: {
        type: `v1/insights/droplet/${metric}`,
        tags: ["web"],
        alerts: { emails: ["ops@example.com"] },
      },
    });
  }
  const evidence: Record<string, { roles: readonly string[]; files: Record<string, string> }> = {};
  for (let index = 0; index < hosts; index += 1) {
    const name = `host-${index}`;
    const group = `group-${Math.floor(index / 10)}`;
    if (index % 10 === 0) {
      resources.set(
        group,
        firewall([{ protocol: "tcp", portRange: "443", sourceLoadBalancerUids: ["edge-id"] }], {
          tags: [group],
        }),
      );
    }
    const files = index % 2 === 0 ? nginxFiles : memberFiles;
    const isCovered = index % 4 === 0;
    if (isCovered) evidence[name] = { roles: ["web"], files: { ...files } };
    const text = cloudConfig({ ...files, "/etc/motd": `host ${index}\n${"# padding\n".repeat(400)}` });
    resources.set(
      name,
      droplet(name, {
        tags: ["web", group],
        vpcUuid: "vpc-1",
        monitoring: true,
        userData: isCovered ? unknownValue : text,
      }),
    );
  }
  return new Map([["tier", tier(evidence)], ...resources]);
}

describe("a stack of 1,000 droplets", function () {
  this.timeout(120_000);

  it("is judged by the whole pack in under 10 seconds of processor time", () => {
    const resources = largeStack();
    const settings = { stack: "prod", config: new Map<string, string>() };
    const policies = compilePolicies(definitions, () => settings);
    const engineResources = [...resources].map(([name, { type, properties }]) => ({
      urn: `urn:pulumi:prod::example::${type}::${name}`,
      type,
      name,
      props: asEngineProps(properties),
      opts: { protect: false, ignoreChanges: [], aliases: [] },
      getConfig: () => ({}),
      propertyDependencies: {},
    }));
    const counts = new Map<string, number>();
    const times = new Map<string, number>();
    const before = process.cpuUsage();
    const timed = (name: string, run: () => void) => {
      const start = process.cpuUsage();
      run();
      const { user, system } = process.cpuUsage(start);
      times.set(name, (times.get(name) ?? 0) + (user + system) / 1_000);
    };
    for (const resource of engineResources) {
      for (const policy of policies) {
        timed(policy.name, () => {
          if (typeof policy.validateResource !== "function") return;
          void policy.validateResource(resource as unknown as ResourceValidationArgs, () => {
            counts.set(policy.name, (counts.get(policy.name) ?? 0) + 1);
          });
        });
      }
    }
    for (const policy of policies) {
      timed(policy.name, () => {
        const args = { resources: engineResources, getConfig: () => ({}) } as unknown as StackValidationArgs;
        void policy.validateStack(args, () => {
          counts.set(policy.name, (counts.get(policy.name) ?? 0) + 1);
        });
      });
    }
    const { user, system } = process.cpuUsage(before);
    const seconds = (user + system) / 1_000_000;
    const dearest = [...times].sort(([, one], [, other]) => other - one).slice(0, 5);
    console.log(
      `      ${seconds.toFixed(1)} s of processor time; ${dearest.map(([name, ms]) => `${name} ${ms.toFixed(0)} ms`).join(", ")}`,
    );
    // A pack that judged nothing would be fast: 500 database hosts have no backups.
    assert.ok((counts.get("recoverable-databases") ?? 0) >= 500, JSON.stringify([...counts]));
    assert.ok(seconds < 10, `${seconds} s`);
  });
});
