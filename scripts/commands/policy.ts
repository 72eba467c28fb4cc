import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { baselineOf, isDay, readBaseline, withBaseline } from "../../policy/check/baseline";
import { jsonReport } from "../../policy/check/json-report";
import { type Judgment, judgeState, type PolicySetting } from "../../policy/check/judge";
import { junitReport } from "../../policy/check/junit-report";
import { sarifReport } from "../../policy/check/sarif-report";
import { readPolicySettings, readStackConfiguration, SettingsError } from "../../policy/check/settings";
import { type State, StateError } from "../../policy/check/state";
import { readStateOrPlan, TerraformError } from "../../policy/check/terraform";
import { listReport, textReport } from "../../policy/check/text-report";
import { productionStacksFrom, type StackSettings } from "../../policy/frame/stack-settings";
import { mappingReport } from "../../policy/mapping";
import { definitions } from "../../policy/registry";
import type { Command } from "../command";
import type { CommandArguments } from "../commandLine";
import { EXIT_CODES, Failure, usageFailure } from "../failure";
import { PROJECT_DIR } from "../home";

const FORMATS = ["table", "json", "sarif", "junit"] as const;

export const command: Command = {
  name: "policy",
  summary:
    "Checks an existing stack or a Terraform plan with the policy pack, lists the pack's policies, or explains one.",
  details: [
    "  check STATE.json   checks an exported state; - reads it from a pipe, so that no file contains the secrets:",
    "                     pulumi stack export --show-secrets | npm run -s policy -- check -",
    "                     (without --show-secrets, encrypted values count as unknown)",
    "                     also a plan or a state of Terraform or OpenTofu:",
    "                     terraform show -json plan.out | npm run -s policy -- check - --environment production",
    "                     terraform show -json | npm run -s policy -- check - --environment production",
    "  list               prints the policies",
    "  explain POLICY     prints a policy's page",
    "",
    "The exit code of check is 3 if there is a mandatory violation. The levels depend on whether the stack is production:",
    "its name (patterns: SECURED_WEB_PRODUCTION_STACKS, as for the pack), the environment in its Pulumi.<stack>.yaml, or",
    "--environment. A Terraform plan or state has no name, so that it is production only with --environment production.",
  ].join("\n"),
  positionals: ["check|list|explain", "[STATE.json|POLICY]"],
  options: {
    format: { type: "string", value: "FORMAT", doc: `of check: ${FORMATS.join(", ")} (default: table)` },
    output: {
      type: "string",
      value: "FILE",
      doc: "write the result of check to this file instead of stdout",
    },
    environment: {
      type: "string",
      value: "NAME",
      doc: "production or development; overrides the configuration",
    },
    "stack-config": {
      type: "string",
      value: "FILE",
      doc: "the stack's configuration (default: Pulumi.<stack>.yaml)",
    },
    baseline: {
      type: "string",
      value: "FILE",
      doc: "of check: known violations that are accepted, each with a reason and a last day",
    },
    "write-baseline": {
      type: "string",
      value: "FILE",
      doc: "of check: write a baseline of all violations, with --reason and --until",
    },
    reason: { type: "string", value: "TEXT", doc: "of --write-baseline: why the violations are accepted" },
    until: { type: "string", value: "YYYY-MM-DD", doc: "of --write-baseline: the last day" },
    mapping: { type: "boolean", doc: "of list: print the published rules that each policy covers" },
    "policy-config": {
      type: "string",
      value: "FILE",
      doc: "levels and configuration of policies, as JSON in the format of pulumi --policy-pack-config",
    },
  },
  run: async (args) => {
    const [action, subject] = args.positionals;
    if (action === "check") return check(subject, args);
    if (action === "list")
      return print(args.flag("mapping") ? mappingReport(definitions) : listReport(definitions));
    if (action === "explain") return explain(subject);
    throw usageFailure(`policy cannot "${action}"`, "Allowed: check, list, explain.");
  },
};

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function explain(name: string | undefined): number {
  const found = definitions.find((definition) => definition.name === name);
  const names = definitions.map((definition) => definition.name).join(", ");
  if (found === undefined) throw usageFailure(`Unknown policy "${name ?? ""}"`, `Policies: ${names}.`);
  const page = readFileSync(join(PROJECT_DIR, "policy", "policies", found.name, "README.md"), "utf8");
  // The page contains the examples, which are long.
  return print(
    `${page
      .split("\n## Examples")[0]
      ?.replace(/<!--.*?-->\n*/g, "")
      .trimEnd()}\n`,
  );
}

