// `npm run sandbox -- status`: the sandbox's own status, and the parts that only this project knows: the hosts'
// roles, the database groups, the names of the runbooks.
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
  /** The group as seen by each database host; undefined if its MySQL does not answer. */
  readonly groups: readonly { readonly seenBy: string; readonly members: readonly Member[] | undefined }[];
  readonly alerts: readonly TriggeredAlert[] | undefined;
  readonly monitors: readonly AlertStatus[] | undefined;
}

export interface HostStatus extends Omit<DropletStatus, "tags"> {
  /** web, database; for a droplet of another program its tags. */
  readonly roles: readonly string[];
}

export const statusVerb = (home: Home): Command => ({
  name: "status",
  summary: "hosts, roles, group members, backends, certificates",
  details: "If a part is unavailable (the API is not running, a host is off), the output says so.",
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

/** The whole status of the sandbox. Throws a Failure if there is no sandbox. */
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

/** The status as text. */
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

/** If the account is unavailable, it asks every host for its group; one without MySQL gives no answer. */
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
