/** Enforcement levels of a policy, in production and in other stacks. */

export type Level = "mandatory" | "advisory" | "disabled";

export interface Enforcement {
  readonly production: Level;
  readonly elsewhere: Level;
}

/** For settings that are dangerous in any stack. */
export const alwaysMandatory: Enforcement = { production: "mandatory", elsewhere: "mandatory" };

/** For settings that a development stack can omit, with a warning. */
export const mandatoryInProduction: Enforcement = { production: "mandatory", elsewhere: "advisory" };

/** For requirements that only apply to production. */
export const productionOnly: Enforcement = { production: "mandatory", elsewhere: "disabled" };

/** For recommendations. */
export const alwaysAdvisory: Enforcement = { production: "advisory", elsewhere: "advisory" };

/** For recommendations that only apply to production. */
export const advisoryInProduction: Enforcement = { production: "advisory", elsewhere: "disabled" };

/** In words: "mandatory in production, advisory elsewhere". */
export function describeEnforcement({ production, elsewhere }: Enforcement): string {
  return production === elsewhere ? production : `${production} in production, ${elsewhere} elsewhere`;
}
