/**
 * The public module of the sandbox: a DigitalOcean account on this machine, for a program that starts one, looks after
 * it, or tests against it. Other modules of this package may change at any time.
 *
 * What is heavy (the API, the hosts) is loaded when one of its functions is called, so that an import costs little.
 */
import type { ApiOptions, RunningApi } from "./api/server";
import type { Calls } from "./calls";
import type { SandboxStatus } from "./cli/status";
import type { StatusAdditions } from "./cli/statusText";
import type { HostsMode } from "./hosts/mode";
import type { NamedHost } from "./hosts/namedHosts";
import type { HostPart, HostsDecision } from "./hosts/prepare";
import type { Published } from "./hosts/publish";
import type { SetupState } from "./hosts/setupState";
import type { PluginName } from "./plugins/install";
import { hasHosts, type Sandbox } from "./sandbox";

// ---- Its API in the background.
export { apiPort } from "./background/apiPort";
export {
  type ApiDemand,
  type BackgroundApi,
  ensureApi,
  logTail,
  recordedPort,
  runningApi,
  stopApi,
} from "./background/daemon";
export { freePort, portIsFree } from "./background/ports";
export { ensureSecret } from "./background/secretFile";
export {
  programOf,
  signalProcess,
  tagEnvironment,
  taggedProcesses,
  waitUntilGone,
} from "./background/taggedProcesses";
export { ensureToken } from "./background/token";
// ---- A sandbox: its folder, and the errors of all that follows.
export type { Calls } from "./calls";
export { Failure, usageFailure } from "./failure";
export { hasHosts, makeSandboxFolder, type Sandbox, type SandboxOptions, sandboxAt } from "./sandbox";

/** An API in this process, for a test. Its account lies in `stateDir`. */
export async function startApi(options: ApiOptions): Promise<RunningApi> {
  return (await import("./api/server.ts")).startApi(options);
}
export type { HostChange } from "./api/core/host";
export type { ApiOptions, RunningApi } from "./api/server";
// ---- Its stand-in of Datadog, which runs beside the API.
export { ensureDatadog, sandboxDatadog } from "./background/datadogAccess";
// ---- What its account holds, over its API.
export {
  act,
  type CertificateView,
  certificates,
  type DropletView,
  droplets,
  findApi,
  type LoadBalancerView,
  loadBalancers,
  unmadeDroplets,
} from "./client/account";
export {
  type MonitorState,
  monitorStates,
  type TriggeredAlert,
  triggeredAlerts,
  type UptimeState,
  uptimeStates,
} from "./client/alerts";
export { type ApiAccess, type ApiAnswer, listAll, request } from "./client/apiClient";
export { askDatadog } from "./client/askDatadog";
export {
  type MetricCount,
  type ReceivedSeries,
  receivedMetrics,
  receivedSeries,
} from "./client/metrics";
export type { DatadogAccess } from "./datadog/access";

// ---- Droplets as hosts.
export { type HostsMode, hostsMode, hostsOption, keepHostsMode } from "./hosts/mode";
export type { NamedHost } from "./hosts/namedHosts";
export type { HostPart, HostsDecision } from "./hosts/prepare";
export type { Published } from "./hosts/publish";
export { rootsFile } from "./hosts/roots";
export type { SetupState } from "./hosts/setupState";

/** What keeps this machine from running droplets as hosts, with the command that helps; empty where nothing does. */
export async function missingForHosts(): Promise<{ reasons: string[]; remedy?: string }> {
  return (await import("./hosts/requirements.ts")).missingForHosts();
}

/**
 * Decides whether droplets boot as hosts. What they need is made by `hostParts`.
 *
 * Throws a Failure where hosts are demanded (`on`) and cannot be had, or refused (`off`) and there already.
 */
export async function decideHosts(sandbox: Sandbox, mode: HostsMode): Promise<HostsDecision> {
  return (await import("./hosts/prepare.ts")).decideHosts(sandbox, mode);
}

/** What hosts need, each made once; they do not depend on each other. */
export function hostParts(sandbox: Sandbox): readonly HostPart[] {
  return (require("./hosts/prepare.ts") as typeof import("./hosts/prepare")).hostParts(sandbox);
}

