import { hostStates } from "../../../sandbox/hosts/operate";
import { waitFor } from "../world/waitFor";
import type { World } from "../world/world";
import type { WorldHost } from "../world/worldHost";
import { Visitors } from "./visitors";

const WINDOW_MS = 10_000;
const WARM_UP_MS = 3_000;
/** Pauses between two writes must be short against the gap that is measured. */
const PROBE = { writers: 4, readers: 1, pauseMs: 50, limitMs: 10_000 };

export interface Rates {
  readonly readsPerSecond: number;
  readonly writesPerSecond: number;
}

/** nginx's limit for one client address would be what is measured: all visitors come from one. */
export async function liftRequestLimit(world: World): Promise<void> {
  for (const host of world.hostsWith("web")) {
    await host.run("sed -i '/^\\s*limit_req /d' /etc/nginx/nginx.conf && systemctl reload nginx.service");
  }
}

/** Requests a second through the load balancer that were answered well, with as many as the visitors can send. */
export async function requestRates(world: World): Promise<Rates> {
  const visitors = Visitors.start(world, { writers: 4, readers: 8, pauseMs: 0 });
  try {
    await visitors.goOn("before the measurement");
    const begin = Date.now() + WARM_UP_MS;
    await waitFor("the window", async () => Date.now() >= begin + WINDOW_MS, { within: 60, every: 0.1 });
    const rate = (kind: "read" | "write", good: number) =>
      visitors.requests.filter(
        (one) => one.kind === kind && one.status === good && one.end >= begin && one.end < begin + WINDOW_MS,
      ).length /
      (WINDOW_MS / 1000);
    return { readsPerSecond: rate("read", 200), writesPerSecond: rate("write", 201) };
  } finally {
    await visitors.stop();
  }
}

/** The longest time without an acknowledged write around a power cut of a host, in seconds. It is switched on again. */
export async function failoverGapSeconds(world: World, host: WorldHost): Promise<number> {
  const visitors = Visitors.start(world, PROBE);
  try {
    await visitors.goOn("before the power cut");
    const cut = Date.now();
    await world.powerOff(host);
    // Expelling, health checks at three places and the load balancer's are all over within this time.
    await visitors.goOn("after the power cut", 60, 180);
    return visitors.longestGapMs(cut) / 1000;
  } finally {
    await visitors.stop();
    await world.powerOn(host);
    await waitFor("every member ONLINE", () => world.databaseIsWhole(), { within: 240 });
    // A host counts again for the load balancer a few checks later; the next cut must find all three there.
    await world.waitUntilReady();
  }
}

/** MiB of memory of each host: the shared pages in parts, so that the sum is what the machine gives. */
export async function memoryMib(world: World): Promise<Record<string, number>> {
  const states = await hostStates(world.instance);
  return Object.fromEntries(
    states.map(({ dropletId, memoryBytes = 0 }) => {
      const host = world.hosts.find(({ identity }) => identity.dropletId === dropletId);
      return [host?.name ?? String(dropletId), Math.round(memoryBytes / 1024 ** 2)];
    }),
  );
}
