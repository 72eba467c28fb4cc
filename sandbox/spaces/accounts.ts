import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SpacesAccount } from "../api/core/spaces";

/** The gateway's file of users (versitygw, auth/iam_internal.go, version 1.8.0). */
const FILE = "users.json";

/**
 * Writes the gateway's keys. A changed file takes effect with the next request. The gateway treats each key as an
 * administrator, because it only checks signatures; `isAllowed` (access.ts) checks the grants.
 */
export function writeAccounts(dir: string, accounts: readonly SpacesAccount[]): void {
  const users = accounts.map(({ accessKey, secretKey }) => [
    accessKey,
    { access: accessKey, secret: secretKey, role: "admin", userID: 0, groupID: 0, projectID: 0 },
  ]);
  const file = join(dir, FILE);
  writeFileSync(`${file}.new`, JSON.stringify({ accessAccounts: Object.fromEntries(users) }), {
    mode: 0o600,
  });
  renameSync(`${file}.new`, file);
}
