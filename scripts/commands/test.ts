import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { HOST_PACKAGES, packageAccess, readPackages } from "../../sandbox/hosts/packages.mjs";
import { hostParts, missingForHosts, prepareCollector, prepareSpaces } from "../../sandbox/index";
import type { Command } from "../command";
import { EXIT_CODES } from "../failure";
import { findHome, PROJECT_DIR } from "../home";
import { wayToHosts } from "../hosts/elsewhere.mjs";
import { interruption } from "../interruption";
import { agreeOnPackages, isSet, packageSteps, YES_OPTION } from "../packages";
import { runSteps, type Step } from "../progress";
import { describePulumi, ensurePulumi } from "../toolchain/pulumi";

/** The message that scripts/reporter.cjs sends after the last test. */
interface Totals {
  readonly passed: number;
  readonly failed: number;
  /** Full titles. */
  readonly skipped: readonly string[];
  /** The failures in full; empty if there are none. */
  readonly report: string;
  readonly interrupted: boolean;
}

const TEST_TOOLS = readPackages(join(PROJECT_DIR, "test", "tools.json"));

/** Fast tests first. Files that are not listed follow in alphabetical order. */
const ORDER = ["verify.test.ts", "unit", "scripts", "policy", "payload", "sandbox", "e2e", "hosts"];
/** A test process that keeps running after its last test has left something open. */
const ENDS_WITHIN_MS = 30_000;

export const command: Command = {
  name: "test",
  summary:
    "Runs the tests: npm run verify's checks, unit, policy, payload, API, plugins, and the real engine.",
  details: `Arguments go to mocha: files to run instead of all, --grep TEXT. The last line is
\`N passed, N failed, N skipped\`; each skipped test prints its reason. A run without tests fails.
Before the tests, it offers to install the Debian packages that they need. With --yes or CI set, it installs them
without asking. In CI only the tests in test/allowedSkips.json may be skipped.`,
  positionals: ["[FILES]"],
  passThrough: true,
  options: { yes: YES_OPTION },
  run: ({ positionals }) =>
    runTests(
      positionals.filter((arg) => arg !== "--yes"),
      positionals.includes("--yes"),
    ),
};

/** All test files of the project, fast ones first. */
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

/** Downloads of the first `npm start`, which take longer than a single test's timeout. */
async function setUp(yes: boolean): Promise<void> {
  const agreed = await agreeOnPackages(
    {
      purpose: "Tests whose tools are missing are skipped.",
      wanted: [...(wayToHosts() === undefined ? HOST_PACKAGES : []), ...TEST_TOOLS],
      yesCommand: "npm test -- --yes",
    },
    { yes },
  );
  return runSteps([
    ...packageSteps(agreed),
    {
      title: "What is made once",
      together: [
        {
          title: "Pulumi CLI",
          run: async (report, signal) => describePulumi(await ensurePulumi({ onProgress: report, signal })),
        },
        {
          title: "S3 server of Spaces",
          run: (report, signal) => orLeftOut(signal, () => prepareSpaces(report)),
        },
        ...hostParts(findHome()).map(({ title, make }) => ifHosts(title, make)),
        ifHosts("Collector of hosts", prepareCollector),
      ],
    },
  ]);
}

function ifHosts(title: string, make: Step["run"]): Step {
  return {
    title,
    run: async (report, signal) => {
      const { reasons } = await missingForHosts();
      if (reasons.length > 0) return `left out: ${reasons.join("; ")}`;
      return orLeftOut(signal, () => make(report, signal));
    },
  };
}

/** A test that needs a missing part reports it, so nothing fails here. */
async function orLeftOut(signal: AbortSignal, make: () => Promise<string>): Promise<string> {
  return make().catch((error: unknown) => {
    signal.throwIfAborted();
    return `left out: ${error instanceof Error ? error.message : String(error)}`;
  });
}

/** How the tests of one mocha process ended. */
interface Ended {
  readonly totals: Totals | undefined;
  readonly exitCode: number;
  readonly leaked: boolean;
}

async function runTests(args: readonly string[], yes: boolean): Promise<number> {
  interruption.listen();
  if (args.some((arg) => arg.endsWith(".ts"))) return verdict([await start(args, "inherit").ended]);
  await setUp(yes);
  const files = testFiles();
  // The output of each process is printed after that of the one before.
  let shown = Promise.resolve<readonly Ended[]>([]);
  const running = new Set<Promise<Ended>>();
  for (const group of GROUPS) {
    if (running.size === AT_ONCE) await Promise.race(running);
    if (interruption.signal.aborted) break;
    const own = files.filter((file) => groupOf(file) === group);
    const mocha = start([...args, ...own], group === GROUPS[0] ? "inherit" : "pipe");
    const ended = mocha.ended.finally(() => running.delete(ended));
    running.add(ended);
    shown = shown.then(async (before) => {
      mocha.show();
      return [...before, await ended];
    });
  }
  return verdict(await shown);
}

