/** Databases can be recovered: they have backups, and protection against deletion. */
import { describeState, dropletType } from "../../evidence/host";
import { type Certainty, rolesOfDroplet } from "../../evidence/roles";
import { definePolicy, type JudgmentContext } from "../../frame/definition";
import { productionOnly } from "../../frame/enforcement";
import type { JudgedResource } from "../../frame/resource";
import { knownItems, valueOr } from "../../frame/value";
import {
  bucketType,
  clusterType,
  ofType,
  volumeAttachmentType,
  volumeSnapshotType,
  volumeType,
} from "../../resources/types";

const whyBackup =
  "without a backup, one wrong statement loses data for good, because every replica repeats it at once";
const whyProtect = "one wrong update or destroy deletes the data together with the resource";
const protectFix = "set the resource option protect to true";

interface Configuration {
  readonly backupsElsewhere: boolean;
  readonly requireProtection: boolean;
  readonly requireVolumes: boolean;
}
type Context = JudgmentContext<Configuration>;

export const recoverableDatabases = definePolicy({
  name: "recoverable-databases",
  displayName: "Recoverable databases",
  category: "data",
  description:
    "Database hosts have backups or snapshots of their volumes, and databases, their volumes and buckets are protected against deletion.",
  severity: "high",
  enforcement: productionOnly,
  tags: ["database", "availability"],
  types: [bucketType, clusterType, dropletType, volumeType],
  remediationSteps:
    "Set backups to true with a backupPolicy on database droplets, and the resource option protect on them, on their volumes and on managed databases.",
  configuration: {
    backupsElsewhere: {
      type: "boolean",
      default: false,
      description: "The databases have backups that the stack does not show, such as dumps to a bucket.",
    },
    requireProtection: {
      type: "boolean",
      default: true,
      description: "Require the resource option protect on databases and their volumes.",
    },
    requireVolumes: {
      type: "boolean",
      default: false,
      description: "Require that database hosts keep their data on volumes, not on the droplet's local disk.",
    },
  },
  judgeResource(resource, context) {
    if (resource.type === clusterType && context.configuration.requireProtection && !resource.isProtected) {
      context.report(resource, {
        problem: "this managed database is not protected against deletion",
        why: `${whyProtect}, and DigitalOcean deletes a cluster's backups with it`,
        fix: protectFix,
      });
    }
    if (resource.type === bucketType) judgeBucket(resource, context);
  },
  judgeStack(resources, context) {
    const storage = new Storage(resources);
    const { evidence } = context;
    const hosts = ofType(resources, dropletType).flatMap((droplet) => {
      const { database } = rolesOfDroplet(droplet, evidence);
      return database === "no" ? [] : [{ droplet, database, volumes: storage.of(droplet) }];
    });
    for (const host of hosts) {
      if (!context.configuration.backupsElsewhere) judgeBackups(host, storage, context);
      if (context.configuration.requireVolumes) judgeVolumes(host, context);
    }
    if (context.configuration.requireProtection) judgeProtection(hosts, context);
  },
});

function judgeBucket(bucket: JudgedResource, context: Context): void {
  const force = bucket.inputs.flag("forceDestroy");
  if (force.state === "absent" || (force.state === "known" && !force.value)) return;
  context.report(bucket, {
    at: "forceDestroy",
    problem: force.state === "known" ? "forceDestroy is true" : `the value ${describeState(force)}`,
    why: "deleting a bucket with all its objects also deletes the backups and uploads in it",
    fix: "remove forceDestroy, so that a bucket with objects cannot be deleted",
  });
}

interface DatabaseHost {
  readonly droplet: JudgedResource;
  readonly database: Certainty;
  readonly volumes: readonly JudgedResource[];
}

const subjectOf = ({ database }: DatabaseHost) =>
  database === "yes" ? "this database host" : "a possible database host (its userData is unknown)";

function judgeBackups(host: DatabaseHost, storage: Storage, context: Context): void {
  const { droplet, volumes } = host;
  const backups = droplet.inputs.flag("backups");
  if (backups.state === "known" && backups.value) return;
  if (volumes.length > 0 && volumes.every((volume) => storage.hasSnapshot(volume))) return;
  const state =
    backups.state === "unknown" || backups.state === "mistyped"
      ? `may not have backups: the value ${describeState(backups)}`
      : "has no backups and no snapshots of its volumes";
  context.report(droplet, {
    at: "backups",
    problem: `${subjectOf(host)} ${state}`,
    why: whyBackup,
    fix: "set backups to true, with a backupPolicy that sets the schedule",
  });
}

