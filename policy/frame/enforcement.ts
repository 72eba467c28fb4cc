/** How strictly a policy is enforced, in production and elsewhere. */

export type Level = "mandatory" | "advisory" | "disabled";

export interface Enforcement {
  readonly production: Level;
  readonly elsewhere: Level;
}

/** For what is dangerous in any stack. */
export const alwaysMandatory: Enforcement = { production: "mandatory", elsewhere: "mandatory" };

/** For what a development stack may leave out, and should know that it does. */
export const mandatoryInProduction: Enforcement = { production: "mandatory", elsewhere: "advisory" };

/** For what is of no concern outside production. */
export const productionOnly: Enforcement = { production: "mandatory", elsewhere: "disabled" };

/** For good habits. */
export const alwaysAdvisory: Enforcement = { production: "advisory", elsewhere: "advisory" };

/** In words: "mandatory in production, advisory elsewhere". */
export function describeEnforcement({ production, elsewhere }: Enforcement): string {
  return production === elsewhere ? production : `${production} in production, ${elsewhere} elsewhere`;
}