/**
 * One mocha process for each, started in this order. Proofs and commands boot more hosts, so they come after the tests
 * on the shared ones.
 */
const GROUPS = ["others", "hosts", "engine", "sandbox", "proofs", "commands"] as const;
/** How many of them run at once. */
const AT_ONCE = 3;

function groupOf(file: string): (typeof GROUPS)[number] {
  const isIn = (...path: string[]) => file.startsWith(join("test", ...path));
  if (isIn("e2e")) return "engine";
  if (isIn("sandbox")) return "sandbox";
  if (isIn("hosts", "proofs")) return "proofs";
  if (["command", "monitored", "operators", "start"].some((name) => isIn("hosts", `${name}.test.ts`)))
    return "commands";
  return isIn("hosts") ? "hosts" : "others";
}

/** Starts mocha. Its output is shown at once (`inherit`), or after `show` is called (`pipe`). */
function start(args: readonly string[], output: "inherit" | "pipe"): { ended: Promise<Ended>; show(): void } {
  const mocha = spawn(
    process.execPath,
    [
      join(PROJECT_DIR, "node_modules", "mocha", "bin", "mocha.js"),
      ...["--reporter", join(PROJECT_DIR, "scripts", "reporter.cjs")],
      ...args,
    ],
    { cwd: PROJECT_DIR, stdio: ["ignore", output, output, "ipc"] },
  );
  // Ctrl-C in the terminal reaches mocha directly. A signal to this process only does not.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => mocha.kill(signal));
  const held: Buffer[] = [];
  let hold = (chunk: Buffer) => void held.push(chunk);
  for (const stream of [mocha.stdout, mocha.stderr]) stream?.on("data", (chunk: Buffer) => hold(chunk));
  return {
    ended: finish(mocha),
    show: () => {
      hold = (chunk) => void process.stdout.write(chunk);
      for (const chunk of held) process.stdout.write(chunk);
    },
  };
}

function finish(mocha: ChildProcess): Promise<Ended> {
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

async function verdict(all: readonly Ended[]): Promise<number> {
  const problems = [...all.flatMap(problemsOf), ...(await forbiddenSkips(all))];
  const sum = (of: (totals: Totals) => number) =>
    all.reduce((total, { totals }) => total + (totals === undefined ? 0 : of(totals)), 0);
  const passed = sum((totals) => totals.passed);
  const failed = sum((totals) => totals.failed);
  if (passed + failed + problems.length === 0) problems.push("Expected at least one test, none ran.");
  for (const { totals } of all) process.stdout.write(totals?.report ?? "");
  for (const problem of problems) process.stdout.write(`Error: ${problem}\n`);
  const failures = failed + problems.length;
  // Without a failed test, a failed run still counts as one failure, because a reader may only look at this line.
  process.stdout.write(
    `${passed} passed, ${failures} failed, ${sum((totals) => totals.skipped.length)} skipped\n`,
  );
  return failures === 0 ? 0 : EXIT_CODES.error;
}

interface AllowedSkip {
  /** Its full title. */
  readonly test: string;
  readonly reason: string;
}

/**
 * In CI, on a machine that can install packages, a skipped test means that a tool is missing from the list. The run
 * fails, unless test/allowedSkips.json gives the reason.
 */
async function forbiddenSkips(all: readonly Ended[]): Promise<string[]> {
  if (!isSet(process.env.CI) || (await packageAccess()).problem !== undefined) return [];
  const file = join(PROJECT_DIR, "test", "allowedSkips.json");
  const allowed = JSON.parse(readFileSync(file, "utf8")) as AllowedSkip[];
  return all
    .flatMap(({ totals }) => totals?.skipped ?? [])
    .filter((title) => !allowed.some(({ test }) => test === title))
    .map((title) => `Skipped in CI, but not listed in test/allowedSkips.json: ${title}`);
}

function problemsOf({ totals, exitCode, leaked }: Ended): string[] {
  const problems: string[] = [];
  if (totals?.interrupted) problems.push("The tests were interrupted, and have removed what they created.");
  if (totals === undefined) problems.push(`The tests did not finish (exit code ${exitCode}).`);
  if (leaked)
    problems.push(
      `The process was still running ${ENDS_WITHIN_MS / 1000} s after its last test, so a test leaks a handle.`,
    );
  if (exitCode !== 0 && totals?.failed === 0 && !leaked)
    problems.push(`mocha failed with exit code ${exitCode}.`);
  return problems;
}
