/** The Datadog stand-in of a sandbox: a folder with its address and keys, and its account. */
import { join } from "node:path";
import { accessFile, readAccess, writeAccess } from "./access";
import { type RunningDatadog, startDatadog } from "./server";

/**
 * Starts the stand-in with the keys in the folder, on its previous port if that is free, because a new address would
 * change the stack. It writes the address into the folder. Received data is not stored.
 *
 * @throws Error if the folder has no keys
 */
export async function startKept(dir: string): Promise<RunningDatadog> {
  const access = readAccess(dir);
  if (access === undefined)
    throw new Error(`expected the stand-in's keys in ${accessFile(dir)}, found no file`);
  const { url, appKey } = access;
  // Read at each request: a key that was added to the file is accepted at once.
  const apiKeys = () => {
    const { apiKey, otherApiKeys = [] } = readAccess(dir) ?? access;
    return [apiKey, ...otherApiKeys];
  };
  const start = (port: number) =>
    startDatadog({ port, apiKeys, appKey, stateFile: join(dir, "account.json") });
  const lastPort = url === "" ? 0 : Number(new URL(url).port);
  const running = await start(lastPort).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EADDRINUSE") throw error;
    return start(0);
  });
  writeAccess(dir, { ...access, url: running.url });
  return running;
}
