/** Files that a user passes in addition to a state: settings of the policies, and the stack's configuration. */
import { parse } from "yaml";
import { isMapping, type Mapping } from "../evidence/config-merge";
import { ConfigurationError } from "../frame/configuration";
import type { PolicyDefinition } from "../frame/definition";
import type { Level } from "../frame/enforcement";
import { checkPackConfiguration } from "../frame/pack-configuration";
import type { PolicySetting } from "./judge";

/** The error in a settings file. It contains no value from the file, so it can be printed. */
export class SettingsError extends Error {}

const levels: readonly string[] = ["mandatory", "advisory", "disabled"];

/**
 * Reads the JSON of `pulumi --policy-pack-config`: policy -> level, or policy -> {enforcementLevel, ...}. The key
 * `all` sets the level of all other policies.
 *
 * @throws SettingsError if it is not JSON, names a policy that the pack does not have, or does not match a policy's
 * schema
 */
export function readPolicySettings(
  text: string,
  definitions: readonly PolicyDefinition[],
): ReadonlyMap<string, PolicySetting> {
  const given = jsonObject(text);
  try {
    checkPackConfiguration(given, definitions);
  } catch (error) {
    if (error instanceof ConfigurationError) throw new SettingsError(error.message);
    throw error;
  }
  const forAll = given.all === undefined ? undefined : levelIn("all", given.all);
  return new Map(
    definitions.map((definition) => [definition.name, settingOf(definition, given[definition.name], forAll)]),
  );
}

function jsonObject(text: string): Mapping {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new SettingsError("it is not JSON");
  }
  if (!isMapping(parsed)) throw new SettingsError("it is not a JSON object");
  return parsed;
}

function settingOf(definition: PolicyDefinition, given: unknown, forAll: Level | undefined): PolicySetting {
  const level = given === undefined ? undefined : levelIn(definition.name, given);
  const { enforcementLevel: _, ...configuration } =
    typeof given === "object" && given !== null ? (given as Record<string, unknown>) : {};
  const set = level ?? forAll;
  return { configuration, ...(set === undefined ? {} : { level: set }) };
}

function levelIn(name: string, given: unknown): Level | undefined {
  const level =
    typeof given === "object" && given !== null
      ? (given as { enforcementLevel?: unknown }).enforcementLevel
      : given;
  if (level === undefined) return undefined;
  if (typeof level === "string" && levels.includes(level)) return level as Level;
  throw new SettingsError(`${name}: the enforcement level must be ${levels.join(", ")}`);
}

/**
 * The plain values in a stack's configuration file (Pulumi.<stack>.yaml), `namespace:key` -> text.
 *
 * @throws SettingsError if it is not YAML of that form
 */
export function readStackConfiguration(text: string): ReadonlyMap<string, string> {
  let parsed: unknown;
  try {
    parsed = parse(text, { logLevel: "error" });
  } catch {
    throw new SettingsError("it is not YAML");
  }
  const config =
    typeof parsed === "object" && parsed !== null ? (parsed as { config?: unknown }).config : undefined;
  if (config === undefined || config === null) return new Map();
  if (typeof config !== "object" || Array.isArray(config))
    throw new SettingsError('its "config" is not a mapping');
  return new Map(
    Object.entries(config).flatMap(([key, value]) =>
      typeof value === "string" || typeof value === "number" || typeof value === "boolean"
        ? [[key, String(value)] as const]
        : [],
    ),
  );
}
