/**
 * Measures the dev stack on running hosts and prints the figures as one line of JSON; progress goes to standard error.
 * Started by `npm run bench -- hosts` (scripts/bench/hosts.ts).
 *
 *   node --import tsx test/hosts/bench/main.ts POWER_CUTS
 */
import { removeInnerTls } from "../faults/plaintext";
import {
  failoverGapSeconds,
  liftRequestLimit,
  memoryMib,
  type Rates,
  requestRates,
} from "../workloads/measure";
import { waitFor } from "../world/waitFor";
import { World } from "../world/world";

async function main(): Promise<void> {
  const powerCuts = Number(process.argv[2] ?? 10);
  const started = Date.now();
  const since = () => (Date.now() - started) / 1000;
  const world = await World.up({ onProgress: tell });
  try {
    const droplets = since();
    const first200 = waitFor(
      "the first 200",
      async () => (await world.client.get("/")).status === 200 && since(),
      { within: 300, every: 0.1 },
    );
    const online = waitFor("3 x ONLINE", async () => (await world.databaseIsWhole()) && since(), {
      within: 300,
      every: 0.1,
      explain: () => world.complaints(),
    });
    const [secondsToFirst200, secondsToAllOnline] = await Promise.all([first200, online]);
    await world.waitUntilReady();
    tell(`first 200 after ${secondsToFirst200} s, every member ONLINE after ${secondsToAllOnline} s`);
    const memoryMibByHost = await memoryMib(world);
    const failoverGapsSeconds: number[] = [];
    const hosts = world.hostsWith("database");
    for (let i = 0; i < powerCuts; i++) {
      const host = hosts[i % hosts.length];
      if (host) failoverGapsSeconds.push(await failoverGapSeconds(world, host));
      tell(`power cut ${i + 1} of ${powerCuts}: ${failoverGapsSeconds.at(-1)} s without a write`);
    }
    await liftRequestLimit(world);
    const encrypted: Rates = await requestRates(world);
    tell(`with TLS on every hop: ${JSON.stringify(encrypted)}`);
    await removeInnerTls(world);
    const plain: Rates = await requestRates(world);
    tell(`without TLS behind the load balancer: ${JSON.stringify(plain)}`);
    const figures = {
      secondsToDroplets: droplets,
      secondsToFirst200,
      secondsToAllOnline,
      ...{ memoryMibByHost, failoverGapsSeconds, encrypted, plain },
    };
    process.stdout.write(`${JSON.stringify(figures)}\n`);
  } finally {
    await world.destroy();
  }
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    tell(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exit(1);
  },
);
