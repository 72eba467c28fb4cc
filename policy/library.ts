/**
 * The exports of the npm package: the policies, to select, configure and combine.
 *
 *     import { endToEndEncryption, policies, policyPack } from "@secured-web/policy-digitalocean";
 *
 *     policyPack("my-company", { policies: [endToEndEncryption] });
 */
import type { PolicyPack } from "@pulumi/policy";
import type { PolicyName } from "./exported-policies";
import type { PolicyDefinition } from "./frame/definition";
import type { Level } from "./frame/enforcement";
import { type PackOptions, startPack } from "./frame/pack";
import { definitions } from "./registry";

export { type ConfigurationEvidence, evidenceInput, type HostEvidence } from "./evidence/form";
export * from "./exported-policies";
export type { CompiledPolicy } from "./frame/compile";
export type { PolicyDefinition } from "./frame/definition";
export type { Enforcement, Level } from "./frame/enforcement";
export { compiled } from "./frame/pack";

/** Every policy of the package. */
export const policies: readonly PolicyDefinition[] = definitions;

/** A level, or a level with the configuration that the policy's page lists. */
export type PolicySettings =
  | Level
  | { readonly enforcementLevel?: Level; readonly [property: string]: unknown };

export interface PolicyPackOptions extends Omit<PackOptions, "configuration"> {
  /** The policies to serve; default: all. */
  readonly policies?: readonly PolicyDefinition[];
  /** By policy; `all` sets the level of the others. */
  readonly configuration?: { readonly [name in PolicyName | "all"]?: PolicySettings };
}

/**
 * Starts your own policy pack. Call it as the last statement of a program, in a folder with a PulumiPolicy.yaml and a
 * package.json that has a version.
 *
 * @param name the pack's name, as violations show it
 */
export function policyPack(name: string, options: PolicyPackOptions = {}): PolicyPack {
  const { policies: chosen = policies, configuration, ...rest } = options;
  const known = withoutUndefined(configuration ?? {});
  return startPack(name, chosen, { ...rest, configuration: known });
}

function withoutUndefined<T>(record: Readonly<Record<string, T | undefined>>): Record<string, T> {
  return Object.fromEntries(
    Object.entries(record).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])),
  );
}
