import { chmodSync, existsSync, linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Calls } from "../calls";
import { Failure } from "../failure";

/** Reads a secret from its file, or creates the file for this user only. With link(2) the file appears complete. */
export function ensureSecret(file: string, make: () => string, calls: Calls): string {
  if (!existsSync(file)) {
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, `${make()}\n`, { mode: 0o600 });
    try {
      linkSync(draft, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    } finally {
      rmSync(draft, { force: true });
    }
  }
  chmodSync(file, 0o600);
  const secret = readFileSync(file, "utf8").trim();
  if (secret === "") {
    throw new Failure(`${file} is empty`, {
      remedy: `Delete the sandbox: ${calls.discard}, then ${calls.start}.`,
    });
  }
  return secret;
}
