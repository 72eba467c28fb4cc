/** A replication group keeps a majority when a member fails, and never splits when it starts. */
import { parseHostPort } from "../../evidence/addresses";
import { isComposeFile, servicesOf } from "../../evidence/containers";
import type { HostContent } from "../../evidence/content";
import {
  contentOf,
  dropletType,
  type Host,
  isEvidenceComponent,
  knowHost,
  readEvidence,
} from "../../evidence/host";
import {
  isMysqlImage,
  type MysqlServer,
  readMysqlServers,
  serversThatCount,
  settingsOf,
  usesGroupReplication,
} from "../../evidence/mysql";
import type { JudgmentContext, PolicyDefinition } from "../../frame/definition";
import { alwaysMandatory } from "../../frame/enforcement";
import { shownPath, type Violation } from "../../frame/message";
import { ofType } from "../../resources/types";

const whyBootstrap =
  "a member that starts its own group creates a second group next to the running one, and neither sees the other's writes";
const whyQuorum =
  "a group accepts writes while a majority of its members agree, so an even number of members adds the cost and risk of a host, but no tolerance for another failure";
const whyOneHost = "members on one host fail together, so together they count as one";

export const databaseGroupQuorum: PolicyDefinition = {
  name: "database-group-quorum",
  displayName: "Database group quorum",
  category: "writers",
  description:
    "A MySQL replication group has three, five, seven or nine members, each on its own host, and no member starts the group by itself.",
  severity: "high",
  enforcement: alwaysMandatory,
  tags: ["availability", "database"],
  types: [dropletType],
  remediationSteps:
    "Use three, five, seven or nine droplets with one member each, and leave group_replication_bootstrap_group OFF in every file. Let an operator start the group, or a supervisor that asks all members first.",
  judgeResource(resource, context) {
    if (isEvidenceComponent(resource)) {
      for (const { dropletName, content } of readEvidence(resource).entries) {
        for (const violation of judgeHost(content)) {
          const at = violation.at === undefined ? "" : `, ${violation.at}`;
          context.report(resource, { ...violation, at: `host "${dropletName}"${at}` });
        }
      }
    }
    if (resource.type !== dropletType) return;
    const { knowledge } = knowHost(resource, context.evidence);
    if (knowledge.state !== "known") return;
    for (const violation of judgeHost(knowledge.content)) {
      const at = violation.at === undefined ? "" : `, ${violation.at}`;
      context.report(resource, { ...violation, at: `userData${at}` });
    }
  },
  judgeStack(resources, context) {
    const { evidence } = context;
    const hosts = ofType(resources, dropletType).map((droplet) => knowHost(droplet, evidence));
    judgeSizes(hosts, context);
  },
};

/** Findings in one host's own configuration. */
function judgeHost(content: HostContent): readonly Violation[] {
  const servers = readMysqlServers(content.files);
  return [
    ...servers.flatMap((server) => judgeStart(server, content)),
    ...judgeCommands(content),
    ...judgeMembersOnHost(content),
    ...servers.flatMap(judgeSeeds),
  ];
}

const startFix =
  "leave group_replication_bootstrap_group OFF in every file, and start the group once, by hand or with a supervisor that asks all members first";

function judgeStart(server: MysqlServer, { files }: HostContent): readonly Violation[] {
  const inOptions = settingsOf(server, "group_replication_bootstrap_group")
    .filter(({ value }) => value !== "OFF")
    .map(({ path, line }) => ({
      at: `${shownPath(path)}:${line}`,
      problem:
        "group_replication_bootstrap_group is not OFF, so every start of the server creates a new group",
      why: whyBootstrap,
      fix: startFix,
    }));
  const inInitFile = settingsOf(server, "init_file")
    .filter(({ rawValue }) => bootstraps.test(files.get(rawValue.trim()) ?? ""))
    .map(({ path, line }) => ({
      at: `${shownPath(path)}:${line}`,
      problem: "the statements of init_file start the group at every start of the server",
      why: whyBootstrap,
      fix: startFix,
    }));
  return [...inOptions, ...inInitFile];
}

const bootstraps = /group_replication_bootstrap_group\s*=\s*(ON|1|TRUE)\b/i;

/** The words of commands and scripts show that they start the group, but not under which condition. */
function judgeCommands({ words }: HostContent): readonly Violation[] {
  if (!words.has("group_replication_bootstrap_group")) return [];
  return [
    {
      problem: "a command in the user data starts the group when the host boots for the first time",
      why: whyBootstrap,
      fix: "remove the command, and start the group once, by hand or with a supervisor that asks all members first",
    },
  ];
}

function judgeMembersOnHost(content: HostContent): readonly Violation[] {
  const members = serversThatCount(content).filter(usesGroupReplication).length;
  const containers = Math.max(
    0,
    ...[...content.files]
      .filter(([path]) => isComposeFile(path))
      .map(([, text]) => (servicesOf(text) ?? []).filter(isMysqlImage).length),
  );
  const count = Math.max(members, containers);
  if (count < 2) return [];
  const what = members >= containers ? "members of a group" : "containers with a MySQL server";
  return [
    {
      problem: `the host runs ${count} ${what}`,
      why: whyOneHost,
      fix: "put each member on its own droplet",
    },
  ];
}

function judgeSeeds(server: MysqlServer): readonly Violation[] {
  return settingsOf(server, "group_replication_group_seeds").flatMap(({ rawValue, path, line }) => {
    const seeds = rawValue
      .replace(/^["']|["']$/g, "")
      .split(",")
      .map((seed) => parseHostPort(seed.trim())?.host ?? seed)
      .filter((host) => host !== "");
    if (seeds.length < 2 || new Set(seeds).size > 1) return [];
    return [
      {
        at: `${shownPath(path)}:${line}`,
        problem: `the ${seeds.length} seeds of group_replication_group_seeds are all on one host`,
        why: whyOneHost,
        fix: "put each member on its own droplet, and list their addresses",
      },
    ];
  });
}

const goodSizes = [3, 5, 7, 9];

function judgeSizes(hosts: readonly Host[], context: JudgmentContext): void {
  const groups = new Map<string, Host[]>();
  for (const host of hosts) {
    const content = contentOf(host);
    if (content === undefined) continue;
    const servers = serversThatCount(content).filter(usesGroupReplication);
    const name = servers
      .flatMap((server) => settingsOf(server, "group_replication_group_name"))
      .at(-1)?.value;
    if (name === undefined) continue;
    const members = groups.get(name);
    if (members === undefined) groups.set(name, [host]);
    else members.push(host);
  }
  for (const members of groups.values()) {
    const [first] = members;
    // A group of one is a single writer, which no-single-writer-in-production reports.
    if (first === undefined || members.length === 1 || goodSizes.includes(members.length)) continue;
    const isMore = members.length > 9;
    context.report(first.droplet, {
      problem: `its MySQL group has ${members.length} members`,
      why: isMore ? "Group Replication accepts nine members at most, so the others are rejected" : whyQuorum,
      fix: "use three, five, seven or nine members",
    });
  }
  if (groups.size > 0) reportUncounted(hosts, context);
}

/** A host that cannot be read may be another member. */
function reportUncounted(hosts: readonly Host[], context: JudgmentContext): void {
  for (const { droplet, knowledge } of hosts) {
    if (knowledge.state !== "uncovered") continue;
    context.report(droplet, {
      at: "userData",
      problem: `${knowledge.reason}, so it may be another member of the stack's MySQL group`,
      why: whyQuorum,
      fix: "pass the configuration's text, without secrets, as the input configurationEvidence of a component, under the droplet's name",
    });
  }
}
