import { hostStates } from "../../../sandbox/hosts/operate";
import type { FailoverTimes, PowerCut, Rates } from "../../../scripts/bench/hosts";
import { median } from "../../../scripts/bench/median";
import { waitFor } from "../../waitFor";
import { everyAcknowledged } from "../checkers/acknowledged";
import type { World } from "../world/world";
import type { WorldHost } from "../world/worldHost";
import { FailoverWatch } from "./failover";
import { type VisitorOptions, Visitors } from "./visitors";

const WINDOW_MS = 10_000;
/** An odd number of windows, whose median counts. */
const WINDOWS = 3;
/** Node.js compiles what it runs often, which takes the application some seconds of load. */
const WARM_UP_MS = 15_000;
/** Pauses between two writes must be short against the gap that is measured. */
const PROBE = { writers: 4, readers: 1, pauseMs: 50, limitMs: 10_000 };

/** nginx's limit for one client address would be what is measured: all visitors come from one. */
export async function liftRequestLimit(world: World): Promise<void> {
  for (const host of world.hostsWith("web")) {
    await host.run("sed -i '/^\\s*limit_req /d' /etc/nginx/nginx.conf && systemctl reload nginx.service");
  }
}

/** Waits for a time (milliseconds since the epoch): a window of a measurement has passed. */
export async function until(time: number): Promise<void> {
  await waitFor("the window", async () => Date.now() >= time, {
    within: (time - Date.now()) / 1000 + 60,
    every: 0.1,
  });
}

/** Applications that have just begun: two rates compare where the programs are of one age. */
export async function restartApplications(world: World): Promise<void> {
  for (const host of world.hostsWith("web")) await host.run("systemctl restart secured-web-app.service");
  await world.waitUntilReady();
}

/** Requests a second through the load balancer that were answered well, with as many as the visitors can send. */
export async function requestRates(world: World, options: VisitorOptions = {}): Promise<Rates> {
  const visitors = Visitors.start(world, { writers: 4, readers: 8, pauseMs: 0, ...options });
  try {
    await visitors.goOn("before the measurement");
    const begin = Date.now() + WARM_UP_MS;
    const end = begin + WINDOWS * WINDOW_MS;
    await until(end);
    const rate = (kind: "read" | "write", good: number) => {
      const counts = new Array<number>(WINDOWS).fill(0);
      for (const { kind: one, status, end: at } of visitors.requests) {
        const window = Math.floor((at - begin) / WINDOW_MS);
        if (one === kind && status === good && window in counts) counts[window] = (counts[window] ?? 0) + 1;
      }
      return median(counts) / (WINDOW_MS / 1000);
    };
    return { readsPerSecond: rate("read", 200), writesPerSecond: rate("write", 201) };
  } finally {
    await visitors.stop();
  }
}

/** Cuts the power of a host while visitors write and read, and switches it on again. */
export async function powerCutUnderLoad(world: World, host: WorldHost): Promise<PowerCut> {
  const watch = await FailoverWatch.start(world, host);
  const visitors = Visitors.start(world, PROBE);
  let gapSeconds: number;
  let parts: FailoverTimes;
  let begin = Date.now();
  try {
    await visitors.goOn("before the power cut");
    begin = Date.now();
    await world.powerOff(host);
    // Expelling, health checks at three places and the load balancer's are all over within this time.
    await visitors.goOn("after the power cut", 60, 180);
    gapSeconds = visitors.longestGapMs(begin) / 1000;
    parts = await watch.stop(begin);
  } finally {
    await visitors.stop();
    if (!(await host.isOn())) await world.powerOn(host);
  }
  const back = Date.now();
  await waitFor("every member ONLINE", () => world.databaseIsWhole(), { within: 240 });
  const rejoinSeconds = (Date.now() - back) / 1000;
  const { missing } = await everyAcknowledged(visitors.acknowledged, world.hostsWith("database"));
  // A host counts again for the load balancer a few checks later; the next cut must find all three there.
  await world.waitUntilReady();
  const sent = visitors.requests.filter(({ end }) => end >= begin);
  return {
    gapSeconds,
    parts,
    rejoinSeconds,
    requests: sent.length,
    failedRequests: sent.filter(({ status }) => status !== 200 && status !== 201).length,
    acknowledgedNotes: visitors.acknowledged.length,
    lostNotes: new Set(Object.values(missing).flat()).size,
  };
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
