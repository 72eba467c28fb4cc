/**
 * Makes each gRPC client of the SDK open a connection that it shares with no other client.
 *
 * Call it before a process runs inline programs. Each run has its own engine on its own port, and the SDK never closes
 * its client of an engine that has ended. gRPC reuses connections by address within a process, and a failed one answers
 * new clients at once ("No connection established. Last error: null"). So a run fails if its engine gets a port that
 * an earlier engine had. The SDK passes its options to each client (`runtime/settings.ts`, marked @internal).
 */
export function separateConnections(): void {
  const { runtime } = require("@pulumi/pulumi") as typeof import("@pulumi/pulumi");
  const { grpcClientOptions } = runtime as unknown as { grpcClientOptions?: Record<string, unknown> };
  if (grpcClientOptions === undefined) {
    throw new Error(
      "expected runtime.grpcClientOptions in @pulumi/pulumi, found none. Install the version that package.json pins: npm ci",
    );
  }
  grpcClientOptions["grpc.use_local_subchannel_pool"] = 1;
}
