/** Serves policies of this pack to the engine, alone or beside others. */
import { fstatSync } from "node:fs";
import { type Policies, PolicyPack, type PolicyPackArgs, type PolicyPackConfig } from "@pulumi/policy";
import { type CompiledPolicy, compilePolicies } from "./compile";
import type { PolicyDefinition } from "./definition";
import { readOnce } from "./read-once";
import { onConfigureStack, type StackSettings, settingsFromEnvironment } from "./stack-settings";
import { listenForSecrets } from "./wire-secrets";

export interface PackOptions extends Omit<PolicyPackArgs, "policies" | "enforcementLevel"> {
  /** Policies of @pulumi/policy that are served beside them. */
  readonly additional?: Policies;
  /** Levels and configurations, as `pulumi --policy-pack-config` has them; that option overrides these. */
  readonly configuration?: PolicyPackConfig;
}

let settings: StackSettings | undefined;

/** What the engine has told of the stack; asked for the first time, it begins to listen. */
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
 * The policies in the form of @pulumi/policy, for a `PolicyPack` of one's own. It must be served by the same
 * installation of @pulumi/policy and @pulumi/pulumi, from which they learn what stack they judge.
 */
export function compiled(definitions: readonly PolicyDefinition[]): CompiledPolicy[] {
  currentSettings();
  readOnce();
  return compilePolicies(definitions, currentSettings);
}

/** Starts a policy pack: the process then serves the engine. Each name must be of one policy. */
export function startPack(
  name: string,
  definitions: readonly PolicyDefinition[],
  { additional = [], configuration, ...rest }: PackOptions = {},
): PolicyPack {
  const pack = new PolicyPack(
    name,
    { ...rest, enforcementLevel: "mandatory", policies: [...compiled(definitions), ...additional] },
    configuration,
  );
  endWithTheEngine();
  return pack;
}

/** The engine holds the other end of the pack's stdin. Where it is killed, nobody else would end this process. */
function endWithTheEngine(): void {
  const stdin = fstatSync(0);
  if (stdin.isFIFO() || stdin.isSocket()) process.stdin.on("end", () => process.exit(0)).resume();
}
