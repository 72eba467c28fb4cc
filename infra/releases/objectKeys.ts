/** The key of a host's release object in the bucket of releases. */
export function releaseKey(hostName: string): string {
  return `hosts/${hostName}.json`;
}

/** The key of the object with the lists of revoked certificates, in the bucket of releases (release/revoked.py). */
export const revocationsKey = "revoked.pem";

/** The key of a host's status object in the bucket of statuses. */
export function statusKey(hostName: string): string {
  return `hosts/${hostName}`;
}

/** Content of a status object until its host reports. */
export const noReportYet = "The host has not reported yet.\n";

/**
 * The key of the object in the bucket of statuses that says whether the stack has ever had a group: the first member
 * that is ONLINE overwrites it, and from then on database hosts that are all empty start no group (membership.py).
 */
export const groupKey = "group";

/** Content of that object until a member is ONLINE. The host's program compares it. */
export const noGroupYet = "The stack has had no group yet.\n";
