/**
 * What this program uses of @pulumi/pulumi beyond its public API, in this one file. The SDK's version is pinned, and
 * test/unit/pulumiInternals.test.ts fails where another version behaves differently.
 */
import * as pulumi from "@pulumi/pulumi";

/**
 * Whether a configuration key is stored encrypted. `pulumi.Config` cannot tell: it returns the value of an encrypted key
 * as plain text, and a secret that is stored in plain text must be refused. The SDK has the answer in
 * `runtime/config.ts`, marked @internal and therefore without a type declaration.
 *
 * @param key the full key, such as "secured-web:datadog"
 */
export function isConfigSecret(key: string): boolean {
  const { isConfigSecret: ask } = pulumi.runtime as unknown as { isConfigSecret?(key: string): boolean };
  if (ask === undefined) {
    throw new Error(
      "@pulumi/pulumi has no runtime.isConfigSecret. Use the version that infra/package.json pins.",
    );
  }
  return ask(key);
}
