/**
 * Brings up a world, soaks it, and prints the report as one line of JSON; progress goes to standard error. Started by
 * `npm run chaos` (scripts/commands/chaos.ts).
 *
 *   node --import tsx test/hosts/chaos/main.ts '{"seed", "faults", "keepsMajority", "steps", "seconds"}'
 *
 * SIGINT, SIGTERM, SIGHUP or the end of its standard input ends it in order: the fault is lifted, what was seen is
 * judged, and the world is removed.
 */
import { interruption } from "../../../scripts/interruption";
import { World } from "../world/world";
import { type SoakOptions, soak } from "./soak";

async function main(): Promise<void> {
  interruption.listen();
  process.stdin.resume().on("end", () => process.kill(process.pid, "SIGTERM"));
  const order = JSON.parse(process.argv[2] ?? "{}") as Pick<
    SoakOptions,
    "seed" | "faults" | "keepsMajority" | "steps" | "seconds"
  >;
  const world = await World.up({ onProgress: tell });
  try {
    if (!interruption.signal.aborted) await world.waitUntilReady();
    tell(`the world is up: ${world.hosts.map(({ name }) => name).join(", ")}; seed ${order.seed}`);
    const report = await soak(world, { ...order, tell, signal: interruption.signal });
    if (report.verdict !== "valid") tell(await world.complaints());
    process.stdout.write(`${JSON.stringify(report)}\n`);
  } finally {
    await world.destroy();
  }
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

main().then(
  () => process.exit(interruption.signal.aborted ? interruption.exitCode : 0),
  (error: unknown) => {
    tell(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exit(1);
  },
);
