/** The stand-in of Datadog as a sandbox keeps it: a folder with its address and keys, and its account. */
import { join } from "node:path";
import { accessFile, readAccess, writeAccess } from "./access";
import { type RunningDatadog, startDatadog } from "./server";

/**
 * Starts the stand-in with the keys of the folder, on the port of the last time where that is free: an address that
 * stays is no change to a stack. The folder says the address from then on. What has been received is not kept.
 *
 * @throws Error where the folder has no keys
 */
export async function startKept(dir: string): Promise<RunningDatadog> {
  const access = readAccess(dir);
  if (access === undefined) throw new Error(`${accessFile(dir)} is missing: it holds the stand-in's keys`);
  const { url, apiKey, appKey } = access;
  const start = (port: number) =>
    startDatadog({ port, apiKey, appKey, stateFile: join(dir, "account.json") });
  const lastPort = url === "" ? 0 : Number(new URL(url).port);
  const running = await start(lastPort).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EADDRINUSE") throw error;
    return start(0);
  });
  writeAccess(dir, { url: running.url, apiKey, appKey });
  return running;
}
