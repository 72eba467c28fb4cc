import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Sandbox } from "../sandbox";

/** The file with the root certificates of the sandbox's issuer. */
export function rootsFile({ hostsDir }: Sandbox): string {
  return join(hostsDir, "certificates", "roots.pem");
}

/** The same file; undefined until a certificate was issued. */
export function existingRoots(sandbox: Sandbox): string | undefined {
  const file = rootsFile(sandbox);
  return existsSync(file) ? file : undefined;
}
