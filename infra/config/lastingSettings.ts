/**
 * The settings that a stack keeps for as long as its database hosts exist, because another value would delete the
 * hosts, their data or the zone. Pure.
 */
import { projectName } from "./table";
import type { Config } from "./types";

/** These settings by their path, and the site's label. They are stored in the stack's state. */
export interface LastingSettings {
  readonly label: string;
  readonly domain: string;
  readonly createDomain: boolean;
  readonly region: string;
  readonly "vpc.ipRange": string;
  readonly topology: string;
  readonly "database.count": number;
  /** 0 without volumes. */
  readonly "database.volumeGib": number;
}

type LastingPath = keyof LastingSettings;

export function lastingSettings(label: string, config: Config): LastingSettings {
  return {
    label,
    domain: config.domain,
    createDomain: config.createDomain,
    region: config.region,
    "vpc.ipRange": config.vpc.ipRange,
    topology: config.topology,
    "database.count": config.database.count,
    "database.volumeGib": config.database.storage === "volume" ? config.database.volumeGib : 0,
  };
}

/** The consequence of another value, in words that fit after "would". */
const consequences: Readonly<Record<LastingPath, string>> = {
  label:
    "rename every host and give the database group another name, so that new members could not join the others",
  domain:
    "rename every host: the database hosts would no longer find each other, and their certificates would not match",
  createDomain: "give up the zone, and move its CAA record to the site's name",
  region: "replace the VPC and every host in it, and delete the databases",
  "vpc.ipRange": "replace the VPC and every host in it, and delete the databases",
  topology: "replace every host by one with another name, and delete the databases",
  "database.count":
    "delete the last database hosts at once, without the check that the others are ONLINE and have all data",
  "database.volumeGib":
    "shrink the volumes, which DigitalOcean cannot do, or (0: without volumes) delete them",
};

/** The page with the ways to change these settings all the same. */
const operationsPage = "docs/operations.md";

/**
 * The changes that an update must refuse, each with the setting's name, both values, the consequence and the remedy.
 *
 * @param before the settings of the last update; one that did not store a setting allows any value
 * @param handOver the name of the zone that this update may give up
 * @param hosts the numbers of the database hosts that exist (4 for db-4); without any, every change is allowed
 * @param isGroup true if the hosts are a replication group: its members leave it one by one before they are deleted
 */
export function refusedChanges(
  before: Partial<LastingSettings>,
  after: LastingSettings,
  handOver: string | undefined,
  hosts: readonly number[],
  isGroup: boolean,
): string[] {
  if (hosts.length === 0) return [];
  return (Object.keys(consequences) as LastingPath[])
    .filter((path) => isRefused(path, before, after, handOver, hosts, isGroup))
    .map(
      (path) =>
        `${nameOf(path)}: cannot change from ${before[path]} to ${after[path]}. It would ${consequences[path]}. ${remedyOf(path, before, after)}`,
    );
}

function isRefused(
  path: LastingPath,
  before: Partial<LastingSettings>,
  after: LastingSettings,
  handOver: string | undefined,
  hosts: readonly number[],
  isGroup: boolean,
): boolean {
  if (before[path] === undefined || before[path] === after[path]) return false;
  if (path === "createDomain") return before.createDomain === true && handOver !== after.domain;
  if (path === "database.count") {
    return !isGroup && hosts.some((number) => number > after["database.count"]);
  }
  if (path === "database.volumeGib") {
    return after[path] < (before[path] ?? 0);
  }
  return true;
}

function nameOf(path: LastingPath): string {
  return path === "label" ? "label (in this project's program: the stack's name)" : `${projectName}:${path}`;
}

function remedyOf(path: LastingPath, before: Partial<LastingSettings>, after: LastingSettings): string {
  if (path === "label") return `Use the label ${before.label} again (${operationsPage})`;
  const back = `pulumi config set --path ${projectName}:${path} ${before[path]}`;
  if (path === "createDomain") {
    return `To give up the zone and keep all of its records, set ${projectName}:handOverZone to ${after.domain} for this update (${operationsPage}). To keep the zone, run: ${back}`;
  }
  if (path === "database.volumeGib") return `Set it back: ${back}`;
  return `Set it back: ${back}. To change it, delete the stack and create it again, or create another stack and copy the data (${operationsPage})`;
}
