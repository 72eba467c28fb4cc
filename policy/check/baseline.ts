/**
 * A baseline: violations that a team knows and accepts until a day, each with a reason. It does not hide them: every
 * report lists them, and after the day they count again.
 */
import { parse, stringify } from "yaml";
import { isMapping } from "../evidence/config-merge";
import { ConfigurationError } from "../frame/configuration";
import type { PolicyDefinition } from "../frame/definition";
import { checkPolicyName } from "../frame/pack-configuration";
import type { Exception, Finding, Judgment } from "./judge";
import { SettingsError } from "./settings";

const fields = ["policy", "resource", "message", "reason", "until"];

/**
 * Reads a baseline: YAML or JSON, a list of exceptions.
 *
 * @throws SettingsError if it has another form, or names a policy that the pack does not have
 */
export function readBaseline(text: string, definitions: readonly PolicyDefinition[]): readonly Exception[] {
  let parsed: unknown;
  try {
    parsed = parse(text, { logLevel: "error" });
  } catch {
    throw new SettingsError("it is not YAML");
  }
  if (parsed === null || parsed === undefined) return [];
  if (!Array.isArray(parsed)) throw new SettingsError("it is not a list of exceptions");
  const names = definitions.map(({ name }) => name);
  return parsed.map((item, index) => exceptionOf(item, `exception ${index + 1}`, names));
}

function exceptionOf(item: unknown, place: string, names: readonly string[]): Exception {
  if (!isMapping(item)) throw new SettingsError(`${place} is not a mapping with ${fields.join(", ")}`);
  if (Object.keys(item).some((key) => !fields.includes(key)))
    throw new SettingsError(`${place} has another field than ${fields.join(", ")}`);
  const text = (key: string): string => {
    const value = item[key];
    if (typeof value === "string" && value.trim() !== "") return value;
    throw new SettingsError(`${place}: "${key}" is missing or not a text`);
  };
  if (text("policy") === "all") throw new SettingsError(`${place}: an exception is for one policy`);
  try {
    checkPolicyName(text("policy"), names);
  } catch (error) {
    if (error instanceof ConfigurationError) throw new SettingsError(`${place}: ${error.message}`);
    throw error;
  }
  if (!isDay(text("until"))) throw new SettingsError(`${place}: "until" is not a day in the form YYYY-MM-DD`);
  const message = item.message === undefined ? {} : { message: text("message") };
  return {
    policy: text("policy"),
    resource: text("resource"),
    ...message,
    reason: text("reason"),
    until: text("until"),
  };
}

/** True for a day of the calendar, `YYYY-MM-DD`. */
export function isDay(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`);
  return (
    /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
  );
}

/**
 * Takes the accepted violations out of the findings.
 *
 * @param today `YYYY-MM-DD`
 */
export function withBaseline(judgment: Judgment, exceptions: readonly Exception[], today: string): Judgment {
  const matches = exceptions.map((exception) => ({
    exception,
    findings: judgment.findings.filter((finding) => isMatch(exception, finding)),
  }));
  const accepted = matches.filter(
    ({ exception, findings }) => exception.until >= today && findings.length > 0,
  );
  const taken = new Set(accepted.flatMap(({ findings }) => findings));
  return {
    ...judgment,
    findings: judgment.findings.filter((finding) => !taken.has(finding)),
    exceptions: {
      accepted,
      ended: matches.filter(({ exception, findings }) => exception.until < today && findings.length > 0),
      unused: matches.filter(({ findings }) => findings.length === 0).map(({ exception }) => exception),
    },
  };
}

function isMatch({ policy, resource, message }: Exception, finding: Finding): boolean {
  return (
    policy === finding.policy.name &&
    (resource === finding.resource.name || resource === finding.resource.urn) &&
    (message === undefined || message === finding.message)
  );
}

/** The text of a baseline that accepts all violations. */
export function baselineOf({ findings }: Judgment, reason: string, until: string): string {
  const exceptions: readonly Exception[] = findings.map(({ policy, resource, message }) => ({
    policy: policy.name,
    resource: resource.name,
    message,
    reason,
    until,
  }));
  return stringify(exceptions, { lineWidth: 0 });
}
