/**
 * The form of evidence: what a program shows the policies while the user data of its droplets is still unknown.
 *
 * User data often holds secrets that the first update creates, so the first preview sees it as unknown. A program passes
 * the configuration texts that hold no secret as the input `configurationEvidence` of a component resource of any type.
 */

/** Name of the component input that carries evidence. */
export const evidenceInput = "configurationEvidence";

/** The configuration files of one host as they will be on it, without secrets: absolute path -> whole text. */
export interface HostEvidence {
  readonly roles: readonly ("web" | "database")[];
  readonly files: Readonly<Record<string, string>>;
}

/** Evidence by droplet name (the `name` input of the droplet). */
export type ConfigurationEvidence = Readonly<Record<string, HostEvidence>>;
