import { EXIT_CODES, Failure } from "../failure";
import { describeResource, type Journal, type Problem, parseUrn, type Violation } from "./journal";
import { EngineError } from "./pulumiProcess";

/** The full text of a refusal by policies. Undefined if no mandatory policy was violated. */
export function policyFailure(journal: Journal, stack: string, dryRun: boolean): Failure | undefined {
  const refusals = journal.violations.filter(({ mandatory }) => mandatory);
  if (refusals.length === 0) return undefined;
  const names = [...new Set(refusals.map(({ policy }) => policy))].sort();
  return new Failure(
    `${names.length === 1 ? "the policy" : "the policies"} ${names.join(", ")} refused the stack ${stack}.${dryRun ? " Nothing was changed." : ""}
${describeViolations(refusals)}`,
    { exitCode: EXIT_CODES.refusedByPolicy, remedy: "policy/README.md describes each policy." },
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

/** The violations of a policy, with its description once. The engine puts it before each message. */
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

/** Advisory violations and warnings, one line each. */
export function describeWarnings(journal: Journal): string[] {
  const advice = journal.violations.filter(({ mandatory }) => !mandatory);
  return [
    ...(advice.length === 0 ? [] : [describeViolations(advice)]),
    ...journal.warnings.map((problem) => `warning: ${describeProblem(problem)}`),
  ];
}

/** Converts the engine's messages into a Failure: the resource, the message, and the remedy if it is known. */
export function engineFailure(error: unknown, journal: Journal, action: string): unknown {
  if (!(error instanceof EngineError)) return error;
  const told = journal.errors.filter(({ message }) => !isEcho(message));
  const problems = told.length > 0 ? describeProblems(told) : [reduce(error)];
  const everything = [...problems, error.stderr, error.stdout].join("\n");
  const remedy = REMEDIES.find(({ sign }) => sign.test(everything))?.remedy;
  return new Failure(`${action} failed:\n${problems.join("\n").replace(/^/gm, "  ")}`, {
    ...(remedy === undefined ? {} : { remedy }),
    cause: error,
  });
}

/** One text for each message. The same message of several resources appears once. */
function describeProblems(problems: readonly Problem[]): string[] {
  const byMessage = new Map<string, string[]>();
  for (const { urn, message } of problems) {
    const what = withoutWrapping(message);
    const names = byMessage.get(what) ?? [];
    byMessage.set(what, urn === undefined || isInternal(urn) ? names : [...names, describeResource(urn)]);
  }
  return [...byMessage].map(([what, names]) =>
    names.length === 0 ? what : `${names.sort().join(", ")}: ${what}`,
  );
}

function describeProblem(problem: Problem): string {
  return describeProblems([problem]).join("");
}

/** The stack itself, or a Stash: both are not part of the infrastructure, and their messages name their subject. */
function isInternal(urn: string): boolean {
  return ["pulumi:pulumi:Stack", "pulumi:index:Stash"].includes(parseUrn(urn).type);
}

/** The message without what the engine puts before it. */
function withoutWrapping(message: string): string {
  return message.replace(
    /^error serializing property "\w+": |^(Preview failed: )?before hook "[\w.-]+" failed: /,
    "",
  );
}

/** Lines of the engine that repeat an earlier diagnostic. */
function isEcho(message: string): boolean {
  return /^(update|preview|resource \w+) failed$|context canceled$|^an unhandled error occurred: Program exited|^One or more errors occurred/i.test(
    message,
  );
}

/** For an error without diagnostics: its `error:` lines, and who holds the locks that it names. */
function reduce({ stderr, stdout, exitCode }: EngineError): string {
  const lines = `${stderr}\n${stdout}`.split("\n").flatMap((line) => {
    const [, text] =
      /^\s*error:\s*(.*)/.exec(line) ?? /^\s*\S+: (created by .+ \(pid \d+\) at .+)/.exec(line) ?? [];
    return text ?? [];
  });
  return lines.join("\n") || stderr.trim() || `pulumi ended with ${exitCode}`;
}

const REMEDIES: readonly { sign: RegExp; remedy: string }[] = [
  {
    sign: /incorrect passphrase|passphrase must be set/i,
    remedy:
      "The passphrase file does not match the stack's state. Restore the previous file, or delete the sandbox: npm stop -- --force.",
  },
  {
    sign: /no space left on device|ENOSPC|disk quota exceeded/i,
    remedy:
      "The disk is full. Free some space, then run the command again. It continues from the recorded state.",
  },
  {
    sign: /: (undone|refused) at \w+/,
    remedy:
      "The hosts behind this one are unchanged. Correct the setting, or the cause if it is elsewhere (a package mirror was down), then run the command again. It tries the release again, even if no setting has changed.",
  },
  // Checked before network errors, because a failed download reports both.
  {
    sign: /no resource plugin|could not load plugin|\[resource plugin |(install|download)(ing)? (plugin|provider)|unable to (find|download).*plugin/i,
    remedy:
      "The engine could not load or download a Pulumi plugin. `npm run doctor` shows which. In the sandbox, SECURED_WEB_PLUGINS=standin uses the stand-ins.",
  },
  {
    sign: /ECONNREFUSED|connection refused|fetch failed|no such host|ENOTFOUND|ECONNRESET|socket hang up/i,
    remedy:
      "The DigitalOcean API does not answer. In the sandbox, start it: npm start. With a real account, check the network and run the command again.",
  },
  {
    sign: /\b401\b|Unable to authenticate|Unauthorized/i,
    remedy:
      "The API rejects the token. In the sandbox, run npm stop, then npm start. With a real account, create a new token and set DIGITALOCEAN_TOKEN.",
  },
  {
    sign: /resource is protected|protect(ed)? bit|cannot be deleted.*protect/is,
    remedy:
      "To delete protected resources, run: npm run destroy -- STACK --unprotect (docs/operations.md, with Pulumi only too).",
  },
  {
    sign: /currently locked by/i,
    remedy:
      "Another Pulumi command is working on this stack. Wait until it ends. If it is dead, run: pulumi cancel",
  },
  {
    sign: /pending operation/i,
    remedy:
      "An earlier run was interrupted. Run `pulumi refresh`, which checks the interrupted operations, then run the command again.",
  },
];
