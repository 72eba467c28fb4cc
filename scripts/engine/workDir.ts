// The engine works in a copy of the project's settings files, so that what it writes (a salt, a run's settings) never
// lands in the tree.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { usageFailure } from "../failure";
import { PROJECT_DIR } from "../home";
import { type EncryptedKeys, encryptedKeys } from "./datadogKeys";

/** One `--config KEY=VALUE`: `path` is the key and, below it, the steps into a structured value. */
export interface ConfigOverride {
  readonly path: readonly (string | number)[];
  readonly value: unknown;
}

type Yaml = Record<string, unknown>;
type Settings = Readonly<Record<string, unknown>>;

/**
 * Reads `secured-web:web.count=3` or `secured-web:operators.networks[0]=10.0.0.0/8`. The value is YAML: a number, true,
 * a text, or a whole list or map in one line. Throws a Failure (exit code 2).
 */
export function parseOverride(text: string): ConfigOverride {
  const match = /^([\w-]+:)?([\w-]+)((?:\.[\w-]+|\[\d+\])*)=(.*)$/s.exec(text);
  if (match === null) {
    throw usageFailure(
      `--config ${text.split("=")[0]}: not of the form KEY=VALUE`,
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
      "Put quotes around a text with : or #.",
    );
  }
}

/** What the engine wrote into the last copy and must find again: its salt, and secrets encrypted with it. */
export interface Kept {
  readonly encryptionsalt?: string;
  readonly datadog?: EncryptedKeys;
}

const UPDATE_BEGUN = "update-begun";

/** Keeps when the stack's latest update began, so that recovery knows what it may have made. */
export function markUpdateBegun(dir: string): void {
  writeFileSync(join(dir, `${UPDATE_BEGUN}.new`), String(Date.now()), { mode: 0o600 });
  renameSync(join(dir, `${UPDATE_BEGUN}.new`), join(dir, UPDATE_BEGUN));
}

/** When the stack's latest update began, in milliseconds since 1970; undefined where there was none. */
export function updateBegan(dir: string): number | undefined {
  const file = join(dir, UPDATE_BEGUN);
  return existsSync(file) ? Number(readFileSync(file, "utf8")) : undefined;
}

/** Reads back what a former run's copy holds. */
export function readKept(dir: string, stack: string): Kept {
  const file = join(dir, `Pulumi.${stack}.yaml`);
  if (!existsSync(file)) return {};
  const settings = (parse(readFileSync(file, "utf8")) ?? {}) as Yaml;
  const config = (settings.config ?? {}) as Yaml;
  const { encryptionsalt } = settings;
  if (typeof encryptionsalt !== "string") return {};
  return { encryptionsalt, datadog: encryptedKeys(config) };
}

/** The settings of a stack as its file and the overrides have them. */
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
 * Writes `Pulumi.yaml` and `Pulumi.STACK.yaml` of the project into `dir`, with the overrides and the salt that is kept.
 * `adapt` has the last word on the settings. `main` is left out: the program runs in this process, and the copy holds
 * none.
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

/** Sets a value inside maps and lists, which are made where they are missing. */
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
