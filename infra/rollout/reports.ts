/** Reads the reports that hosts write about themselves to the site's status bucket. */
import { noReportYet, statusKey } from "../releases/objectKeys";
import { type HostStatus, openStatus } from "../releases/status";
import type { Replication } from "../topology";
import { getObject, type SpacesKeyPair } from "./spaces";

/** The place of a site's status objects, and the key that reads them. */
export interface StatusPlace {
  /** The site's label. */
  readonly stack: string;
  readonly region: string;
  readonly bucket: string;
  readonly credentials: SpacesKeyPair;
}

/** A host and its sealing key (base64 of 64 bytes). */
export interface StatusHost {
  readonly name: string;
  readonly sealingKey: string;
}

/** All that is needed to read the reports of a site's hosts: the secret output `rollout` of a stack. */
export interface ReportAccess extends StatusPlace {
  readonly replication: Replication;
  readonly hosts: readonly (StatusHost & { readonly roles: readonly string[] })[];
}

/** A host's newest report. Both times are of Spaces' clock. */
export interface Report {
  /** Undefined if the host has not reported yet. */
  readonly status: HostStatus | undefined;
  readonly written: Date;
  readonly now: Date;
}

/** Hosts report every 15 s. An older report says nothing about a host's health now. */
const FRESH_SECONDS = 60;

/**
 * Reads the report of a host.
 *
 * @throws Error if Spaces cannot be asked, ReleaseError if the object is not a status of this host
 */
export async function readReport(
  { name, sealingKey }: StatusHost,
  { stack, credentials, bucket, region }: StatusPlace,
): Promise<Report> {
  const { object, now } = await getObject({ bucket, region, key: statusKey(name) }, credentials);
  if (object === undefined || object.text === noReportYet) return { status: undefined, written: now, now };
  return { status: openStatus(object.text, stack, name, sealingKey), written: object.written, now };
}

export function ageSeconds({ written, now }: Report): number {
  return Math.round((now.getTime() - written.getTime()) / 1000);
}

export function isFresh(report: Report): boolean {
  return ageSeconds(report) <= FRESH_SECONDS;
}
