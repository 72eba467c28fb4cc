import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "../command";
import { EXIT_CODES } from "../failure";
import { findHome, PROJECT_DIR } from "../home";
import { prepareHosts } from "../hosts/prepare";
import { interruption } from "../interruption";
import { runSteps } from "../progress";
import { describePulumi, ensurePulumi } from "../toolchain/pulumi";

/** What scripts/reporter.cjs sends when the last test is over. */
interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Quick ones first; what is not named comes after them, in the order of the alphabet. */
const ORDER = ["verify.test.ts", "unit", "scripts", "policy", "payload", "sandbox", "e2e", "hosts"];
/** A test process that stays alive after its last test has left something open. */
const ENDS_WITHIN_MS = 30_000;

export const command: Command = {
  name: "test",
  summary:
    "Runs the tests: npm run verify's checks, unit, policy, payload, API, plugins, and the real engine.",
  details:
    "Arguments go to mocha: files to run in place of all, --grep TEXT. The last line is\n" +
    "`N passed, N failed, N skipped`; each skipped test tells its reason. A run without a test fails.",
  positionals: ["[FILES]"],
  passThrough: true,
  run: ({ positionals }) => runTests(positionals),
};

/** Every test file of the project, quick ones first. */
export function testFiles(dir = join(PROJECT_DIR, "test")): string[] {
  const rank = (file: string) => {
    const index = ORDER.findIndex((name) => file === name || file.startsWith(`${name}/`));
    return index === -1 ? ORDER.length : index;
  };
  return readdirSync(dir, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts"))
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .map((file) => join("test", file));
}

/** What `npm start` gets the first time: minutes that no single test's deadline should have to hold. */
function setUp(): Promise<void> {
  return runSteps([
    {
      title: "Pulumi CLI",
      run: async (report) =>
        describePulumi(await ensurePulumi({ onProgress: report, signal: interruption.signal })),
    },
    {
      title: "Base image of hosts",
      run: async (report) => {
        const decision = await prepareHosts(findHome(), "auto", report, interruption.signal);
        return decision.kind === "hosts" ? "there" : `left out: ${decision.reason}`;
      },
    },
  ]);
}

async function runTests(args: readonly string[]): Promise<number> {
  const namesFiles = args.some((arg) => arg.endsWith(".ts"));
  if (!namesFiles) {
    interruption.listen();
    await setUp();
  }
  const mocha = spawn(
    process.execPath,
    [
      join(PROJECT_DIR, "node_modules", "mocha", "bin", "mocha.js"),
      ...["--reporter", join(PROJECT_DIR, "scripts", "reporter.cjs")],
      ...args,
      ...(namesFiles ? [] : testFiles()),
    ],
    { cwd: PROJECT_DIR, stdio: ["ignore", "inherit", "inherit", "ipc"] },
  );
  // The terminal's Ctrl-C reaches mocha by itself; a signal to this process alone does not.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => mocha.kill(signal));
  const { totals, exitCode, leaked } = await finish(mocha);
  return verdict(totals, exitCode, leaked);
}

function finish(
  mocha: ChildProcess,
): Promise<{ totals: Totals | undefined; exitCode: number; leaked: boolean }> {
  return new Promise((resolve, reject) => {
    let totals: Totals | undefined;
    let leaked = false;
    let timer: NodeJS.Timeout | undefined;
    mocha.on("message", (message) => {
      totals = message as Totals;
      timer = setTimeout(() => {
        leaked = true;
        mocha.kill("SIGKILL");
      }, ENDS_WITHIN_MS);
    });
    mocha.once("error", reject);
    mocha.once("close", (code) => {
      clearTimeout(timer);
      resolve({ totals, exitCode: code ?? EXIT_CODES.error, leaked });
    });
  });
}

function verdict(totals: Totals | undefined, exitCode: number, leaked: boolean): number {
  const problems: string[] = [];
  if (totals === undefined) problems.push(`The tests did not come to their end (exit code ${exitCode}).`);
  else if (totals.passed + totals.failed === 0) problems.push("No test ran.");
  if (leaked)
    problems.push(`The process did not end within ${ENDS_WITHIN_MS / 1000} s after its last test: a leak.`);
  const { passed, failed, skipped } = totals ?? { passed: 0, failed: 0, skipped: 0 };
  if (exitCode !== 0 && failed === 0 && problems.length === 0) problems.push(`mocha ended with ${exitCode}.`);
  for (const problem of problems) process.stdout.write(`Error: ${problem}\n`);
  // What is no test's failure is one all the same: nobody reads further than this line.
  process.stdout.write(`${passed} passed, ${failed + problems.length} failed, ${skipped} skipped\n`);
  return failed + problems.length === 0 ? 0 : EXIT_CODES.error;
}
