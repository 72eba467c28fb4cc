import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "../../../scripts/processes";
import { ACCEPTED_FAILURES } from "./acceptedFailures";

const DESCRIPTION = join(__dirname, "..", "reference", "digitalocean-openapi.json");
/** The same requests at each run of the same version. */
const SEED = "1";

export interface SchemathesisRun {
  /** schemathesis's Python. */
  readonly python: string;
  readonly url: string;
  readonly token: string;
  /** For its report. */
  readonly folder: string;
  /** All phases until so many seconds are over; without it, the same few requests for each operation. */
  readonly seconds: number | undefined;
  readonly limitMs: number;
}

export interface Failure {
  readonly operation: string;
  readonly failure: string;
}

export interface SchemathesisReport {
  readonly operations: number;
  readonly requests: number;
  readonly failures: readonly Failure[];
  /** What kept it from testing an operation. */
  readonly errors: readonly string[];
  /** All that it printed: for a failure that nobody expects. */
  readonly text: string;
}

interface JsonReport {
  readonly operations: { readonly tested: number };
  readonly test_cases: { readonly generated: number };
  readonly failures: readonly { readonly type: string; readonly operations: readonly string[] }[];
  readonly errors: readonly { readonly title: string }[];
}

/** Sends requests that fit DigitalOcean's description, and some that do not, and judges each answer by it. */
export async function runSchemathesis(run: SchemathesisRun): Promise<SchemathesisReport> {
  const extent =
    run.seconds === undefined
      ? ["--phases", "coverage,fuzzing", "--max-examples", "5", "--generation-deterministic"]
      : ["--max-time", String(run.seconds), "--seed", SEED, "--generation-database", "none"];
  const args = [
    ...["-m", "schemathesis.cli", "run", DESCRIPTION, "--url", run.url],
    ...["--header", `Authorization: Bearer ${run.token}`, "--continue-on-failure", "--warnings", "off"],
    ...["--no-color", "--report", "json", "--report-dir", run.folder, "--workers", "1", ...extent],
  ];
  const env = { PATH: process.env.PATH, HOME: run.folder, PYTHONUTF8: "1" };
  const options = { cwd: run.folder, env, timeoutMs: run.limitMs };
  const { exitCode, stdout, stderr } = await runProgram(run.python, args, options);
  const text = `${stdout}\n${stderr}`;
  const file = (await readdir(run.folder)).find((name) => name.startsWith("json-"));
  // 1: it has found failures, which the report names.
  if (file === undefined || exitCode > 1) {
    throw new Error(`schemathesis ended with ${exitCode} and without a report:\n${text.slice(-4000)}`);
  }
  const report = JSON.parse(await readFile(join(run.folder, file), "utf8")) as JsonReport;
  return {
    operations: report.operations.tested,
    requests: report.test_cases.generated,
    failures: report.failures.flatMap(({ type, operations }) =>
      operations.map((operation) => ({ operation, failure: type })),
    ),
    errors: report.errors.map(({ title }) => title),
    text,
  };
}

/** The failures that acceptedFailures.ts does not explain, each with what schemathesis tells of it. */
export function unexplained({ failures, text }: SchemathesisReport): string[] {
  const isAccepted = ({ operation, failure }: Failure) =>
    ACCEPTED_FAILURES.some((one) => one.operation === operation && one.failure === failure);
  return failures
    .filter((one) => !isAccepted(one))
    .map((one) => `${one.failure}: ${one.operation}\n${sectionOf(text, one.operation)}`);
}

/** `___ GET /v2/tags ___`, up to the next such line. */
function sectionOf(text: string, operation: string): string {
  const sections = text.split(/^(?=_{3,} .* _{3,}$)/m);
  const [found = ""] = sections.filter((section) => section.split("\n")[0]?.includes(` ${operation} `));
  return found.split(/^={3,}/m)[0] ?? "";
}
