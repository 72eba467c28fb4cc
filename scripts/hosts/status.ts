// `npm run sandbox -- status`: the sandbox's own status, and what only this project knows of it: the hosts' roles, the
// database groups, the names of the runbooks.
import {
  type DropletStatus,
  hasHosts,
  type NamedHost,
  namedHosts,
  type SandboxStatus,
  sandboxStatus,
  sandboxStatusText,
  table,
} from "../../sandbox/index";
import type { Command } from "../command";
import type { Home } from "../home";
import { type AlertStatus, byRunbook, ofProject, type TriggeredAlert } from "../status/alerts";
import { groupMembers, type Member } from "./members";

export interface ProjectStatus extends Omit<SandboxStatus, "droplets" | "alerts" | "monitors"> {
  readonly droplets: readonly HostStatus[];
  /** How each database host sees its group; undefined where its MySQL does not answer. */
  readonly groups: readonly { readonly seenBy: string; readonly members: readonly Member[] | undefined }[];
  readonly alerts: readonly TriggeredAlert[] | undefined;
  readonly monitors: readonly AlertStatus[] | undefined;
}

export interface HostStatus extends Omit<DropletStatus, "tags"> {
  /** web, database; of a droplet of another program its tags. */
  readonly roles: readonly string[];
}

export const statusVerb = (home: Home): Command => ({
  name: "status",
  summary: "hosts, roles, group members, backends, certificates",
  details: "What cannot be asked now (an API that does not run, a host that is off) is shown as such.",
  options: { json: { type: "boolean", doc: "print it as JSON" } },
  run: async (args) => {
    const status = await projectStatus(home);
    const text = args.flag("json")
      ? JSON.stringify(status, undefined, 2)
      : await projectStatusText(status, home);
    process.stdout.write(`${text}\n`);
    return 0;
  },
});

/** All that can be told of the sandbox now. Throws a Failure where there is none. */
export async function projectStatus(home: Home): Promise<ProjectStatus> {
  const { api, droplets, alerts, monitors, ...rest } = await sandboxStatus(home);
  const hosts = hasHosts(home) ? await namedHosts(home) : [];
  return {
    api,
    droplets: droplets.map(({ name, id, tags, ...others }) => ({
      name,
      id,
      roles: rolesOf(tags),
      ...others,
    })),
    groups: await groups(droplets, hosts),
    ...rest,
    alerts: alerts && byRunbook(alerts),
    monitors: monitors && ofProject(monitors),
  };
}

/** The status for a person. */
export function projectStatusText(status: ProjectStatus, home: Home): Promise<string> {
  const { droplets, groups, alerts, monitors, ...rest } = status;
  const shown: SandboxStatus = {
    ...rest,
    droplets: droplets.map(({ roles, ...others }) => ({ ...others, tags: roles })),
    alerts: alerts?.map(({ name, ...others }) => ({ description: name, ...others })),
    monitors: monitors?.map((monitor) => ({ ...monitor, tags: [] })),
  };
  return sandboxStatusText(shown, home, {
    tagsHead: "ROLES",
    tables: [table("Database groups", groupRows(groups))],
  });
}

/** infra/topology.ts, roleTag: `secured-web-STACK-ROLE`. */
function rolesOf(tags: readonly string[]): readonly string[] {
  const roles = tags.flatMap((tag) => /^secured-web-.+-(web|database)$/i.exec(tag)?.[1] ?? []);
  return roles.length > 0 ? roles : tags;
}

/** Where the account cannot be asked, every host is asked for its group: one without MySQL gives no answer. */
function groups(
  droplets: readonly DropletStatus[],
  hosts: readonly NamedHost[],
): Promise<ProjectStatus["groups"]> {
  const isDatabase = ({ host }: NamedHost) => {
    const droplet = droplets.find(({ id }) => id === host.dropletId);
    return droplet?.status === undefined || rolesOf(droplet.tags).includes("database");
  };
  return Promise.all(
    hosts.filter(isDatabase).map(async (one) => ({ seenBy: one.name, members: await groupMembers(one) })),
  );
}

function groupRows(all: ProjectStatus["groups"]): readonly (readonly string[])[] {
  return [
    ["SEEN BY", "MEMBERS"],
    ...all.map(({ seenBy, members }) => [
      seenBy,
      members === undefined
        ? "MySQL does not answer"
        : members
            .map(({ host, state, role }) => `${host} ${state}${role === "" ? "" : ` ${role}`}`)
            .join(", ") || "is in no group",
    ]),
  ];
}
