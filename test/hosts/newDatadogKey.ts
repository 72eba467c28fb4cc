import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { readAccess, writeAccess } from "../../sandbox/datadog/access";
import type { Home } from "../../scripts/home";

/**
 * Makes another API key at the sandbox's Datadog, as an operator does in an account: both are accepted, and the next
 * update of the stack encrypts the new one for its settings.
 *
 * @returns the new key, 32 hexadecimal digits
 */
export function newDatadogKey(home: Home, stack: string): string {
  const access = readAccess(join(home.dir, "datadog"));
  if (access === undefined) throw new Error("expected a sandbox with Datadog's stand-in, found none");
  const apiKey = randomBytes(16).toString("hex");
  writeAccess(join(home.dir, "datadog"), { ...access, apiKey, otherApiKeys: [access.apiKey] });
  const file = join(home.dir, "work", "sandbox", stack, `Pulumi.${stack}.yaml`);
  const settings = parse(readFileSync(file, "utf8")) as { config: Record<string, Record<string, unknown>> };
  delete settings.config["secured-web:datadog"]?.apiKey;
  writeFileSync(file, stringify(settings), { mode: 0o600 });
  return apiKey;
}
