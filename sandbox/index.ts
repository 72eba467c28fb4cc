/**
 * The public module of the sandbox: a DigitalOcean account on this machine, for a program that starts one, manages
 * it, or tests against it. Other modules of this package can change at any time.
 *
 * Large parts (the API, the hosts) are loaded when one of their functions is called, so that an import is fast.
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
export { endOfServerPorts, freePort, isBadPort, portIsFree } from "./background/ports";
export { ensureSecret } from "./background/secretFile";
export {
  programOf,
  signalProcess,
  tagEnvironment,
  taggedProcesses,
  waitUntilGone,
} from "./background/taggedProcesses";
export { ensureToken } from "./background/token";
// ---- A sandbox: its folder, and its errors.
export type { Calls } from "./calls";
export { Failure, usageFailure } from "./failure";
export { hasHosts, makeSandboxFolder, type Sandbox, type SandboxOptions, sandboxAt } from "./sandbox";

/** An API in this process, for a test. Its account is in `stateDir`. */
export async function startApi(options: ApiOptions): Promise<RunningApi> {
  return (await import("./api/server.ts")).startApi(options);
}
export type { HostChange } from "./api/core/host";
export type { ApiOptions, RunningApi } from "./api/server";
// ---- Its Datadog stand-in, which runs next to the API.
export { ensureDatadog, sandboxDatadog } from "./background/datadogAccess";
// ---- The content of its account, read from its API.
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
export { spacesUrl } from "./client/spaces";
export type { DatadogAccess } from "./datadog/access";
export { callSpaces } from "./spaces/client";

// ---- Spaces, which run next to the API.
/** Builds their S3 server, once (about a minute; needs Go). Without this, the first request to Spaces builds it. */
export async function prepareSpaces(report: (line: string) => void): Promise<string> {
  return (await import("./spaces/versitygw.ts")).ensureVersitygw(report);
}

/** True if their S3 server is built. */
export async function hasSpacesServer(): Promise<boolean> {
  return (await import("./spaces/versitygw.ts")).hasVersitygw();
}

// ---- Droplets as hosts.
export { type HostsMode, hostsMode, hostsOption, keepHostsMode } from "./hosts/mode";
export type { NamedHost } from "./hosts/namedHosts";
export type { HostPart, HostsDecision } from "./hosts/prepare";
export type { Published } from "./hosts/publish";
export { rootsFile } from "./hosts/roots";
export type { SetupState } from "./hosts/setupState";

/**
 * The reasons why this machine cannot run droplets as hosts, with the command that helps; empty if there are none.
 */
export async function missingForHosts(): Promise<{ reasons: string[]; remedy?: string }> {
  return (await import("./hosts/requirements.ts")).missingForHosts();
}

/**
 * Decides whether droplets boot as hosts. `hostParts` builds what they need.
 *
 * Throws a Failure if hosts are required (`on`) but not possible, or disabled (`off`) while the sandbox has hosts.
 */
export async function decideHosts(sandbox: Sandbox, mode: HostsMode): Promise<HostsDecision> {
  return (await import("./hosts/prepare.ts")).decideHosts(sandbox, mode);
}

/** The parts that hosts need, each built once. They do not depend on each other. */
export function hostParts(sandbox: Sandbox): readonly HostPart[] {
  return (require("./hosts/prepare.ts") as typeof import("./hosts/prepare")).hostParts(sandbox);
}

/** The result if a part failed: records, or a Failure if hosts are required. */
export async function withoutHosts(mode: HostsMode, reason: string): Promise<HostsDecision> {
  return (await import("./hosts/prepare.ts")).recordsOrFailure(mode, { reason });
}

/**
 * `decideHosts`, then all of `hostParts`, one after another.
 *
 * Throws a Failure if hosts are required (`on`) but not possible, or disabled (`off`) while the sandbox has hosts.
 */
export async function prepareHosts(
  sandbox: Sandbox,
  mode: HostsMode,
  report: (line: string) => void,
  signal: AbortSignal,
): Promise<HostsDecision> {
  return (await import("./hosts/prepare.ts")).prepareHosts(sandbox, mode, report, signal);
}

/**
 * Builds the program that replaces the Datadog agent on hosts, once (about a minute). Returns the result, in words.
 */
export async function prepareCollector(report: (line: string) => void): Promise<string> {
  return (await import("./hosts/prepare.ts")).prepareCollector(report);
}

/** True if `prepareCollector` has built it. */
export async function hasCollector(): Promise<boolean> {
  return (await (await import("./datadog/collector/telegraf.ts")).findTelegraf()) !== undefined;
}

/** Every host that has a disk, by name. Throws a Failure if droplets are only records, or this user has no access. */
export async function namedHosts(sandbox: Sandbox): Promise<NamedHost[]> {
  const hosts = await import("./hosts/namedHosts.ts");
  return hosts.namedHosts(await hosts.openHosts(sandbox));
}

/** The progress of a host's cloud-init. */
export async function setupState(host: NamedHost): Promise<SetupState> {
  return (await import("./hosts/setupState.ts")).setupState(host);
}

/** The host's own error messages; empty if there are none. */
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

/** Removes hosts, networks and disks from this machine. The API must not be running. */
export async function removeHosts({ hostsDir }: Sandbox): Promise<void> {
  await (await import("./hosts/provider.ts")).Provider.remove(hostsDir);
}

// ---- Stand-ins for Pulumi's plugins.
/** Installs the stand-ins, or one of them, in a Pulumi home of the sandbox. */
export async function installStandIns(pulumiHome: string, only?: PluginName): Promise<void> {
  const { installPlugin, installPlugins } = await import("./plugins/install.ts");
  if (only === undefined) await installPlugins(pulumiHome);
  else installPlugin(pulumiHome, only);
}

// ---- Its command, for a project that embeds it in its own commands.
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
export { inherit } from "./hosts/inherit";

/** The whole status of a sandbox. Throws a Failure if there is none. */
export async function sandboxStatus(sandbox: Sandbox): Promise<SandboxStatus> {
  return (await import("./cli/status.ts")).sandboxStatus(sandbox);
}

/** The status as text, with a table for each subject. */
export async function sandboxStatusText(
  status: SandboxStatus,
  { calls }: { readonly calls: Calls },
  additions?: StatusAdditions,
): Promise<string> {
  return (await import("./cli/statusText.ts")).statusText(status, calls, additions);
}
