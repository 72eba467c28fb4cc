/** The key of a host's release object in the bucket of releases. */
export function releaseKey(hostName: string): string {
  return `hosts/${hostName}.json`;
}

/** The key of a host's status object in the bucket of statuses. */
export function statusKey(hostName: string): string {
  return `hosts/${hostName}`;
}
