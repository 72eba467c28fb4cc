import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { ensureSecret, Failure } from "../../sandbox/index";
import type { Home } from "../home";

/**
 * The passphrase that encrypts the secrets in the sandbox's states. Throws if states exist without it, because a new
 * passphrase could not decrypt them.
 */
export function ensurePassphrase(home: Home, hasStates: boolean): void {
  if (hasStates && !existsSync(home.passphraseFile)) {
    throw new Failure(
      `${home.passphraseFile} is missing, so the secrets of the sandbox's stacks cannot be decrypted`,
      {
        remedy: "Restore the file, or delete the sandbox: npm stop -- --force, then npm start.",
      },
    );
  }
  ensureSecret(home.passphraseFile, () => randomBytes(24).toString("base64url"), home.calls);
}
