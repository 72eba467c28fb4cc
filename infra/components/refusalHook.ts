import { AsyncResource } from "node:async_hooks";
import * as pulumi from "@pulumi/pulumi";

/**
 * A hook that runs before an operation, also in a preview, and refuses it by throwing.
 *
 * The engine calls hooks over a server of the SDK, outside of the program's asynchronous context, and provider
 * functions need that context in an inline program. `AsyncResource.bind` restores it.
 *
 * @param name unique in the stack
 */
export function refusalHook(
  name: string,
  check: (args: pulumi.ResourceHookArgs) => void | Promise<void>,
): pulumi.ResourceHook {
  return new pulumi.ResourceHook(name, AsyncResource.bind(check), { onDryRun: true });
}
