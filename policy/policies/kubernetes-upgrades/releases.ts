/**
 * End of security updates for minor releases of Kubernetes. As of 2026-11-30. DigitalOcean ends its own support about
 * the same day, and then upgrades clusters by itself.
 *
 * Source: endoflife.date/kubernetes, from kubernetes.io/releases. Releases that are missing here are newer.
 */
export const kubernetesEnds: ReadonlyMap<string, string> = new Map([
  ["1.25", "2023-10-27"],
  ["1.26", "2024-02-28"],
  ["1.27", "2024-06-28"],
  ["1.28", "2024-10-28"],
  ["1.29", "2025-02-28"],
  ["1.30", "2025-07-15"],
  ["1.31", "2025-11-11"],
  ["1.32", "2026-02-28"],
  ["1.33", "2026-06-28"],
  ["1.34", "2026-10-27"],
  ["1.35", "2027-02-28"],
  ["1.36", "2027-06-28"],
]);

const oldest = 25;

/**
 * The end of a version such as "1.35.1-do.0" or "1.35"; undefined if it is newer than the table, null if the text is
 * not a version.
 */
export function endOfKubernetes(version: string): string | undefined | null {
  const minor = /^1\.(\d{1,3})(?:[.-]|$)/.exec(version)?.[1];
  if (minor === undefined) return null;
  // All older releases ended before the first of the table.
  return kubernetesEnds.get(`1.${Math.max(Number(minor), oldest)}`);
}
