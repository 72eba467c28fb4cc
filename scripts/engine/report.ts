import { EXIT_CODES, Failure } from "../failure";
import { describeResource, type Journal, type Problem, parseUrn, type Violation } from "./journal";
import { EngineError } from "./pulumiProcess";

/** The refusal by policies, in full. Undefined when no mandatory policy was violated. */
export function policyFailure(journal: Journal, stack: string, dryRun: boolean): Failure | undefined {
  const refusals = journal.violations.filter(({ mandatory }) => mandatory);
  if (refusals.length === 0) return undefined;
  const names = [...new Set(refusals.map(({ policy }) => policy))].sort();
  return new Failure(
    `The stack ${stack} is refused by ${names.length === 1 ? "the policy" : "the policies"} ${names.join(", ")}.${dryRun ? " Nothing was changed." : ""}\n${describeViolations(refusals)}`,
    { exitCode: EXIT_CODES.refusedByPolicy, remedy: "policy/README.md tells what each policy asks for." },
  );
}

function describeViolations(violations: readonly Violation[]): string {
  const policies = [...new Set(violations.map(({ policy }) => policy))].sort();
  return policies
    .map((name) =>
      describePolicy(
        name,
        violations.filter(({ policy }) => policy === name),
      ),
    )
    .join("\n");
}

/** A policy's violations, its description once. The engine puts it before each message. */
function describePolicy(policy: string, violations: readonly Violation[]): string {
  const [description = ""] = violations[0]?.message.split("\n") ?? [];
  const lines = violations.map(({ message, urn }) => {
    const own = message.startsWith(`${description}\n`) ? message.slice(description.length + 1) : message;
    const named =
      urn === undefined || own.includes(parseUrn(urn).name) ? own : `${describeResource(urn)}: ${own}`;
    return named.replace(/\n/g, "\n        ");
  });
  return [`  [${policy}] ${description}`, ...lines.map((line) => `      - ${line}`)].join("\n");
}

/** Advisory violations and warnings, one line each at least. */
export function describeWarnings(journal: Journal): string[] {
  const advice = journal.violations.filter(({ mandatory }) => !mandatory);
  return [
    ...(advice.length === 0 ? [] : [describeViolations(advice)]),
    ...journal.warnings.map((problem) => `warning: ${describeProblem(problem)}`),
  ];
}

/** Turns what the engine said into a Failure: the resource, the message, and the remedy where it is known. */
export function engineFailure(error: unknown, journal: Journal, action: string): unknown {
  if (!(error instanceof EngineError)) return error;
  const told = journal.errors.filter(({ message }) => !isEcho(message));
  const problems = told.length > 0 ? told.map(describeProblem) : [reduce(error)];
  const everything = [...problems, error.stderr, error.stdout].join("\n");
  const remedy = REMEDIES.find(({ sign }) => sign.test(everything))?.remedy;
  return new Failure(`${action} failed:\n${problems.join("\n").replace(/^/gm, "  ")}`, {
    ...(remedy === undefined ? {} : { remedy }),
    cause: error,
  });
}

function describeProblem({ urn, message }: Problem): string {
  const what = message.replace(/^error serializing property "\w+": /, "");
  return urn === undefined || parseUrn(urn).type === "pulumi:pulumi:Stack"
    ? what
    : `${describeResource(urn)}: ${what}`;
}

/** Lines the engine adds that repeat what a diagnostic before them said. */
function isEcho(message: string): boolean {
  return /^(update|preview|resource \w+) failed$|context canceled$|^an unhandled error occurred: Program exited|^One or more errors occurred/i.test(
    message,
  );
}

/** For an error without diagnostics: its `error:` lines. */
function reduce({ stderr, stdout, exitCode }: EngineError): string {
  const lines = `${stderr}\n${stdout}`.split("\n").filter((line) => /^\s*error:/.test(line));
  return (
    lines.map((line) => line.replace(/^\s*error:\s*/, "")).join("\n") ||
    stderr.trim() ||
    `pulumi ended with ${exitCode}`
  );
}

const REMEDIES: readonly { sign: RegExp; remedy: string }[] = [
  {
    sign: /incorrect passphrase|passphrase must be set/i,
    remedy:
      "The passphrase file does not fit the stack's state. Put the former one back, or throw the sandbox away: npm stop -- --force.",
  },
  {
    sign: /no space left on device|ENOSPC|disk quota exceeded/i,
    remedy: "The disk is full. Free some space, then repeat the command: it goes on from what is recorded.",
  },
  // Before the network's: a download that fails tells of both.
  {
    sign: /no resource plugin|could not load plugin|\[resource plugin |(install|download)(ing)? (plugin|provider)|unable to (find|download).*plugin/i,
    remedy:
      "The engine could not load or download a Pulumi plugin. `npm run doctor` names it. Sandbox: SECURED_WEB_PLUGINS=standin uses the sandbox's own.",
  },
  {
    sign: /ECONNREFUSED|connection refused|fetch failed|no such host|ENOTFOUND|ECONNRESET|socket hang up/i,
    remedy:
      "The DigitalOcean API does not answer. Sandbox: `npm start` starts it again. Real account: check the network, then repeat.",
  },
  {
    sign: /\b401\b|Unable to authenticate|Unauthorized/i,
    remedy:
      "The API refuses the token. Sandbox: npm stop, then npm start. Real account: make a new token and set DIGITALOCEAN_TOKEN.",
  },
  {
    sign: /resource is protected|protect(ed)? bit|cannot be deleted.*protect/is,
    remedy:
      "Protected resources are deleted only when asked for by name: add --unprotect (sandbox), or set secured-web:database.protect to false and run up first.",
  },
  {
    sign: /currently locked by/i,
    remedy:
      "Another Pulumi command works on this stack. Wait for its end, or run `pulumi cancel` if it is dead.",
  },
  {
    sign: /pending operation/i,
    remedy:
      "A former run was ended in the middle. Run `pulumi refresh`, which asks what became of each, then repeat.",
  },
];
