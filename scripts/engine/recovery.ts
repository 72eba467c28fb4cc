// Puts in order what a killed command left: an engine that still runs, a lock without an owner, operations without an
// end. Called with the sandbox's command lock held, so whatever is found belongs to nobody who is alive.
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

/** An engine whose program is gone ends by itself once its running requests are answered. */
const ENDS_BY_ITSELF_MS = 45_000;
const ENDS_WHEN_ASKED_MS = 20_000;
const PLUGIN_ENDS_MS = 3_000;

/**
 * Ends what outlived its command: engines first, which are waited for, asked, and then made to; then the plugins and
 * policy packs that an engine left when it was killed itself. They do nothing of their own accord.
 */
export async function endLeftoverEngines(home: Home, onProgress: (line: string) => void): Promise<void> {
  const engines = taggedProcesses("engine", home.dir).filter((pid) => programOf(pid) === "pulumi");
  if (engines.length > 0) {
    onProgress(`a former command was killed; waiting for its engine (process ${engines.join(", ")})`);
    const stubborn = await waitUntilGone(engines, ENDS_BY_ITSELF_MS);
    for (const pid of stubborn) signalProcess(pid, "SIGINT");
    for (const pid of await waitUntilGone(stubborn, ENDS_WHEN_ASKED_MS)) signalProcess(pid, "SIGKILL");
  }
  const others = taggedProcesses("engine", home.dir);
  for (const pid of others) signalProcess(pid, "SIGTERM");
  for (const pid of await waitUntilGone(others, PLUGIN_ENDS_MS)) signalProcess(pid, "SIGKILL");
  await waitUntilGone(others, PLUGIN_ENDS_MS);
}

/** True when recoverStack has something to do. */
export function needsRecovery(home: Home, stack: string): boolean {
  return hasLockFiles(home, stack) || (readStoredStack(home, stack)?.pending.length ?? 0) > 0;
}

/** Makes a stack of the sandbox ready for the next operation. Returns what was done, in words. */
export async function recoverStack(
  engineStack: EngineStack,
  api: ApiAccess,
  onProgress: (line: string) => void,
): Promise<string> {
  const { home, stack } = engineStack.target;
  if (hasLockFiles(home, stack)) {
    onProgress("removing the lock of an engine that is dead");
    await engineStack.cancel();
  }
  const state = readStoredStack(home, stack);
  if (state === undefined || state.pending.length === 0) return "lock removed";
  const names = state.pending.map(({ resource, type }) => `${type} ${describeResource(resource.urn)}`);
  onProgress(`cut short: ${names.join(", ")}`);
  // The state is saved again whenever another resource is finished: a droplet that boots meanwhile is older than that.
  const begun = Math.min(updateBegan(engineStack.workDir) ?? state.savedAt, state.savedAt);
  const deleted = await deleteOrphans(api, { ...state, savedAt: begun });
  if (deleted.length > 0) onProgress(`deleted what was made and not recorded: ${deleted.join(", ")}`);
  await engineStack.refresh({ clearPendingCreates: true });
  return `${state.pending.length} cut short, ${deleted.length} unrecorded deleted, state read anew`;
}

/**
 * In a real account nothing is guessed: what an interrupted run made may be billed, and may hold data.
 * Throws a Failure that names each operation and says how to settle it.
 */
export async function refusePendingInCloud(engineStack: EngineStack): Promise<void> {
  const pending = (await engineStack.storedStack()).pending;
  if (pending.length === 0) return;
  const names = pending.map(
    ({ resource, type }) => `  ${type} ${describeResource(resource.urn)}: ${resource.urn}`,
  );
  throw new Failure(`A former run was killed in the middle of:\n${names.join("\n")}`, {
    remedy: [
      'Look in the account whether each "creating" one exists (doctl compute droplet list ...), then:',
      `  exists:  pulumi refresh --stack ${engineStack.target.stack} --import-pending-creates URN ID`,
      `  does not: pulumi refresh --stack ${engineStack.target.stack} --clear-pending-creates`,
    ].join("\n"),
  });
}
