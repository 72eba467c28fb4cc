// The engine works in a copy of the project's settings files, so that it does not write its salt or a run's settings
// into the source tree.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { usageFailure } from "../failure";
import { PROJECT_DIR } from "../home";
import { type EncryptedKeys, encryptedKeys } from "./datadogKeys";

/** One `--config KEY=VALUE`: `path` is the key, followed by the steps into a structured value. */
export interface ConfigOverride {
  readonly path: readonly (string | number)[];
  readonly value: unknown;
}

type Yaml = Record<string, unknown>;
type Settings = Readonly<Record<string, unknown>>;

/**
 * Parses `secured-web:web.count=3` or `secured-web:operators.networks[0]=10.0.0.0/8`. The value is YAML: a number,
 * true, a text, or a list or map on one line. Throws a Failure (exit code 2).
 */
export function parseOverride(text: string): ConfigOverride {
  const match = /^([\w-]+:)?([\w-]+)((?:\.[\w-]+|\[\d+\])*)=(.*)$/s.exec(text);
  if (match === null) {
    throw usageFailure(
      `--config ${text.split("=")[0]}: expected KEY=VALUE`,
      "Example: --config secured-web:web.count=3",
    );
  }
  const [, namespace = "secured-web:", name = "", rest = "", value = ""] = match;
  const steps = [...rest.matchAll(/\.([\w-]+)|\[(\d+)\]/g)].map(([, key, index]) => key ?? Number(index));
  return { path: [`${namespace}${name}`, ...steps], value: parseValue(value, text) };
}

function parseValue(value: string, text: string): unknown {
  try {
    return parse(value) ?? "";
  } catch {
    throw usageFailure(
      `--config ${text.split("=")[0]}: the value is not valid YAML`,
      "Put quotes around a text that contains : or #.",
    );
  }
}

/** Values that the engine wrote into the last copy and needs again: its salt, and secrets encrypted with it. */
export interface Kept {
  readonly encryptionsalt?: string;
  readonly datadog?: EncryptedKeys;
}

const UPDATE_BEGUN = "update-begun";

/** Stores the start time of the stack's latest update, so that recovery knows what it may have created. */
export function markUpdateBegun(dir: string): void {
  writeFileSync(join(dir, `${UPDATE_BEGUN}.new`), String(Date.now()), { mode: 0o600 });
  renameSync(join(dir, `${UPDATE_BEGUN}.new`), join(dir, UPDATE_BEGUN));
}

/** The start time of the stack's latest update, in milliseconds since 1970; undefined if there was none. */
export function updateBegan(dir: string): number | undefined {
  const file = join(dir, UPDATE_BEGUN);
  return existsSync(file) ? Number(readFileSync(file, "utf8")) : undefined;
}

/** Reads these values from an earlier run's copy. */
export function readKept(dir: string, stack: string): Kept {
  const file = join(dir, `Pulumi.${stack}.yaml`);
  if (!existsSync(file)) return {};
  const settings = (parse(readFileSync(file, "utf8")) ?? {}) as Yaml;
  const config = (settings.config ?? {}) as Yaml;
  const { encryptionsalt } = settings;
  if (typeof encryptionsalt !== "string") return {};
  return { encryptionsalt, datadog: encryptedKeys(config) };
}

/** The settings of a stack: its file with the overrides. */
export function settingsOf(
  stack: string,
  overrides: readonly ConfigOverride[],
  projectDir = PROJECT_DIR,
): Settings {
  const settings = readYaml(join(projectDir, `Pulumi.${stack}.yaml`));
  const config: Yaml = { ...((settings.config ?? {}) as Yaml) };
  for (const { path, value } of overrides) setAt(config, path, value);
  return config;
}

/**
 * Writes the project's `Pulumi.yaml` and `Pulumi.STACK.yaml` into `dir`, with the overrides and the stored salt.
 * `adapt` changes the settings last. `main` is left out, because the program runs in this process and the copy does
 * not contain it.
 */
export function writeWorkDir(
  dir: string,
  stack: string,
  overrides: readonly ConfigOverride[],
  kept: Pick<Kept, "encryptionsalt">,
  options: { readonly projectDir?: string; readonly adapt?: (config: Settings) => Settings } = {},
): void {
  const { projectDir = PROJECT_DIR, adapt = (config) => config } = options;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const { main: _, ...project } = readYaml(join(projectDir, "Pulumi.yaml"));
  write(join(dir, "Pulumi.yaml"), project);
  const settings = readYaml(join(projectDir, `Pulumi.${stack}.yaml`));
  const config = settingsOf(stack, overrides, projectDir);
  const salt = kept.encryptionsalt === undefined ? {} : { encryptionsalt: kept.encryptionsalt };
  write(join(dir, `Pulumi.${stack}.yaml`), { ...salt, ...settings, config: adapt(config) });
}

function readYaml(file: string): Yaml {
  return (parse(readFileSync(file, "utf8")) ?? {}) as Yaml;
}

function write(file: string, content: Yaml): void {
  writeFileSync(`${file}.new`, stringify(content), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Sets a value inside maps and lists, and creates missing ones. */
function setAt(target: Yaml, path: readonly (string | number)[], value: unknown): void {
  let place = target as Record<string | number, unknown>;
  path.forEach((step, i) => {
    const next = path[i + 1];
    if (next === undefined) {
      place[step] = value;
      return;
    }
    const inside = place[step];
    place[step] =
      typeof inside === "object" && inside !== null
        ? structuredClone(inside)
        : typeof next === "number"
          ? []
          : {};
    place = place[step] as Record<string | number, unknown>;
  });
}
