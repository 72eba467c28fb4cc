/**
 * Measures the dev stack on running hosts and prints the figures as one line of JSON; progress goes to standard error.
 * Started by `npm run bench -- hosts` (scripts/bench/hosts.ts).
 *
 *   node --import tsx test/hosts/bench/main.ts POWER_CUTS
 */
import type { HostFigures, PowerCut } from "../../../scripts/bench/hosts";
import { removeInnerTls } from "../faults/plaintext";
import {
  liftRequestLimit,
  memoryMib,
  powerCutUnderLoad,
  requestRates,
  restartApplications,
} from "../workloads/measure";
import type { VisitorOptions } from "../workloads/visitors";
import { World } from "../world/world";
import { measureAgent } from "./agent";
import { measureReleases } from "./releases";
import { measureStart } from "./start";

type Prices = HostFigures["prices"];

async function main(): Promise<void> {
  const count = Number(process.argv[2] ?? 10);
  const start = await measureStart(tell);
  const releases = await measureReleases(tell);
  let measured: object;
  const world = await World.up({ onProgress: tell });
  try {
    await world.waitUntilReady();
    const memoryMibByHost = await memoryMib(world);
    const powerCuts: PowerCut[] = [];
    const hosts = world.hostsWith("database");
    for (let i = 0; i < count; i++) {
      const host = hosts[i % hosts.length];
      if (host) powerCuts.push(await powerCutUnderLoad(world, host));
      tell(`power cut ${i + 1} of ${count}: ${JSON.stringify(powerCuts.at(-1))}`);
    }
    await liftRequestLimit(world);
    const rates = async (what: string, options?: VisitorOptions) => {
      await restartApplications(world);
      const measured = await requestRates(world, options);
      tell(`${what}: ${JSON.stringify(measured)}`);
      return measured;
    };
    const sessions = {
      with: await rates("with sessions"),
      without: await rates("without sessions", { keepsCookies: false }),
    };
    const withHealthWrites = await rates("with the writes of the health checks");
    await stopHealthWrites(world);
    const withTls = await rates("without the writes of the health checks");
    await removeInnerTls(world);
    const withoutTls = await rates("without TLS behind the load balancer");
    const prices: Prices = {
      sessions,
      healthWrites: { with: withHealthWrites, without: withTls },
      tls: { with: withTls, without: withoutTls },
    };
    measured = { memoryMibByHost, powerCuts, prices };
  } finally {
    await world.destroy();
  }
  const agent = await measureAgent(tell);
  process.stdout.write(
    `${JSON.stringify({ ...start, releases, ...measured, ...(agent ? { agent } : {}) })}\n`,
  );
}

/** Without its privilege, a health check goes by the member's state. The release program would give it back. */
async function stopHealthWrites(world: World): Promise<void> {
  const hosts = world.hostsWith("database");
  for (const host of hosts) await host.run("systemctl stop secured-web-release.service");
  const [host] = hosts;
  const [[network = ""] = []] =
    (await host?.mysql("SELECT host FROM mysql.user WHERE user = 'health'")) ?? [];
  await host?.mysql(`REVOKE INSERT, UPDATE ON secured_web_health.* FROM 'health'@'${network}'`);
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
