/** Commands that configure hosts from outside (the provider "command") do only what the policies understand. */
import type { HostContent } from "../../evidence/content";
import { describeState, dropletType, knowHost } from "../../evidence/host";
import { harmlessFolder, isServicePath } from "../../evidence/known-commands";
import { rolesOfContent } from "../../evidence/roles";
import { parseUserData } from "../../evidence/user-data";
import type { JudgmentContext, PolicyDefinition } from "../../frame/definition";
import { mandatoryInProduction } from "../../frame/enforcement";
import { shownPath } from "../../frame/message";
import type { JudgedResource } from "../../frame/resource";
import { ofType } from "../../resources/types";

const why =
  "it changes the configuration of a host after its user data, so what the policies have checked there no longer holds";
const fix =
  "move the configuration to the user data of the droplet, or pass it as the input configurationEvidence of a component, under the droplet's name";

const remoteType = "command:remote:Command";
const localType = "command:local:Command";
const copyTypes: ReadonlySet<string> = new Set(["command:remote:CopyToRemote", "command:remote:CopyFile"]);
const scriptInputs = ["create", "update"];

export const knownRemoteCommands: PolicyDefinition = {
  name: "known-remote-commands",
  displayName: "Known remote commands",
  category: "encryption",
  description:
    "Commands and copies that change hosts from outside do not configure web servers and databases, or evidence covers the host.",
  severity: "high",
  enforcement: mandatoryInProduction,
  tags: ["user-data"],
  types: [],
  remediationSteps:
    "Configure hosts by their user data instead of command.remote resources, or pass the host's configuration as evidence.",
  judgeResource(resource, context) {
    // With evidence in the stack, the reference to the covered droplet decides; it is known at the end.
    if (context.evidence.length === 0) judge(resource, context);
  },
  judgeStack(resources, context) {
    for (const resource of resources) if (!isCovered(resource, context)) judge(resource, context);
  },
};

/** True if evidence covers the droplets that the connection refers to. */
function isCovered(resource: JudgedResource, { evidence }: JudgmentContext): boolean {
  const droplets = ofType(resource.references("connection"), dropletType);
  return (
    droplets.length > 0 &&
    droplets.every((droplet) => knowHost(droplet, evidence).evidence.some(({ complete }) => complete))
  );
}

function judge(resource: JudgedResource, context: JudgmentContext): void {
  const report = (at: string, problem: string) => context.report(resource, { at, problem, why, fix });
  if (copyTypes.has(resource.type)) {
    const path = resource.inputs.text("remotePath");
    if (path.state !== "known") report("remotePath", `the value ${describeState(path)}`);
    else if (isOfService(path.value))
      report("remotePath", `it replaces ${shownPath(path.value)}, and the policies do not read its text`);
    return;
  }
  if (resource.type !== remoteType && resource.type !== localType) return;
  for (const input of scriptInputs) {
    const script = resource.inputs.text(input);
    if (script.state === "absent") continue;
    if (script.state !== "known") {
      if (resource.type === remoteType) report(input, `the value ${describeState(script)}`);
      continue;
    }
    const problem = resource.type === localType ? reachesHosts(script.value) : problemOf(script.value);
    if (problem !== undefined) report(input, problem);
  }
}

/** Programs that run commands on other hosts, or copy files to them. */
const reaching =
  /(?:^|[\s;&|(])(?:ssh|sftp|pssh|ansible|ansible-playbook)\s+\S|(?:^|[\s;&|(])(?:scp|rsync)\s[^;&|\n]*\s\S+:\S|\bdoctl\s+compute\s+ssh\b/;

function reachesHosts(script: string): string | undefined {
  return reaching.test(script) ? "the local command changes other hosts" : undefined;
}

function problemOf(script: string): string | undefined {
  const parsed = parseUserData(script.startsWith("#!") ? script : `#!/bin/sh\n${script}`);
  if (parsed.kind === "unreadable") return `the command is ${parsed.reason}, which cannot be read`;
  const { content } = parsed;
  const [path] = changedPaths(content);
  if (path !== undefined)
    return `it writes ${shownPath(path)}, and the policies do not check files of remote commands`;
  const { web, database } = rolesOfContent(content);
  if (web === "yes") return "it installs or starts a web server";
  if (database === "yes") return "it installs or starts a database";
  if (content.unknownCommands.length > 0) return "it runs code from another address";
  const [unclear] = content.unclear;
  return unclear === undefined ? undefined : `the effect of a statement is unknown: ${unclear.reason}`;
}

const isOfService = (path: string) => isServicePath(path) && !harmlessFolder.test(path);

function changedPaths({ files, unreadableFiles }: HostContent): readonly string[] {
  return [...files.keys(), ...unreadableFiles.keys()].filter(isOfService);
}
