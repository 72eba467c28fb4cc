/** The key of a host's release object in the bucket of releases. */
export function releaseKey(hostName: string): string {
  return `hosts/${hostName}.json`;
}

/** The key of a host's status object in the bucket of statuses. */
export function statusKey(hostName: string): string {
  return `hosts/${hostName}`;
}

// The bucket of statuses has one more object, "group": the first member that is ONLINE writes it, and from then on
// database hosts that are all empty start no group (infra/payload/release-program, membership.py).