function check(path: string | undefined, args: CommandArguments): number {
  if (path === undefined)
    throw usageFailure("policy check requires a file. Run: npm run policy -- check STATE.json");
  const format = formatOf(args);
  const state = given(path, readInput(path), readStateOrPlan);
  const settings = stackSettings(state, args);
  const policyConfig = args.text("policy-config");
  const policies: ReadonlyMap<string, PolicySetting> =
    policyConfig === undefined
      ? new Map()
      : given(policyConfig, readInput(policyConfig), (text) => readPolicySettings(text, definitions));
  const whole = judgeState(state, definitions, settings, policies);
  const baseline = args.text("baseline");
  const newBaseline = args.text("write-baseline");
  if (newBaseline !== undefined && baseline !== undefined)
    throw usageFailure("--write-baseline and --baseline cannot be used together");
  if (newBaseline !== undefined)
    for (const option of ["output", "format"])
      if (args.text(option) !== undefined)
        throw usageFailure(
          `--write-baseline and --${option} cannot be used together, because it writes no report`,
          `Leave out --${option}, or run the check again without --write-baseline.`,
        );
  if (newBaseline !== undefined) return writeBaseline(whole, newBaseline, args);
  for (const option of ["reason", "until"])
    if (args.text(option) !== undefined) throw usageFailure(`--${option} requires --write-baseline`);
  const exceptions =
    baseline === undefined
      ? []
      : given(baseline, readInput(baseline), (text) => readBaseline(text, definitions));
  const judgment = withBaseline(whole, exceptions, new Date().toISOString().slice(0, 10));
  const report = render(judgment, format, path);
  const output = args.text("output");
  if (output === undefined) process.stdout.write(report);
  else writeFileSync(output, report);
  const refused = judgment.findings.some(({ level }) => level === "mandatory");
  return refused ? EXIT_CODES.refusedByPolicy : 0;
}

/** An existing file is not replaced: its reasons and days are an operator's. */
function writeBaseline(judgment: Judgment, file: string, args: CommandArguments): number {
  const [reason, until] = [args.text("reason") ?? "", args.text("until") ?? ""];
  if (reason.trim() === "") throw usageFailure("--write-baseline requires --reason TEXT");
  if (!isDay(until))
    throw usageFailure("--write-baseline requires --until with a day in the form YYYY-MM-DD");
  if (existsSync(file)) throw usageFailure(`${file} exists`, "Choose another file, or remove this one.");
  writeFileSync(file, baselineOf(judgment, reason, until), { flag: "wx" });
  return print(`${file} accepts ${judgment.findings.length} violations until ${until}.\n`);
}

function formatOf(args: CommandArguments): (typeof FORMATS)[number] {
  const format = FORMATS.find((one) => one === (args.text("format") ?? "table"));
  if (format === undefined)
    throw usageFailure(`--format: expected ${FORMATS.join(", ")}, got "${args.text("format")}"`);
  return format;
}

function render(judgment: Judgment, format: (typeof FORMATS)[number], path: string): string {
  const version = (
    JSON.parse(readFileSync(join(PROJECT_DIR, "policy", "package.json"), "utf8")) as { version: string }
  ).version;
  switch (format) {
    case "json":
      return jsonReport(judgment);
    case "sarif":
      return sarifReport(
        judgment,
        { name: "secured-web", version },
        path === "-" ? "state.json" : relative(".", path),
      );
    case "junit":
      return junitReport(judgment);
    default:
      return textReport(judgment);
  }
}

function readInput(path: string): string {
  try {
    return readFileSync(path === "-" ? 0 : path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why =
      code === "ENOENT"
        ? "there is no such file"
        : code === "EISDIR"
          ? "it is a folder"
          : `it cannot be read (${code})`;
    throw usageFailure(`${path}: ${why}`);
  }
}

const terraformRemedy =
  "With Terraform: terraform show -json | npm run -s policy -- check -\nFor a plan: terraform show -json plan.out | npm run -s policy -- check -";

/** Reads a file's text. The error contains the file's name. */
function given<T>(path: string, text: string, read: (text: string) => T): T {
  try {
    return read(text);
  } catch (error) {
    if (error instanceof TerraformError) {
      throw new Failure(`${path} is not a Terraform plan or state in JSON: ${error.message}`, {
        exitCode: EXIT_CODES.usage,
        remedy: terraformRemedy,
      });
    }
    if (error instanceof StateError) {
      throw new Failure(`${path} is not an exported state: ${error.message}`, {
        exitCode: EXIT_CODES.usage,
        remedy: `Export the state through a pipe: pulumi stack export --show-secrets | npm run -s policy -- check -\n${terraformRemedy}`,
      });
    }
    if (error instanceof SettingsError) throw usageFailure(`${path}: ${error.message}`);
    throw error;
  }
}

function stackSettings(state: State, args: CommandArguments): StackSettings {
  const environment = args.text("environment");
  if (environment !== undefined) {
    if (environment !== "production" && environment !== "development")
      throw usageFailure(`--environment: expected production or development, got "${environment}"`);
    // The value given here overrides the stack's name and the patterns of names.
    return { stack: "-", config: new Map([["secured-web:environment", environment]]), productionStacks: [] };
  }
  if (state.terraform !== undefined) {
    if (args.text("stack-config") !== undefined)
      throw usageFailure(
        `--stack-config is for Pulumi stacks, and this is a Terraform ${state.terraform.kind}`,
        "Use --environment production, or --environment development.",
      );
    return { stack: state.stack, config: new Map(), productionStacks: [] };
  }
  const named = { stack: state.stack, ...productionStacksFrom(process.env) };
  const file = args.text("stack-config") ?? `Pulumi.${state.stack}.yaml`;
  if (args.text("stack-config") === undefined && !existsSync(file)) return named;
  return { ...named, config: given(file, readInput(file), readStackConfiguration) };
}
