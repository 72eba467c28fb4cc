import { setTimeout as delay } from "node:timers/promises";
import type { Host } from "./host";

/** The progress of cloud-init in the current boot. Source: cloud-init's documentation, "status.json". */
export interface CloudInitState {
  readonly status: "running" | "done" | "error";
  /** Errors that cloud-init reports itself. The output of scripts is in the host's journal. */
  readonly errors: readonly string[];
}

const LIMIT_MS = 30 * 60_000;
const STAGES = ["init-local", "init", "modules-config", "modules-final"] as const;

interface StatusFile {
  v1?: Record<string, unknown>;
}
interface Stage {
  errors?: string[];
  finished?: number | null;
}

/** The state of cloud-init on a running host; undefined if the host is off or cloud-init has not started. */
export async function cloudInitState(host: Host): Promise<CloudInitState | undefined> {
  const text = await host.readFile("/run/cloud-init/status.json");
  if (text === undefined) return undefined;
  const v1 = parse(text)?.v1 ?? {};
  const stages = STAGES.map((name) => v1[name] as Stage | undefined);
  const errors = stages.flatMap((stage) => stage?.errors ?? []);
  const finished = stages.every((stage) => typeof stage?.finished === "number");
  if (!finished) return { status: "running", errors };
  return { status: errors.length > 0 ? "error" : "done", errors };
}

/** Waits until cloud-init has ended; undefined if the host went off first. */
export async function cloudInitOutcome(host: Host, signal: AbortSignal): Promise<CloudInitState | undefined> {
  const deadline = Date.now() + LIMIT_MS;
  while (!signal.aborted && Date.now() < deadline && (await host.running())) {
    const state = await cloudInitState(host);
    if (state && state.status !== "running") return state;
    await delay(500, undefined, { ref: false });
  }
  return undefined;
}

function parse(text: string): StatusFile | undefined {
  try {
    return JSON.parse(text) as StatusFile;
  } catch {
    return undefined; // being written
  }
}
