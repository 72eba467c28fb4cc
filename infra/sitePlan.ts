/** Computes from the settings everything about a site that is known before it exists. Pure. */
import { ConfigError } from "./config/configError";
import { completeConfig } from "./config/parse";
import { projectName } from "./config/table";
import type { Config, Settings } from "./config/types";
import { buildTopology, type Topology } from "./topology";
import { givenSecrets } from "./userdata/givenSecrets";
import { hostSettings } from "./userdata/hostSettings";
import { placeholderSecrets } from "./userdata/placeholderSecrets";
import { renderUserData } from "./userdata/render";
import type { GivenSecrets, HostContext } from "./userdata/types";

export interface SitePlan {
  readonly config: Config;
  readonly topology: Topology;
  /** The hosts in the topology's order, each with the arguments of its user data. */
  readonly hosts: readonly HostContext[];
  readonly given: GivenSecrets;
}

/**
 * Plans a site, and renders the user data of every host with placeholders for the secrets that do not exist yet.
 *
 * @param label the site's name at DigitalOcean and in metrics
 * @throws ConfigError that lists every wrong setting
 * @throws UserDataError if user data cannot be built, or is larger than DigitalOcean accepts
 */
export function planSite(label: string, settings: Settings): SitePlan {
  checkLabel(label);
  const config = completeConfig(settings);
  const topology = buildTopology(label, config);
  checkReplacedHost(config, topology);
  const shared = hostSettings(label, config, topology);
  const hosts = topology.hosts.map((host) => ({ host, topology, settings: shared }));
  const given = givenSecrets(config);
  for (const context of hosts) renderUserData(context, placeholderSecrets(context, given.web));
  return { config, topology, hosts, given };
}

/** The label is part of tags and host names, and both accept letters, digits and dashes. */
function checkLabel(label: string): void {
  if (/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/i.test(label)) return;
  throw new ConfigError([
    `label: expected 1 to 40 letters, digits and dashes (it is part of droplet names and tags), got "${label}"`,
  ]);
}

function checkReplacedHost({ replaceHost, forceHost, rotation }: Config, { hosts }: Topology): void {
  const names = hosts.map(({ name }) => name);
  const problems: string[] = [];
  if (replaceHost !== undefined && !names.includes(replaceHost))
    problems.push(`${projectName}:replaceHost: expected one of ${names.join(", ")}, got ${replaceHost}`);
  if (forceHost !== undefined && forceHost !== replaceHost)
    problems.push(
      `${projectName}:forceHost: expected the host of ${projectName}:replaceHost (${replaceHost ?? "none"}), got ${forceHost}. It lets one replacement pass the gate of the group`,
    );
  if (rotation.hostKeys !== undefined && replaceHost === undefined)
    problems.push(
      `${projectName}:rotation.hostKeys: requires ${projectName}:replaceHost. A host gets new keys with its new droplet`,
    );
  if (problems.length > 0) throw new ConfigError(problems);
}
