/**
 * Reads settings with the table: from Pulumi's configuration (`parseConfig`) or from a component's arguments
 * (`completeConfig`). Pure. Throws one ConfigError with all errors.
 */
import { ConfigError } from "./configError";
import { contradictions } from "./contradictions";
import { type Environment, NotAllowed, parseJson, type Setting, WrongParts } from "./kinds";
import { nearestName } from "./suggestion";
import { optionalPaths, projectName, table } from "./table";
import type { Config, Settings } from "./types";

/**
 * Raw settings by full key ("secured-web:web"), as the engine passes them: plain text, or JSON for structured ones.
 */
export type RawConfig = Readonly<Record<string, string>>;

/** Says whether a raw key is stored encrypted. */
export type IsSecret = (key: string) => boolean;

const paths = Object.keys(table);

/**
 * The values of a stack's settings.
 *
 * @param raw all configuration of the stack; keys of other namespaces are ignored
 * @param isSecret says whether a key is stored encrypted (secrets in plain text are refused)
 * @throws ConfigError with all errors at once
 */
export function parseConfig(raw: RawConfig, isSecret: IsSecret = () => true): Config {
  const own = Object.entries(raw).filter(([key]) => key.startsWith(`${projectName}:`));
  return readByTable(
    own.map(([key, value]) => [key.slice(projectName.length + 1), value]),
    isSecret,
  );
}

/**
 * The settings that a program passes, with the defaults of all others.
 *
 * @throws ConfigError with all errors at once
 */
export function completeConfig(settings: Settings): Config {
  return readByTable(Object.entries(settings), () => true);
}

function readByTable(settings: readonly (readonly [string, unknown])[], isSecret: IsSecret): Config {
  const { given, problems } = byPath(settings);
  const values = new Map<string, unknown>();
  const environment: Environment = given.get("environment") === "production" ? "production" : "development";
  for (const [path, setting] of Object.entries<Setting<unknown>>(table)) {
    const rawValue = given.get(path);
    if (rawValue === undefined) {
      const value = setting.defaultFor(environment);
      if (value !== undefined) values.set(path, value);
      else if (!isOptional(path)) problems.push(missing(path, setting));
      continue;
    }
    const key = `${projectName}:${path.split(".")[0]}`;
    const value = setting.read(rawValue);
    if (value instanceof NotAllowed) problems.push(notAllowed(path, setting, rawValue));
    else if (value instanceof WrongParts)
      problems.push(...value.parts.map(({ where, problem }) => `${projectName}:${path}${where}: ${problem}`));
    else if (setting.secret && !isSecret(key)) problems.push(notEncrypted(path));
    else values.set(path, value);
  }
  const config = nested(values);
  if (problems.length === 0) problems.push(...contradictions(config));
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** Values by path, and errors in the names. The value of a group is an object, or its JSON. */
function byPath(settings: readonly (readonly [string, unknown])[]): {
  given: Map<string, unknown>;
  problems: string[];
} {
  const given = new Map<string, unknown>();
  const problems: string[] = [];
  for (const [top, value] of settings) {
    if (value === undefined) continue;
    const inner = paths.filter((path) => path.startsWith(`${top}.`));
    if (paths.includes(top)) {
      given.set(top, value);
    } else if (inner.length > 0) {
      const group = typeof value === "string" ? parseJson(value) : value;
      if (typeof group !== "object" || group === null || Array.isArray(group)) {
        const keys = inner.map((path) => path.slice(top.length + 1));
        problems.push(`${projectName}:${top}: expected an object with the keys ${keys.join(", ")}`);
        continue;
      }
      for (const [name, innerValue] of Object.entries(group)) {
        if (inner.includes(`${top}.${name}`)) given.set(`${top}.${name}`, innerValue);
        else problems.push(unknownSetting(`${top}.${name}`));
      }
    } else {
      problems.push(unknownSetting(top));
    }
  }
  return { given, problems };
}

/** The values with one level for each dot. A group exists even if none of its settings has a value. */
function nested(values: ReadonlyMap<string, unknown>): Config {
  const config: Record<string, unknown> = {};
  for (const path of paths) {
    const [top = "", inner] = path.split(".");
    if (inner === undefined) {
      if (values.has(path)) config[top] = values.get(path);
      continue;
    }
    config[top] ??= {};
    if (values.has(path)) (config[top] as Record<string, unknown>)[inner] = values.get(path);
  }
  // The table determines paths and kinds of values, and the type is derived from it.
  return config as unknown as Config;
}

function isOptional(path: string): boolean {
  return optionalPaths.some((optional) => optional === path);
}

function unknownSetting(path: string): string {
  const nearest = nearestName(path, paths);
  const hint = nearest === undefined ? "" : `; did you mean ${projectName}:${nearest}?`;
  return `${projectName}:${path}: unknown setting${hint}`;
}

function missing(path: string, setting: Setting<unknown>): string {
  return `${projectName}:${path}: required: expected ${setting.allowed}. Run: pulumi config set --path ${projectName}:${path} VALUE`;
}

function notAllowed(path: string, setting: Setting<unknown>, rawValue: unknown): string {
  const got = setting.secret
    ? "something else"
    : shorten(typeof rawValue === "string" ? rawValue : JSON.stringify(rawValue));
  return `${projectName}:${path}: expected ${setting.allowed}, got ${got}`;
}

function notEncrypted(path: string): string {
  return `${projectName}:${path}: expected an encrypted value, found plain text. Run: pulumi config set --path --secret ${projectName}:${path}`;
}

function shorten(value: string): string {
  if (value.includes("PRIVATE KEY")) return "a private key";
  return value.length > 80 ? `${value.slice(0, 77)}...` : value;
}