/** What the failure of a part means: records, or a Failure where hosts are demanded. */
export async function withoutHosts(mode: HostsMode, reason: string): Promise<HostsDecision> {
  return (await import("./hosts/prepare.ts")).recordsOrFailure(mode, { reason });
}

/**
 * `decideHosts` and all of `hostParts`, one after another.
 *
 * Throws a Failure where hosts are demanded (`on`) and cannot be had, or refused (`off`) and there already.
 */
export async function prepareHosts(
  sandbox: Sandbox,
  mode: HostsMode,
  report: (line: string) => void,
  signal: AbortSignal,
): Promise<HostsDecision> {
  return (await import("./hosts/prepare.ts")).prepareHosts(sandbox, mode, report, signal);
}

/** Makes what stands in for the Datadog agent on hosts, once (about a minute). Says what came of it. */
export async function prepareCollector(report: (line: string) => void): Promise<string> {
  return (await import("./hosts/prepare.ts")).prepareCollector(report);
}

/** True where `prepareCollector` has made it. */
export async function hasCollector(): Promise<boolean> {
  return (await (await import("./datadog/collector/telegraf.ts")).findTelegraf()) !== undefined;
}

/** Every host that has a disk, by name. Throws a Failure where droplets are records, or this user may not enter them. */
export async function namedHosts(sandbox: Sandbox): Promise<NamedHost[]> {
  const hosts = await import("./hosts/namedHosts.ts");
  return hosts.namedHosts(await hosts.openHosts(sandbox));
}

/** How far a host's cloud-init has come. */
export async function setupState(host: NamedHost): Promise<SetupState> {
  return (await import("./hosts/setupState.ts")).setupState(host);
}

/** What a host itself says about its trouble; empty where it has no complaint. */
export async function complaint(host: NamedHost): Promise<string> {
  return (await import("./hosts/setupState.ts")).complaint(host);
}

/** The load balancers' ports on the loopback address. */
export async function publishedPorts(sandbox: Sandbox): Promise<readonly Published[]> {
  if (!hasHosts(sandbox)) return [];
  const [{ readPublished }, { openInstance }] = await Promise.all([
    import("./hosts/publish.ts"),
    import("./hosts/instance.ts"),
  ]);
  return readPublished(await openInstance(sandbox.hostsDir));
}

/** Removes hosts, networks and disks from this machine. The API must not run. */
export async function removeHosts({ hostsDir }: Sandbox): Promise<void> {
  await (await import("./hosts/provider.ts")).Provider.remove(hostsDir);
}

// ---- Stand-ins for Pulumi's plugins.
/** Puts the stand-ins, or one of them, where the engine looks for plugins in a Pulumi home of the sandbox's own. */
export async function installStandIns(pulumiHome: string, only?: PluginName): Promise<void> {
  const { installPlugin, installPlugins } = await import("./plugins/install.ts");
  if (only === undefined) await installPlugins(pulumiHome);
  else installPlugin(pulumiHome, only);
}

// ---- Its command, for a project that embeds it in commands of its own.
export type { Command } from "./cli/command";
export {
  type CommandArguments,
  type CommandFrame,
  type CommandSpec,
  helpText,
  type OptionSpec,
  parseCommandLine,
} from "./cli/commandLine";
export { portOption } from "./cli/portOption";
export { type CommandOptions, runSandboxCommand } from "./cli/run";
export type { DropletStatus, SandboxStatus } from "./cli/status";
export { table } from "./cli/table";

/** All that can be told of a sandbox now. Throws a Failure where there is none. */
export async function sandboxStatus(sandbox: Sandbox): Promise<SandboxStatus> {
  return (await import("./cli/status.ts")).sandboxStatus(sandbox);
}

/** The status for a person, with a table for each subject. */
export async function sandboxStatusText(
  status: SandboxStatus,
  { calls }: { readonly calls: Calls },
  additions?: StatusAdditions,
): Promise<string> {
  return (await import("./cli/statusText.ts")).statusText(status, calls, additions);
}
