/** Serves policies of this pack to the engine, with or without other policies. */
import { fstatSync } from "node:fs";
import { type Policies, PolicyPack, type PolicyPackArgs, type PolicyPackConfig } from "@pulumi/policy";
import { type CompiledPolicy, compilePolicies } from "./compile";
import type { PolicyDefinition } from "./definition";
import { checkConfigureCalls, checkPackConfiguration } from "./pack-configuration";
import { readOnce } from "./read-once";
import { onConfigureStack, type StackSettings, settingsFromEnvironment } from "./stack-settings";
import { listenForSecrets } from "./wire-secrets";

export interface PackOptions extends Omit<PolicyPackArgs, "policies" | "enforcementLevel"> {
  /** Other policies of @pulumi/policy to serve together with them. */
  readonly additional?: Policies;
  /** Levels and configurations, in the format of `pulumi --policy-pack-config`, which overrides them. */
  readonly configuration?: PolicyPackConfig;
  /**
   * Patterns of the names of production stacks, for example `["live", "prod-*"]`; `[]`: no name marks production. If
   * absent, the environment variable SECURED_WEB_PRODUCTION_STACKS decides, then the words in the name.
   */
  readonly productionStacks?: readonly string[];
}

let settings: StackSettings | undefined;

/** The stack settings that the engine has sent. The first call starts listening. */
function currentSettings(): StackSettings {
  if (settings === undefined) {
    settings = settingsFromEnvironment(process.env);
    listenForSecrets();
    onConfigureStack((told) => {
      settings = { ...settings, ...told };
    });
  }
  return settings;
}

/**
 * The policies in the form of @pulumi/policy, for your own `PolicyPack`. Serve them with the same installation of
 * @pulumi/policy and @pulumi/pulumi, because they read the stack's settings through it.
 */
export function compiled(definitions: readonly PolicyDefinition[]): CompiledPolicy[] {
  currentSettings();
  readOnce();
  return compilePolicies(definitions, currentSettings);
}

/**
 * Starts a policy pack: the process then serves the engine. All policy names must be different.
 *
 * Throws if the configuration names a policy or a property that does not exist, or has a wrong value.
 */
export function startPack(
  name: string,
  definitions: readonly PolicyDefinition[],
  { additional = [], configuration, productionStacks, ...rest }: PackOptions = {},
): PolicyPack {
  const others = additional.map((policy) => policy.name);
  const check = (given: Readonly<Record<string, unknown>>) =>
    checkPackConfiguration(given, definitions, others);
  check(configuration ?? {});
  checkConfigureCalls(check);
  if (productionStacks !== undefined) settings = { ...currentSettings(), productionStacks };
  const pack = new PolicyPack(
    name,
    { ...rest, enforcementLevel: "mandatory", policies: [...compiled(definitions), ...additional] },
    configuration,
  );
  endWithTheEngine();
  return pack;
}

/** The engine holds the other end of the pack's stdin. If the engine is killed, nothing else ends this process. */
function endWithTheEngine(): void {
  const stdin = fstatSync(0);
  if (stdin.isFIFO() || stdin.isSocket()) process.stdin.on("end", () => process.exit(0)).resume();
}
