/**
 * Everything that this program uses of @pulumi/pulumi beyond its public API is in this file. The SDK's version is
 * pinned, and test/unit/pulumiInternals.test.ts fails if another version behaves differently.
 */
import * as pulumi from "@pulumi/pulumi";

/**
 * True if a configuration key is stored encrypted. `pulumi.Config` does not show it: it returns the value of an
 * encrypted key as plain text, and the program must refuse a secret that is stored in plain text. The SDK has the
 * answer in `runtime/config.ts`, marked @internal and therefore without a type declaration.
 *
 * @param key the full key, such as "secured-web:datadog"
 */
export function isConfigSecret(key: string): boolean {
  const { isConfigSecret: ask } = pulumi.runtime as unknown as { isConfigSecret?(key: string): boolean };
  if (ask === undefined) {
    throw new Error(
      "expected runtime.isConfigSecret in @pulumi/pulumi, found none. Install the version that infra/package.json pins: npm ci",
    );
  }
  return ask(key);
}
