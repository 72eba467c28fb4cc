// Cleans up after a killed command: a running engine, a lock without an owner, unfinished operations. It is called
// with the sandbox's command lock held, so what it finds has no living owner.
import {
  type ApiAccess,
  programOf,
  signalProcess,
  taggedProcesses,
  waitUntilGone,
} from "../../sandbox/index";
import { Failure } from "../failure";
import type { Home } from "../home";
import { describeResource } from "./journal";
import { deleteOrphans } from "./orphans";
import type { EngineStack } from "./stack";
import { hasLockFiles, readStoredStack } from "./stateFile";
import { updateBegan } from "./workDir";

/** An engine whose program has died stops by itself after its running requests are answered. */
const ENDS_BY_ITSELF_MS = 45_000;
const ENDS_WHEN_ASKED_MS = 20_000;
const PLUGIN_ENDS_MS = 3_000;

/**
 * Stops the processes that outlived their command. Engines first: it waits for them, sends SIGTERM, and then kills
 * them. Then plugins and policy packs that a killed engine left, which do nothing on their own.
 */
export async function endLeftoverEngines(home: Home, onProgress: (line: string) => void): Promise<void> {
  const engines = taggedProcesses("engine", home.dir).filter((pid) => programOf(pid) === "pulumi");
  if (engines.length > 0) {
    onProgress(`an earlier command was killed; waiting for its engine (process ${engines.join(", ")})`);
    const stubborn = await waitUntilGone(engines, ENDS_BY_ITSELF_MS);
    for (const pid of stubborn) signalProcess(pid, "SIGINT");
    for (const pid of await waitUntilGone(stubborn, ENDS_WHEN_ASKED_MS)) signalProcess(pid, "SIGKILL");
  }
  const others = taggedProcesses("engine", home.dir);
  for (const pid of others) signalProcess(pid, "SIGTERM");
  for (const pid of await waitUntilGone(others, PLUGIN_ENDS_MS)) signalProcess(pid, "SIGKILL");
  await waitUntilGone(others, PLUGIN_ENDS_MS);
}

/** True if recoverStack has something to do. */
export function needsRecovery(home: Home, stack: string): boolean {
  return hasLockFiles(home, stack) || (readStoredStack(home, stack)?.pending.length ?? 0) > 0;
}

/** Prepares a stack of the sandbox for the next operation. Returns descriptions of what it did. */
export async function recoverStack(
  engineStack: EngineStack,
  api: ApiAccess,
  onProgress: (line: string) => void,
): Promise<string> {
  const { home, stack } = engineStack.target;
  if (hasLockFiles(home, stack)) {
    onProgress("removing the lock of a dead engine");
    await engineStack.cancel();
  }
  const state = readStoredStack(home, stack);
  if (state === undefined || state.pending.length === 0) return "lock removed";
  const names = state.pending.map(({ resource, type }) => `${type} ${describeResource(resource.urn)}`);
  onProgress(`cut short: ${names.join(", ")}`);
  // The engine saves the state when another resource is finished, so a droplet that boots at that time is older than
  // the state.
  const begun = Math.min(updateBegan(engineStack.workDir) ?? state.savedAt, state.savedAt);
  const deleted = await deleteOrphans(api, { ...state, savedAt: begun });
  if (deleted.length > 0) onProgress(`deleted unrecorded resources: ${deleted.join(", ")}`);
  await engineStack.refresh({ clearPendingCreates: true });
  return `${state.pending.length} interrupted, ${deleted.length} unrecorded deleted, state refreshed`;
}

/**
 * In a real account it deletes nothing: what an interrupted run created can be billed and contain data. Throws a
 * Failure that lists each operation and how to resolve it.
 */
export async function refusePendingInCloud(engineStack: EngineStack): Promise<void> {
  const pending = (await engineStack.storedStack()).pending;
  if (pending.length === 0) return;
  const names = pending.map(
    ({ resource, type }) => `  ${type} ${describeResource(resource.urn)}: ${resource.urn}`,
  );
  throw new Failure(
    `An earlier run was killed during:
${names.join("\n")}`,
    {
      remedy: [
        'Check in the account whether each "creating" one exists (doctl compute droplet list ...), then run:',
        `  if it exists:  pulumi refresh --stack ${engineStack.target.stack} --import-pending-creates URN ID`,
        `  if it does not: pulumi refresh --stack ${engineStack.target.stack} --clear-pending-creates`,
      ].join("\n"),
    },
  );
}
