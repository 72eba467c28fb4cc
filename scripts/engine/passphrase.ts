import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { ensureSecret, Failure } from "../../sandbox/index";
import type { Home } from "../home";

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
  ensureSecret(home.passphraseFile, () => randomBytes(24).toString("base64url"), home.calls);
}
