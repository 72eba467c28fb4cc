import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { hostsUnavailable } from "../bench/hosts";
import { type ChaosOptions, chaosOptions } from "../chaos/options";
import { type ChaosReport, faultNames, reportText } from "../chaos/report";
import type { Command } from "../command";
import { EXIT_CODES, Failure } from "../failure";
import { PROJECT_DIR } from "../home";
import { interruption } from "../interruption";

const program = join(PROJECT_DIR, "test", "hosts", "chaos", "main.ts");

export const command: Command = {
  name: "chaos",
  summary: "Injects failures into a separate dev stack under load, and checks every answer of the site.",
  details: `A failure, or two at once, is injected about every 20 seconds, at random from the seed. At the end, the history of
all requests and the contents of the members decide the verdict: valid, invalid or unknown. docs/reliability.md has the
rules and the failures. The exit code is 0 only if the verdict is valid and the site served whenever it had to.
Your running sandbox is not affected. It needs root on Linux, 4 GiB of memory, and a minute to start.

Names:
${inLines(faultNames)}`,
  options: {
    minutes: { type: "string", value: "N", doc: "inject failures for N minutes (default 30)" },
    runs: { type: "string", value: "N", doc: "stop after N injections" },
    seed: {
      type: "string",
      value: "N",
      doc: "repeat the choices of an earlier run (default: a new seed, printed)",
    },
    faults: { type: "string", value: "NAME,...", doc: "inject only these failures" },
    majority: {
      type: "boolean",
      doc: "inject only failures that leave a majority of the members, so that the site must always serve",
    },
  },
  run: async (args) => {
    const options = chaosOptions(args);
    const reason = await hostsUnavailable();
    if (reason !== undefined) throw new Failure(`Hosts cannot run here: ${reason}`);
    interruption.listen();
    process.stdout.write(`seed ${options.seed}\n`);
    const report = await runSoak(options);
    if (report === undefined) return interruption.exitCode;
    process.stdout.write(`\n${reportText(report)}\n`);
    if (interruption.signal.aborted) return interruption.exitCode;
    const isStalled = report.runs.some(({ stalled }) => stalled !== undefined);
    return report.verdict === "valid" && !isStalled ? 0 : EXIT_CODES.error;
  },
};

/** Names in lines of about 100 characters. */
function inLines(names: readonly string[]): string {
  return names
    .join(", ")
    .replace(/(.{1,100})(?:, |$)/g, "$1,\n")
    .replace(/,\n$/, ".");
}

/**
 * Runs the soak as a separate process, so that no other code imports the tests. At Ctrl-C it ends the failure,
 * checks what it has seen, and removes its stack; so it does if this process is killed. Undefined if it was interrupted
 * before it had seen anything.
 */
async function runSoak(options: ChaosOptions): Promise<ChaosReport | undefined> {
  const child = spawn(process.execPath, ["--import", "tsx", program, JSON.stringify(options)], {
    cwd: PROJECT_DIR,
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  interruption.signal.addEventListener("abort", () => child.kill("SIGINT"), { once: true });
  let answer = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    answer += text;
  });
  createInterface({ input: child.stderr }).on("line", (line) => process.stdout.write(`${line}\n`));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const line = answer.trim().split("\n").at(-1) ?? "";
  if (line !== "") return JSON.parse(line) as ChaosReport;
  if (interruption.signal.aborted) return undefined;
  throw new Failure(`The soak ended without a report (exit code ${code}). Its last lines are above.`);
}
