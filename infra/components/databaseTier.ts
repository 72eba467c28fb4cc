import { randomUUID } from "node:crypto";
import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import type { Config } from "../config/types";
import { volumeNameOf } from "../topology";
import { evidenceOf } from "../userdata/evidence";
import type { HostContext } from "../userdata/types";
import { GroupGate } from "./groupGate";
import { HostDroplet, settledAtCreation } from "./hostDroplet";
import { MemberGate } from "./memberGate";
import { changedHosts, type TierArgs } from "./tierArgs";

export interface DatabaseTierArgs extends TierArgs {
  readonly backups: Config["backups"];
  /** Name of the host that is replaced without waiting for its group. */
  readonly forcedHost: string | undefined;
  /** Protects database hosts against deletion. */
  readonly protect: boolean;
}

/**
 * The database hosts (in the converged topology: all hosts).
 *
 * They are changed one by one. A change that stops a member (a new droplet, another size) waits until the group can do
 * without it. If the hosts are protected, such a change waits for `npm run replace -- STACK HOST`.
 */
export class DatabaseTier extends pulumi.ComponentResource {
  readonly hosts: readonly HostDroplet[];

  constructor(name: string, args: DatabaseTierArgs, opts?: pulumi.ComponentResourceOptions) {
    super(
      "secured-web:index:DatabaseTier",
      name,
      { configurationEvidence: evidenceOf(changedHosts(args)) },
      opts,
    );
    const { place, offered, secretsOf, protect, replacedHost, forcedHost, rollout } = args;
    const members = args.hosts.map(({ host }) => host);
    const isNew = isFirstRun(name, this);
    const hosts: HostDroplet[] = [];
    const isGroup = args.hosts.some(({ settings }) => settings.replication === "group");
    for (const context of args.hosts) {
      const { host } = context;
      const others = members.filter((other) => other !== host);
      const isReplaced = replacedHost === host.name;
      const waitsForReplace = protect && !isReplaced;
      const after = hosts.length === 0 ? args.after : hosts.slice(-1).map(({ turn }) => turn);
      const volume = createVolume(`${name}-${host.name}`, context, place.region, { parent: this, protect });
      const gate = new MemberGate(
        `${name}-${host.name}`,
        {
          ...rollout,
          member: host,
          others,
          droplet: { image: place.image, size: host.size, ...(volume ? { storage: "volume" } : {}) },
          // All droplets of a new site are made side by side.
          after: isNew.apply((isTrue) => (isTrue ? [] : [...after])),
          isGroup,
          waitsForReplace,
          isReplaced,
          isForced: forcedHost === host.name,
        },
        { parent: this },
      );
      hosts.push(
        new HostDroplet(
          `${name}-${host.name}`,
          {
            context,
            place,
            offered,
            secrets: secretsOf(host),
            backups: backupInputs(args.backups),
            volume,
            rollout,
            others: isGroup ? others : [],
            after,
            dropletOptions: {
              // The new host takes over the old one's server id and name, so the two must never exist at the same time.
              deleteBeforeReplace: true,
              protect: waitsForReplace,
              ignoreChanges: [
                ...settledAtCreation,
                ...(waitsForReplace ? ["image", "size", "volumeIds"] : []),
              ],
              // A host moves its data to another disk by a new droplet, which gets it from the group.
              replaceOnChanges: ["volumeIds"],
              dependsOn: [gate],
            },
          },
          { parent: this },
        ),
      );
    }
    this.hosts = hosts;
    if (isGroup) {
      new GroupGate(name, { ...rollout, members, after: hosts.map(({ turn }) => turn) }, { parent: this });
    }
    this.registerOutputs({ dropletIds: this.hosts.map(({ droplet }) => droplet.id) });
  }
}

/** True in the run that creates the tier: the Stash keeps the mark of the run that created it. */
function isFirstRun(name: string, parent: pulumi.Resource): pulumi.Output<boolean> {
  const run = randomUUID();
  const first = new pulumi.Stash(`${name}-first-run`, { input: run }, { parent, ignoreChanges: ["input"] });
  return first.output.apply((mark) => mark === run);
}

/** The volume with a host's data; undefined if the data is on the droplet's disk. */
function createVolume(
  name: string,
  { host, settings }: HostContext,
  region: string,
  options: pulumi.CustomResourceOptions,
): digitalocean.Volume | undefined {
  const size = settings.database.volumeGib;
  if (size === undefined) return undefined;
  const description = `MySQL's data of ${host.dropletName}`;
  // The host makes the file system: DigitalOcean would also mount one that it has made.
  return new digitalocean.Volume(
    name,
    { name: volumeNameOf(host), region, size, description, tags: [...host.tags] },
    options,
  );
}

function backupInputs({
  enabled,
  plan,
  hour,
}: Config["backups"]): Pick<digitalocean.DropletArgs, "backups" | "backupPolicy"> {
  if (!enabled) return { backups: false };
  const weekday = plan === "weekly" ? { weekday: "SUN" } : {};
  return { backups: true, backupPolicy: { plan, hour: Number(hour), ...weekday } };
}
