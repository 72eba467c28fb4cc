/** How long releases take on running hosts, by the commands that an operator types. */
import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import type { ReleaseFigures } from "../../../scripts/bench/hosts";
import { ProjectCopy } from "../../e2e/projectCopy";
import { Sandbox } from "../../e2e/sandbox";
import { SandboxOnHosts } from "../sandboxOnHosts";

const WEB = ["web-1", "web-2"];
const DATABASE = ["db-1", "db-2", "db-3"];

/** Starts the dev stack, separated, in a home of its own, with warm caches, and removes all of it. */
export async function measureReleases(tell: (line: string) => void): Promise<ReleaseFigures> {
  const copy = ProjectCopy.make();
  const live = new SandboxOnHosts(await Sandbox.make(undefined, copy.dir));
  const settings = ["--config", "secured-web:topology=separated"];
  try {
    await live.must("start", "--yes", ...settings);
    // nginx reloads, or the packet filter: no service restarts.
    settings.push("--config", "secured-web:hsts.maxAgeSeconds=301");
    const nginx = await rollout(live, settings);
    settings.push("--config", "secured-web:operators.networks=[192.0.2.0/24]");
    const filter = await rollout(live, settings);
    copy.edit(
      "app/main.ts",
      "if (!program) {",
      'if (process.argv[2] === "bench") process.exit(0);\nif (!program) {',
    );
    const application = await rollout(live, settings);
    const figures = {
      secondsByWebHost: secondsOf(WEB, nginx),
      secondsByDatabaseHost: secondsOf(DATABASE, filter),
      applicationSeconds: application.seconds,
      applicationHosts: application.turns.size,
    };
    tell(`releases: ${JSON.stringify(figures)}`);
    return figures;
  } finally {
    await live.run("stop", "--force");
    await live.sandbox.remove();
    copy.remove();
  }
}

interface Rollout {
  /** From the command's start to its end. */
  readonly seconds: number;
  /** By host: from its release's arrival in Spaces to its report that it is well. */
  readonly turns: ReadonlyMap<string, number>;
}

async function rollout(live: SandboxOnHosts, settings: readonly string[]): Promise<Rollout> {
  const turns = new Map<string, number>();
  const begun = new Map<string, number>();
  const begin = Date.now();
  const running = live.start("up", "dev", ...settings);
  assert.ok(running.child.stdout);
  createInterface({ input: running.child.stdout }).on("line", (line) => {
    const [, host = "", state] = /^ *([a-z]+-\d): (.*)$/.exec(line) ?? [];
    if (state === undefined) return;
    const since = begun.get(host) ?? Date.now();
    begun.set(host, since);
    if (state === "well") turns.set(host, (Date.now() - since) / 1000);
  });
  const { exitCode, stdout, stderr } = await running.ended;
  assert.equal(exitCode, 0, `up ended with ${exitCode}\n${stdout}\n${stderr}`);
  return { seconds: (Date.now() - begin) / 1000, turns };
}

function secondsOf(hosts: readonly string[], { turns }: Rollout): Record<string, number> {
  return Object.fromEntries(
    hosts.map((host) => {
      const seconds = turns.get(host);
      if (seconds === undefined) throw new Error(`${host} was not measured`);
      return [host, seconds];
    }),
  );
}
