// Prepares hosts before the first droplet boots. The command that starts the API does it, so that the user sees the
// progress.
import { ensureTelegraf } from "../datadog/collector/telegraf";
import { Failure } from "../failure";
import { hasHosts, type Sandbox } from "../sandbox";
import { ensurePebble } from "./balancer/pebble";
import { ensureBaseImage } from "./image";
import type { HostsMode } from "./mode";
import { ensureNpmCacheLayer } from "./npmCache";
import { missingForHosts } from "./requirements";

export type HostsDecision =
  | { readonly kind: "hosts" }
  | { readonly kind: "records"; readonly reason: string; readonly remedy?: string };

/**
 * Decides whether droplets boot as hosts.
 *
 * Throws a Failure if hosts are required (`on`) but not possible, or disabled (`off`) while the sandbox has hosts.
 */
export async function decideHosts(sandbox: Sandbox, mode: HostsMode): Promise<HostsDecision> {
  if (mode === "off") {
    if (!hasHosts(sandbox)) {
      const { hosts } = sandbox.calls.variables;
      return { kind: "records", reason: `--hosts off (or ${hosts}); to boot them, use --hosts auto` };
    }
    throw new Failure("The droplets of this sandbox are already hosts", {
      remedy: `Continue without --hosts off (${sandbox.calls.variables.hosts}=off), or take them down first: ${sandbox.calls.stop}.`,
    });
  }
  const lacking = await missing(sandbox);
  return lacking === undefined ? { kind: "hosts" } : recordsOrFailure(mode, lacking);
}

/** A part that hosts need, built once. `make` returns the result in a few words. */
export interface HostPart {
  readonly title: string;
  make(report: (line: string) => void, signal: AbortSignal): Promise<string>;
}

/** The parts that hosts need. They do not depend on each other. */
export function hostParts({ npmLockFile }: Sandbox): readonly HostPart[] {
  const isThere = (source: string) => (source === "built" ? "built" : "in the cache");
  return [
    {
      title: "Base image of hosts",
      make: async (onProgress, signal) => isThere((await ensureBaseImage({ onProgress, signal })).source),
    },
    {
      title: "npm packages of hosts",
      make: async (onProgress, signal) => {
        if (npmLockFile === undefined) return "none";
        await ensureNpmCacheLayer(npmLockFile, { onProgress, signal });
        return "in the cache";
      },
    },
    {
      title: "ACME server",
      make: async (report) =>
        (await ensurePebble(report)) ?? "none: the sandbox's own CA issues certificates",
    },
  ];
}

/**
 * Decides whether droplets boot as hosts. If so, it builds everything that they need. Throws like `decideHosts`, and if
 * a part cannot be built although hosts are required.
 */
export async function prepareHosts(
  sandbox: Sandbox,
  mode: HostsMode,
  report: (line: string) => void,
  signal: AbortSignal,
): Promise<HostsDecision> {
  const decision = await decideHosts(sandbox, mode);
  if (decision.kind === "records") return decision;
  try {
    for (const part of hostParts(sandbox)) await part.make(report, signal);
  } catch (error) {
    signal.throwIfAborted();
    return recordsOrFailure(mode, { reason: (error as Error).message });
  }
  return decision;
}

/**
 * Builds the program that replaces the Datadog agent on hosts, once (about a minute). If it is not possible, hosts
 * run without. Returns the result, in words.
 */
export async function prepareCollector(report: (line: string) => void): Promise<string> {
  let last = "";
  const program = await ensureTelegraf((line) => {
    last = line;
    report(line);
  });
  return program === undefined ? last : "Telegraf replaces the Datadog agent";
}

/** The reason why this machine cannot run hosts for this sandbox; undefined if there is none. */
export async function missing(sandbox: Sandbox): Promise<{ reason: string; remedy?: string } | undefined> {
  const { reasons, remedy } = await missingForHosts();
  // These characters separate the options of overlayfs and nspawn.
  if (/[:,\\\s]/.test(sandbox.dir)) {
    reasons.push(
      `${sandbox.dir} has a space, colon, comma or backslash in its name. Set another folder with ${sandbox.calls.variables.dir}`,
    );
  }
  if (reasons.length === 0) return undefined;
  return { reason: reasons.join("; "), ...(remedy === undefined ? {} : { remedy }) };
}

/** The decision if something is missing: records, or a Failure if hosts are required. */
export function recordsOrFailure(
  mode: HostsMode,
  lacking: { reason: string; remedy?: string },
): HostsDecision {
  if (mode === "auto") return { kind: "records", ...lacking };
  throw new Failure(`Droplets cannot boot as hosts: ${lacking.reason}`, {
    remedy: [lacking.remedy, "Without hosts: --hosts off."].filter((line) => line !== undefined).join("\n"),
  });
}
