// Datadog's keys in the sandbox are generated. They only work at its stand-in, and a real key is never sent anywhere.
import { NotAllowed } from "../../infra/config/kinds";
import { usageFailure } from "../failure";

export const DATADOG = "secured-web:datadog";
export type DatadogKey = "apiKey" | "appKey";
const KEYS = ["apiKey", "appKey"] as const;

type Settings = Readonly<Record<string, unknown>>;
/** Keys encrypted by the engine: `{ secure: "v1:..." }`. */
export type EncryptedKeys = Readonly<Partial<Record<DatadogKey, unknown>>>;

/** True if the stack's hosts get the Datadog agent. */
export function wantsDatadog(config: Settings, stack: string): boolean {
  const monitoring = config["secured-web:monitoring"];
  return monitoring === "datadog" || (monitoring === undefined && isProduction(config, stack));
}

function isProduction(config: Settings, stack: string): boolean {
  return config["secured-web:environment"] === "production" || stack.startsWith("prod");
}

/** The encrypted keys in a stack's settings. */
export function encryptedKeys(config: Settings): EncryptedKeys {
  const own = structured(config[DATADOG]);
  return Object.fromEntries(KEYS.flatMap((name) => (isEncrypted(own[name]) ? [[name, own[name]]] : [])));
}

/**
 * The settings with the sandbox's own keys instead of the user's, and the list of those that must still be encrypted.
 * The application key, with which a stack creates monitors, is only added if there is a stand-in for them.
 *
 * @throws Failure (exit code 2) if the user set a malformed key
 */
export function withSandboxKeys(
  config: Settings,
  stack: string,
  options: { readonly kept: EncryptedKeys; readonly hasStandIn: boolean },
): { readonly config: Settings; readonly missing: readonly DatadogKey[] } {
  const { apiKey, appKey, ...others } = structured(config[DATADOG]);
  const given = { apiKey, appKey };
  for (const name of KEYS) refuseMalformed(name, given[name]);
  const isWanted = wantsDatadog(config, stack) || apiKey !== undefined || appKey !== undefined;
  const wanted = KEYS.filter((name) => isWanted && (name === "apiKey" || options.hasStandIn));
  const known = wanted.flatMap((name) => (name in options.kept ? [[name, options.kept[name]]] : []));
  const datadog = { ...others, ...Object.fromEntries(known) };
  const { [DATADOG]: _, ...rest } = config;
  return {
    config: Object.keys(datadog).length === 0 ? rest : { ...rest, [DATADOG]: datadog },
    missing: wanted.filter((name) => !(name in options.kept)),
  };
}

function refuseMalformed(name: DatadogKey, value: unknown): void {
  if (value === undefined || isEncrypted(value)) return;
  const { table } = require("../../infra/config/table") as typeof import("../../infra/config/table");
  const { read, allowed } = table[`datadog.${name}`];
  if (!(read(value) instanceof NotAllowed)) return;
  throw usageFailure(
    `${DATADOG}.${name}: expected ${allowed}, got another value`,
    "In the sandbox, remove this setting: the sandbox generates a key and ignores yours.",
  );
}

function structured(value: unknown): Settings {
  return typeof value === "object" && value !== null ? (value as Settings) : {};
}

function isEncrypted(value: unknown): boolean {
  return typeof value === "object" && value !== null && "secure" in value;
}
