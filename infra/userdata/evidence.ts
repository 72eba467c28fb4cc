/**
 * Evidence: configuration that the policy pack can check while user data is still unknown.
 *
 * User data contains secrets that the first update creates, so it is unknown in a first preview. The configuration
 * texts without secrets (nginx, my.cnf, haproxy) are known at preview: the tier components pass them as the input
 * `configurationEvidence`, and the policies read them there. The policy pack defines the form
 * (policy/evidence/form.ts) and imports nothing from here; test/policy/evidenceForm.test.ts compares the two.
 */

import { configurationFiles } from "./files";
import { comesLater } from "./firstRelease";
import type { HostContext } from "./types";

/** The future configuration files of one host, without secrets: absolute path -> whole text. */
export interface HostConfiguration {
  readonly roles: readonly ("web" | "database")[];
  readonly files: Readonly<Record<string, string>>;
}

/** Evidence by droplet name (the `name` input of the droplet). */
export type ConfigurationEvidence = Readonly<Record<string, HostConfiguration>>;

/**
 * The configuration files of a host that policies can check before its secrets exist. Programs, and what only the
 * release program reads, are not included.
 */
export function hostEvidence(context: HostContext): HostConfiguration {
  const files = configurationFiles(context).filter(
    ({ path }) => path.startsWith("/etc/") && !comesLater(path),
  );
  return {
    roles: context.host.roles,
    files: Object.fromEntries(files.map(({ path, content }) => [path, content])),
  };
}

/** The evidence of several hosts: the input that a tier passes for the policies. */
export function evidenceOf(contexts: readonly HostContext[]): ConfigurationEvidence {
  return Object.fromEntries(contexts.map((context) => [context.host.dropletName, hostEvidence(context)]));
}
