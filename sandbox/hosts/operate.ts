import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type CloudInitState, cloudInitState } from "./host/cloudInit";
import { dropletsOnDisk, Host } from "./host/host";
import { inherit } from "./inherit";
import {
  balancerNamespace,
  clientNamespace,
  dropletNamespace,
  type Instance,
  namespacePath,
  servicesNamespace,
} from "./instance";

const CLIENT_SCRIPT = join(__dirname, "network", "as-client.sh");

/**
 * The actions of an operator on running hosts. Everything here works next to the running API, from the state
 * directory only (`openInstance`), and passes the terminal to the program if the name contains `inherit`.
 */

export interface HostState {
  readonly dropletId: number;
  readonly power: "on" | "off";
  /** systemd's own word: "running", "degraded", "starting" ...; undefined if the host is off. */
  readonly system: string | undefined;
  readonly failedUnits: readonly string[];
  readonly cloudInit: CloudInitState | undefined;
  /** Memory of all its processes in bytes (PSS); undefined if the host is off. */
  readonly memoryBytes: number | undefined;
}

/** Every host that has a disk here, with its state. */
export async function hostStates(instance: Instance): Promise<HostState[]> {
  const ids = (await dropletsOnDisk(instance)).sort((a, b) => a - b);
  return Promise.all(ids.map((id) => hostState(instance, id)));
}

export async function hostState(instance: Instance, dropletId: number): Promise<HostState> {
  const host = new Host(instance, dropletId);
  const off = {
    dropletId,
    power: "off",
    system: undefined,
    failedUnits: [],
    cloudInit: undefined,
    memoryBytes: undefined,
  } as const;
  if (!(await host.running())) return off;
  try {
    const system = (await host.attempt("systemctl", ["is-system-running"])).stdout.trim();
    const failed = (await host.attempt("systemctl", ["--failed", "--plain", "--no-legend"])).stdout;
    const failedUnits = failed.split("\n").flatMap((line) => line.trim().split(" ")[0] || []);
    return {
      dropletId,
      power: "on",
      system,
      failedUnits,
      cloudInit: await cloudInitState(host),
      memoryBytes: await memory(host),
    };
  } catch {
    return off; // it went off in the meantime
  }
}

/**
 * Shared pages count proportionally (proc(5), smaps_rollup), so that hosts on one base image are not counted twice.
 */
async function memory(host: Host): Promise<number> {
  const script =
    "cat /proc/[0-9]*/smaps_rollup 2> /dev/null | awk '$1 == \"Pss:\" { sum += $2 } END { print sum * 1024 }'";
  return Number((await host.attempt("sh", ["-c", script])).stdout.trim() || 0);
}

/** Runs a program on a host with this terminal and returns its exit code. */
export async function exec(host: Host, command: readonly string[]): Promise<number> {
  return inherit("nsenter", [...(await host.enter(process.env.TERM)), ...command]);
}

/** A login shell on a host. */
export function shell(host: Host): Promise<number> {
  return exec(host, ["bash", "--login"]);
}

/** A host's journal, or one unit's. For a host that is off, the end of its console. */
export async function logs(host: Host, unit?: string, follow = false): Promise<number> {
  if (await host.running()) {
    const flags = [...(unit ? ["--unit", unit] : []), ...(follow ? ["--follow"] : [])];
    return exec(host, ["journalctl", "--no-pager", "--lines=500", ...flags]);
  }
  const text = await readFile(host.consolePath, "utf8");
  process.stdout.write(`${text.split("\n").slice(-200).join("\n")}\n`);
  return 0;
}

/** Runs a program as the client on the internet, which uses the sandbox's own DNS. */
export function asClient(instance: Instance, program: string, args: readonly string[]): Promise<number> {
  return inherit("nsenter", clientCommand(instance, program, args));
}

/**
 * The arguments of nsenter that run a program as the client on the internet. In its own mount namespace it uses the
 * sandbox's name server, not this machine's systemd-resolved.
 */
export function clientCommand(instance: Instance, program: string, args: readonly string[]): string[] {
  const unshare = ["unshare", "--mount", "--propagation", "private", CLIENT_SCRIPT];
  return [`--net=${namespacePath(clientNamespace(instance))}`, "--", ...unshare, program, ...args];
}

/**
 * Runs `curl` from outside, through the load balancer; `roots` are certificates that it trusts in addition to this
 * machine's.
 */
export function curl(instance: Instance, args: readonly string[], roots?: string): Promise<number> {
  return asClient(instance, "curl", [...(roots ? ["--cacert", roots] : []), ...args]);
}

/** A place where packets can be captured. */
export type Hop =
  | { readonly at: "client" }
  | { readonly at: "services" }
  | { readonly at: "balancer"; readonly balancerId: string; readonly side: "public" | "private" }
  | { readonly at: "droplet"; readonly dropletId: number; readonly side: "public" | "private" };

/** The command that captures a hop, for `spawn`; `flags` are tcpdump's ("-w FILE", "-c COUNT", a filter). */
export function captureCommand(instance: Instance, hop: Hop, flags: readonly string[]): [string, string[]] {
  const [namespace, device] = placeOf(instance, hop);
  const tcpdump = ["tcpdump", "--interface", device, "--immediate-mode", "-l", "-U", "-n", ...flags];
  return ["nsenter", [`--net=${namespacePath(namespace)}`, "--", ...tcpdump]];
}

/** Captures a hop with this terminal until it is interrupted. */
export function capture(instance: Instance, hop: Hop, flags: readonly string[]): Promise<number> {
  const [program, args] = captureCommand(instance, hop, flags);
  return inherit(program, args);
}

function placeOf(instance: Instance, hop: Hop): [string, string] {
  switch (hop.at) {
    case "client":
      return [clientNamespace(instance), "eth0"];
    case "services":
      return [servicesNamespace(instance), "eth0"];
    case "balancer":
      return [balancerNamespace(instance, hop.balancerId), hop.side === "public" ? "eth0" : "eth1"];
    case "droplet":
      return [dropletNamespace(instance, hop.dropletId), hop.side === "public" ? "eth0" : "eth1"];
  }
}