function judgeVolumes(host: DatabaseHost, context: Context): void {
  if (host.volumes.length > 0 || knownItems(host.droplet.inputs.texts("volumeIds")).some((id) => id !== ""))
    return;
  context.report(host.droplet, {
    at: "volumeIds",
    problem: `${subjectOf(host)} keeps its data on the droplet's local disk`,
    why: "a local disk is deleted with its droplet, and cannot be moved to another droplet or resized separately",
    fix: "create a Volume, add it to volumeIds, and put the data directory on it",
  });
}

/** If the others are protected, one host of three or more may be unprotected, because replacing it requires that. */
function judgeProtection(hosts: readonly DatabaseHost[], context: Context): void {
  const open = hosts.filter(({ droplet }) => !droplet.isProtected);
  const allowed = hosts.length >= 3 ? 1 : 0;
  for (const host of open.length > allowed ? open : []) {
    context.report(host.droplet, {
      problem: `${subjectOf(host)} is not protected against deletion`,
      why: whyProtect,
      fix: protectFix,
    });
  }
  for (const volume of new Set(hosts.flatMap(({ volumes }) => volumes))) {
    if (volume.isProtected) continue;
    context.report(volume, {
      problem: "the volume of a database host is not protected against deletion",
      why: whyProtect,
      fix: protectFix,
    });
  }
}

/** The volumes of droplets, and which of them have snapshots in the stack. */
class Storage {
  private readonly byDroplet = new Map<string, Set<JudgedResource>>();
  private readonly byId = new Map<string, JudgedResource>();
  private readonly snapshotted = new Set<string>();

  constructor(resources: readonly JudgedResource[]) {
    for (const volume of ofType(resources, volumeType)) {
      const id = volume.outputs.text("id");
      if (id.state === "known") this.byId.set(id.value, volume);
    }
    const droplets = ofType(resources, dropletType);
    const byDropletId = new Map(
      droplets.flatMap((droplet) => {
        const id = valueOr(droplet.outputs.text("id"), undefined);
        return id === undefined ? [] : [[id, droplet] as const];
      }),
    );
    for (const droplet of droplets) {
      const ids = knownItems(droplet.inputs.texts("volumeIds"));
      this.attach(droplet, this.volumesOf(droplet, "volumeIds", ids));
    }
    for (const attachment of ofType(resources, volumeAttachmentType)) {
      const volumes = this.volumesOf(attachment, "volumeId", [
        valueOr(attachment.inputs.text("volumeId"), ""),
      ]);
      const own = byDropletId.get(valueOr(attachment.inputs.text("dropletId"), ""));
      const targets = [...ofType(attachment.references("dropletId"), dropletType), ...(own ? [own] : [])];
      for (const droplet of new Set(targets)) this.attach(droplet, volumes);
    }
    for (const snapshot of ofType(resources, volumeSnapshotType)) {
      const ids = [valueOr(snapshot.inputs.text("volumeId"), "")];
      for (const { urn } of this.volumesOf(snapshot, "volumeId", ids)) this.snapshotted.add(urn);
    }
  }

  of(droplet: JudgedResource): readonly JudgedResource[] {
    return [...(this.byDroplet.get(droplet.urn) ?? [])];
  }

  hasSnapshot({ urn }: JudgedResource): boolean {
    return this.snapshotted.has(urn);
  }

  private attach(droplet: JudgedResource, volumes: readonly JudgedResource[]): void {
    const found = this.byDroplet.get(droplet.urn) ?? new Set();
    for (const volume of volumes) found.add(volume);
    this.byDroplet.set(droplet.urn, found);
  }

  private volumesOf(
    resource: JudgedResource,
    input: string,
    ids: readonly string[],
  ): readonly JudgedResource[] {
    const known = ids.flatMap((id) => this.byId.get(id) ?? []);
    return [...ofType(resource.references(input), volumeType), ...known];
  }
}
