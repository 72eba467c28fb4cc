import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Sandbox } from "../sandbox";

/** The file with the roots of the certificates that the sandbox's issuer signed. */
export function rootsFile({ hostsDir }: Sandbox): string {
  return join(hostsDir, "certificates", "roots.pem");
}

/** The same file; undefined while nothing was issued. */
export function existingRoots(sandbox: Sandbox): string | undefined {
  const file = rootsFile(sandbox);
  return existsSync(file) ? file : undefined;
}
