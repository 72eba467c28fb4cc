/**
 * Evidence: what the policy pack may judge while user data is still unknown.
 *
 * User data holds secrets that do not exist before the first update, so a first preview sees it as unknown. The
 * configuration texts without secrets (nginx, my.cnf, haproxy) are known at preview: the tier components pass them
 * as the input `configurationEvidence`, and the policies read them there. The policy pack defines the form
 * (policy/evidence/form.ts) and imports nothing from here; test/policy/evidenceForm.test.ts compares the two.
 */

/** The configuration files of one host as they will land on it, without secrets: absolute path -> whole text. */
export interface HostConfiguration {
  readonly roles: readonly ("web" | "database")[];
  readonly files: Readonly<Record<string, string>>;
}

/** Evidence by droplet name (the `name` input of the droplet). */
export type ConfigurationEvidence = Readonly<Record<string, HostConfiguration>>;
