// What hosts need before the first droplet boots. The command that starts the API makes it, so that a person sees the
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
 * Throws a Failure where hosts are demanded (`on`) and cannot be had, or refused (`off`) and there already.
 */
export async function decideHosts(sandbox: Sandbox, mode: HostsMode): Promise<HostsDecision> {
  if (mode === "off") {
    if (!hasHosts(sandbox)) {
      const { hosts } = sandbox.calls.variables;
      return { kind: "records", reason: `--hosts off (or ${hosts}); --hosts auto boots them` };
    }
    throw new Failure("The droplets of this sandbox are hosts already", {
      remedy: `Go on without --hosts off (${sandbox.calls.variables.hosts}=off), or take them down first: ${sandbox.calls.stop}.`,
    });
  }
  const lacking = await missing(sandbox);
  return lacking === undefined ? { kind: "hosts" } : recordsOrFailure(mode, lacking);
}

/** Something that hosts need, made once. `make` says in a few words what came of it. */
export interface HostPart {
  readonly title: string;
  make(report: (line: string) => void, signal: AbortSignal): Promise<string>;
}

/** What hosts need. The parts do not depend on each other. */
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
 * Decides whether droplets boot as hosts, and makes all that they need where they do. Throws as `decideHosts` does, and
 * where a part cannot be made although hosts are demanded.
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
 * Makes what stands in for the Datadog agent on hosts, once (about a minute). Where it cannot be had, hosts go without.
 * Gives what came of it, in words.
 */
export async function prepareCollector(report: (line: string) => void): Promise<string> {
  let last = "";
  const program = await ensureTelegraf((line) => {
    last = line;
    report(line);
  });
  return program === undefined ? last : "Telegraf stands in for the Datadog agent";
}

/** What keeps this machine from running hosts for this sandbox; undefined where nothing does. */
export async function missing(sandbox: Sandbox): Promise<{ reason: string; remedy?: string } | undefined> {
  const { reasons, remedy } = await missingForHosts();
  // overlayfs' and nspawn's options are separated by these.
  if (/[:,\\\s]/.test(sandbox.dir)) {
    reasons.push(
      `${sandbox.dir} has a space, colon, comma or backslash in its name; ${sandbox.calls.variables.dir} sets another`,
    );
  }
  if (reasons.length === 0) return undefined;
  return { reason: reasons.join("; "), ...(remedy === undefined ? {} : { remedy }) };
}

/** What a lack means: records, or a Failure where hosts are demanded. */
export function recordsOrFailure(
  mode: HostsMode,
  lacking: { reason: string; remedy?: string },
): HostsDecision {
  if (mode === "auto") return { kind: "records", ...lacking };
  throw new Failure(`Droplets cannot boot as hosts: ${lacking.reason}`, {
    remedy: [lacking.remedy, "Without hosts: --hosts off."].filter((line) => line !== undefined).join("\n"),
  });
}
