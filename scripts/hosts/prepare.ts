// What must be there before the first droplet boots: made by the command itself, so that its progress is seen.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../failure";
import { type Home, PROJECT_DIR } from "../home";
import type { HostsMode } from "./mode";

/** The lock file whose packages hosts can install; they have no way to a registry. */
export const NPM_LOCK_FILE = join(PROJECT_DIR, "app", "package-lock.json");

/** The sandbox's modules for hosts, loaded on demand: most commands never need them. */
export const hostModules = {
  image: () => require("../../sandbox/hosts/image") as typeof import("../../sandbox/hosts/image"),
  npmCache: () => require("../../sandbox/hosts/npmCache") as typeof import("../../sandbox/hosts/npmCache"),
  pebble: () =>
    require("../../sandbox/hosts/balancer/pebble") as typeof import("../../sandbox/hosts/balancer/pebble"),
  requirements: () =>
    require("../../sandbox/hosts/requirements") as typeof import("../../sandbox/hosts/requirements"),
  provider: () => require("../../sandbox/hosts/provider") as typeof import("../../sandbox/hosts/provider"),
  telegraf: () =>
    require("../../sandbox/datadog/collector/telegraf") as typeof import("../../sandbox/datadog/collector/telegraf"),
  instance: () => require("../../sandbox/hosts/instance") as typeof import("../../sandbox/hosts/instance"),
};

export type HostsDecision =
  | { readonly kind: "hosts" }
  | { readonly kind: "records"; readonly reason: string; readonly remedy?: string };

/** True when droplets of this sandbox have disks on this machine. */
export function hasHosts(home: Home): boolean {
  return existsSync(home.hostsDir);
}

/**
 * Decides whether droplets boot as hosts, and makes the base image and what else they need where they do; the first
 * time takes some minutes, which `report` is told about.
 *
 * Throws a Failure where hosts are demanded (`on`) and cannot be had, or refused (`off`) and there already.
 */
export async function prepareHosts(
  home: Home,
  mode: HostsMode,
  report: (line: string) => void,
  signal: AbortSignal,
): Promise<HostsDecision> {
  if (mode === "off") {
    if (!hasHosts(home))
      return { kind: "records", reason: "--hosts off (or SECURED_WEB_HOSTS); --hosts auto boots them" };
    throw new Failure("The droplets of this sandbox are hosts already", {
      remedy: "Go on without --hosts off (SECURED_WEB_HOSTS=off), or take them down first: npm stop.",
    });
  }
  const lacking = await missing(home);
  if (lacking !== undefined) return recordsOrFailure(mode, lacking);
  try {
    await makeImages(report, signal);
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
  const program = await hostModules.telegraf().ensureTelegraf((line) => {
    last = line;
    report(line);
  });
  return program === undefined ? last : "Telegraf stands in for the Datadog agent";
}

/** What keeps this machine from running hosts for this sandbox; undefined where nothing does. */
export async function missing(home: Home): Promise<{ reason: string; remedy?: string } | undefined> {
  const { reasons, remedy } = await hostModules.requirements().missingForHosts();
  // overlayfs' and nspawn's options are separated by these.
  if (/[:,\\\s]/.test(home.dir)) {
    reasons.push(
      `${home.dir} has a space, colon, comma or backslash in its name; SECURED_WEB_HOME sets another`,
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

async function makeImages(report: (line: string) => void, signal: AbortSignal): Promise<void> {
  const options = { onProgress: report, signal };
  await hostModules.image().ensureBaseImage(options);
  signal.throwIfAborted();
  await hostModules.npmCache().ensureNpmCacheLayer(NPM_LOCK_FILE, options);
  signal.throwIfAborted();
  await hostModules.pebble().ensurePebble(report);
}
