import type * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import type { Config } from "../config/types";
import { evidenceOf } from "../userdata/evidence";
import { HostDroplet } from "./hostDroplet";
import type { TierArgs } from "./tierArgs";

export interface DatabaseTierArgs extends TierArgs {
  readonly backups: Config["backups"];
  /** Protects database hosts against deletion. */
  readonly protect: boolean;
  /** Name of the only host that this update may replace. */
  readonly replacedHost?: string;
}

/**
 * The database hosts (in the converged topology: all hosts).
 *
 * A plain update never replaces or resizes them, because it would do so to all members at once. Changes wait for `npm
 * run replace -- STACK HOST`, which allows them for one host.
 */
export class DatabaseTier extends pulumi.ComponentResource {
  readonly hosts: readonly HostDroplet[];

  constructor(name: string, args: DatabaseTierArgs, opts?: pulumi.ComponentResourceOptions) {
    super("secured-web:index:DatabaseTier", name, { configurationEvidence: evidenceOf(args.hosts) }, opts);
    const { place, offered, secretsOf, protect, replacedHost } = args;
    this.hosts = args.hosts.map((context) => {
      const { host } = context;
      const isReplaced = replacedHost === host.name;
      return new HostDroplet(
        `${name}-${host.name}`,
        {
          context,
          place,
          offered,
          secrets: secretsOf(host),
          backups: backupInputs(args.backups),
          dropletOptions: {
            // The new host takes over the old one's server id and name, so the two must never exist at the same time.
            deleteBeforeReplace: true,
            protect: protect && !isReplaced,
            ignoreChanges: isReplaced
              ? []
              : ["userData", "image", "size", "sshKeys", "monitoring", "dropletAgent", "publicNetworking"],
          },
        },
        { parent: this },
      );
    });
    this.registerOutputs({ dropletIds: this.hosts.map(({ droplet }) => droplet.id) });
  }
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
