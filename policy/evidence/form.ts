/**
 * The form of evidence: the configuration that a program shows to the policies while the user data of its droplets is
 * still unknown.
 *
 * User data often contains secrets that the first update creates, so it is unknown in the first preview. A program
 * passes the configuration texts that contain no secret as the input `configurationEvidence` of a component resource
 * of any type.
 */

/** Name of the component input that contains the evidence. */
export const evidenceInput = "configurationEvidence";

/** The future configuration files of one host, without secrets: absolute path -> whole text. */
export interface HostEvidence {
  readonly roles: readonly ("web" | "database")[];
  readonly files: Readonly<Record<string, string>>;
}

/** Evidence by droplet name (the `name` input of the droplet). */
export type ConfigurationEvidence = Readonly<Record<string, HostEvidence>>;
