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
 * Decides whether droplets boot as hosts, and makes the base image and what else they need where they do; the first
 * time takes some minutes, which `report` is told about.
 *
 * Throws a Failure where hosts are demanded (`on`) and cannot be had, or refused (`off`) and there already.
 */
export async function prepareHosts(
  sandbox: Sandbox,
  mode: HostsMode,
  report: (line: string) => void,
  signal: AbortSignal,
): Promise<HostsDecision> {
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
  if (lacking !== undefined) return recordsOrFailure(mode, lacking);
  try {
    await makeImages(sandbox, report, signal);
  } catch (error) {
    signal.throwIfAborted();
    return recordsOrFailure(mode, { reason: (error as Error).message });
  }
  return { kind: "hosts" };
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

function recordsOrFailure(mode: HostsMode, lacking: { reason: string; remedy?: string }): HostsDecision {
  if (mode === "auto") return { kind: "records", ...lacking };
  throw new Failure(`Droplets cannot boot as hosts: ${lacking.reason}`, {
    remedy: [lacking.remedy, "Without hosts: --hosts off."].filter((line) => line !== undefined).join("\n"),
  });
}

async function makeImages(
  { npmLockFile }: Sandbox,
  report: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const options = { onProgress: report, signal };
  await ensureBaseImage(options);
  signal.throwIfAborted();
  if (npmLockFile !== undefined) await ensureNpmCacheLayer(npmLockFile, options);
  signal.throwIfAborted();
  await ensurePebble(report);
}
