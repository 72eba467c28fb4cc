import assert from "node:assert/strict";
import { performance } from "node:perf_hooks";
import { judgeState } from "../../policy/check/judge";
import { readState } from "../../policy/check/state";
import type { Fixture } from "../../policy/frame/fixture";
import { definitions } from "../../policy/registry";
import { exportedState } from "./exportedState";
import { programFixture } from "./programStacks";

const droplets = 1_000;
/** Processor time. The aim is 10 s on a quiet machine; one with fifty processes at work takes three times that. */
const limitSeconds = 30;

describe("a stack of 1,000 droplets", function () {
  this.timeout(300_000);

  it(`is judged in less than ${limitSeconds} seconds, each droplet with user data of its own`, async () => {
    const stack = await programFixture(
      {
        environment: "production",
        topology: "separated",
        tls: "reencrypt",
        monitoring: "datadog",
        replication: "group",
      },
      "update",
    );
    const text = JSON.stringify(exportedState(many(stack)));
    const state = readState(text);
    const start = performance.now();
    const before = process.cpuUsage();
    const { findings } = judgeState(state, definitions, {
      stack: "prod",
      config: new Map(Object.entries(stack.config ?? {})),
    });
    const { user, system } = process.cpuUsage(before);
    const seconds = (user + system) / 1_000_000;
    console.log(
      `      ${definitions.length} policies, ${state.resources.length} resources, ${(text.length / 1_048_576).toFixed(0)} MiB: ${seconds.toFixed(1)} s of processor time, ${((performance.now() - start) / 1_000).toFixed(1)} s of the clock, ${findings.length} findings`,
    );
    assert.ok(seconds < limitSeconds, `${seconds} s`);
  });

  /** The program's stack with copies of its web hosts: other names, and other user data. */
  function many(stack: Fixture): Fixture {
    const [name, web] = Object.entries(stack.resources).find(([key]) => key === "web-1") ?? [];
    assert.ok(name !== undefined && web !== undefined);
    const copies = Array.from({ length: droplets }, (_, index) => {
      const copy = `web-${index + 100}`;
      const userData = `${String(web.properties.userData)}# ${copy}\n`;
      return [copy, { ...web, properties: { ...web.properties, name: `prod-${copy}`, userData } }] as const;
    });
    return { ...stack, resources: { ...stack.resources, ...Object.fromEntries(copies) } };
  }
});
