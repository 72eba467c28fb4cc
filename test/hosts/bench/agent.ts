import { ticksScript } from "../../../sandbox/monitoring/hostProbes";
import type { AgentCost, HostUse } from "../../../scripts/bench/hosts";
import { Lab, worldConfig } from "../../monitoring/live/lab";
import { liftRequestLimit, memoryMib, until } from "../workloads/measure";
import { Visitors } from "../workloads/visitors";
import { World } from "../world/world";
import type { WorldHost } from "../world/worldHost";

const VISITORS = { writers: 2, readers: 4, pauseMs: 100 };
const WARM_UP_MS = 5_000;
/** Two of the agent's intervals. */
const WINDOW_MS = 30_000;

/** The agent's own, which the tests' collectors are faster than. */
const AGENT_INTERVAL_SECONDS = 15;

/**
 * Deploys the dev stack with monitoring and measures every host under the same visitors with its collector and without
 * it. Undefined where no collector can be had.
 */
export async function measureAgent(tell: (line: string) => void): Promise<AgentCost | undefined> {
  const world = await World.up({ config: worldConfig, onProgress: tell });
  try {
    await world.waitUntilReady();
    const lab = await Lab.open(world, AGENT_INTERVAL_SECONDS);
    if (lab === undefined) return undefined;
    try {
      // Its own looks from outside are no part of what is compared.
      await lab.stopWatching();
      await liftRequestLimit(world);
      const first = await measure(world, tell);
      await Promise.all(world.hosts.map((host) => host.run("systemctl stop datadog-agent datadog-journal")));
      const second = await measure(world, tell);
      const byHost = world.hosts.map(({ name }) => {
        const [withIt, without] = [first.byHost.get(name), second.byHost.get(name)];
        if (!withIt || !without) throw new Error(`${name} was not measured`);
        return [name, { with: withIt, without }] as const;
      });
      return {
        requestsPerSecond: { with: first.requestsPerSecond, without: second.requestsPerSecond },
        byHost: Object.fromEntries(byHost),
      };
    } finally {
      await lab.close();
    }
  } finally {
    await world.destroy();
  }
}

async function measure(world: World, tell: (line: string) => void) {
  const visitors = Visitors.start(world, VISITORS);
  try {
    await visitors.goOn("before the measurement");
    await until(Date.now() + WARM_UP_MS);
    const [before, from] = [await ticksOf(world), Date.now()];
    await until(Date.now() + WINDOW_MS);
    const [later, to] = [await ticksOf(world), Date.now()];
    const memory = await memoryMib(world);
    const seconds = (to - from) / 1000;
    const requests = visitors.requests.filter(({ end }) => end >= from && end < to).length;
    const byHost = new Map<string, HostUse>(
      world.hosts.map(({ name }) => [
        name,
        {
          cpuPercent: ((later.get(name) ?? 0) - (before.get(name) ?? 0)) / seconds,
          memoryMib: memory[name] ?? Number.NaN,
        },
      ]),
    );
    tell(`${(requests / seconds).toFixed(1)} requests a second: ${JSON.stringify([...byHost])}`);
    return { requestsPerSecond: requests / seconds, byHost };
  } finally {
    await visitors.stop();
  }
}

/** CPU time of all of a host's processes in hundredths of a second: ticks, so a tick in a second is a percent of a CPU. */
async function ticksOf(world: World): Promise<ReadonlyMap<string, number>> {
  const ticks = async (host: WorldHost) => Number(await host.run(ticksScript));
  return new Map(await Promise.all(world.hosts.map(async (host) => [host.name, await ticks(host)] as const)));
}
