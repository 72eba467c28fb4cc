// Datadog's keys in the sandbox: made up. They open its stand-in alone, and a real one that somebody gives goes nowhere.
import { NotAllowed } from "../../infra/config/kinds";
import { usageFailure } from "../failure";

export const DATADOG = "secured-web:datadog";
export type DatadogKey = "apiKey" | "appKey";
const KEYS = ["apiKey", "appKey"] as const;

type Settings = Readonly<Record<string, unknown>>;
/** Keys as the engine has encrypted them: `{ secure: "v1:..." }`. */
export type EncryptedKeys = Readonly<Partial<Record<DatadogKey, unknown>>>;

/** True where the stack's hosts get the Datadog agent. */
export function wantsDatadog(config: Settings, stack: string): boolean {
  const monitoring = config["secured-web:monitoring"];
  return monitoring === "datadog" || (monitoring === undefined && isProduction(config, stack));
}

function isProduction(config: Settings, stack: string): boolean {
  return config["secured-web:environment"] === "production" || stack.startsWith("prod");
}

/** The encrypted keys of a stack's settings. */
export function encryptedKeys(config: Settings): EncryptedKeys {
  const own = structured(config[DATADOG]);
  return Object.fromEntries(KEYS.flatMap((name) => (isEncrypted(own[name]) ? [[name, own[name]]] : [])));
}

/**
 * The settings with the sandbox's own keys in the place of those that are given, and which of them are still to be
 * encrypted. The application key, with which a stack makes monitors, comes where there is a stand-in to make them at.
 *
 * @throws Failure (exit code 2) where a key is given that could be none
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
    `${DATADOG}.${name}: must be ${allowed}, got something else`,
    "The sandbox needs none: it makes one up, and what is given stays unused.",
  );
}

function structured(value: unknown): Settings {
  return typeof value === "object" && value !== null ? (value as Settings) : {};
}

function isEncrypted(value: unknown): boolean {
  return typeof value === "object" && value !== null && "secure" in value;
}
