/**
 * Evidence: what the policy pack may judge while user data is still unknown.
 *
 * User data holds secrets that do not exist before the first update, so a first preview sees it as unknown. The
 * configuration texts without secrets (nginx, my.cnf, haproxy) are known at preview: the tier components pass them
 * as the input `configurationEvidence`, and the policies read them there. The policy pack defines the form
 * (policy/evidence/form.ts) and imports nothing from here; test/policy/evidenceForm.test.ts compares the two.
 */

import { configurationFiles } from "./files";
import type { HostContext } from "./types";

/** The configuration files of one host as they will land on it, without secrets: absolute path -> whole text. */
export interface HostConfiguration {
  readonly roles: readonly ("web" | "database")[];
  readonly files: Readonly<Record<string, string>>;
}

/** Evidence by droplet name (the `name` input of the droplet). */
export type ConfigurationEvidence = Readonly<Record<string, HostConfiguration>>;

/** What the policies may judge of a host before its secrets exist: its configuration files, not its programs. */
export function hostEvidence(context: HostContext): HostConfiguration {
  const files = configurationFiles(context).filter(({ path }) => path.startsWith("/etc/"));
  return {
    roles: context.host.roles,
    files: Object.fromEntries(files.map(({ path, content }) => [path, content])),
  };
}

/** The evidence of some hosts: what a tier passes as input for the policies. */
export function evidenceOf(contexts: readonly HostContext[]): ConfigurationEvidence {
  return Object.fromEntries(contexts.map((context) => [context.host.dropletName, hostEvidence(context)]));
}
