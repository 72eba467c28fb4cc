import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Failure } from "../failure";
import type { Home } from "../home";

/** The form of DigitalOcean's personal access tokens; some clients check it. */
export function ensureToken(home: Home): string {
  return ensureSecret(home.tokenFile, () => `dop_v1_${randomBytes(32).toString("hex")}`);
}

/**
 * The passphrase that encrypts the secrets in the sandbox's states.
 * Throws where states exist and their passphrase does not: a new one could not read them.
 */
export function ensurePassphrase(home: Home, hasStates: boolean): void {
  if (hasStates && !existsSync(home.passphraseFile)) {
    throw new Failure(
      `${home.passphraseFile} is gone, and with it the key to the secrets of the sandbox's stacks`,
      {
        remedy: "Put the file back, or throw the sandbox away: npm stop -- --force, then npm start.",
      },
    );
  }
  ensureSecret(home.passphraseFile, () => randomBytes(24).toString("base64url"));
}

/** Reads a secret from its file, or makes the file for this user alone. Never half: it appears whole, by link(2). */
function ensureSecret(file: string, make: () => string): string {
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
      remedy: "Throw the sandbox away: npm stop -- --force, then npm start.",
    });
  }
  return secret;
}
