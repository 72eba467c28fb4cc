/**
 * @pulumi/policy 1.21 converts a resource's properties from the wire format again for each policy
 * (`makeAnalyzeRpcFun` and `makeAnalyzeStackRpcFun` in its server.js). With thirty policies, it converts a stack of
 * 1,000 droplets with their user data sixty times. This makes it convert each message once.
 */

interface Deserialization {
  deserializeProperties(message: object, keepSecrets: boolean): object;
}

interface Proxies {
  unknownCheckingProxy(value: object): object;
}

let installed = false;

/** Installs it once. If the SDK no longer has these functions, nothing changes. */
export function readOnce(): void {
  if (installed) return;
  installed = true;
  const deserialization = require("@pulumi/policy/deserialize") as Deserialization;
  const proxies = require("@pulumi/policy/proxy") as Proxies;
  if (typeof deserialization.deserializeProperties !== "function") return;
  if (typeof proxies.unknownCheckingProxy !== "function") return;
  const { deserializeProperties } = deserialization;
  const plain = new WeakMap<object, object>();
  deserialization.deserializeProperties = (message, keepSecrets) =>
    // Remediations keep secrets and change their arguments.
    keepSecrets
      ? deserializeProperties(message, keepSecrets)
      : once(plain, message, () => deserializeProperties(message, keepSecrets));
  const { unknownCheckingProxy } = proxies;
  const guarded = new WeakMap<object, object>();
  proxies.unknownCheckingProxy = (value) => once(guarded, value, () => unknownCheckingProxy(value));
}

function once(made: WeakMap<object, object>, from: object, make: () => object): object {
  const before = made.get(from);
  if (before !== undefined) return before;
  const value = make();
  made.set(from, value);
  return value;
}
