import assert from "node:assert/strict";
import * as grpc from "@grpc/grpc-js";
import * as pulumi from "@pulumi/pulumi";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { GetRootResourceRequest } from "@pulumi/pulumi/proto/engine_pb";
import { freePort } from "../../sandbox/index";
import { separateConnections } from "../../scripts/engine/connections";

const { grpcClientOptions } = pulumi.runtime as unknown as { grpcClientOptions: grpc.ClientOptions };

describe("connections of inline programs", () => {
  const SHARED = { ...grpcClientOptions, "grpc.use_local_subchannel_pool": 0 };

  it("reach an engine at a port where an earlier engine has ended", async () => {
    separateConnections();
    assert.equal(await statusAfterAnEarlierEngine(grpcClientOptions), grpc.status.UNIMPLEMENTED);
  });

  it("fail there if clients share their connections", async () => {
    assert.equal(await statusAfterAnEarlierEngine(SHARED), grpc.status.UNAVAILABLE);
  });
});

/** The status that a new server answers at a port where a client of the same process has found no server before. */
async function statusAfterAnEarlierEngine(options: grpc.ClientOptions): Promise<grpc.status | undefined> {
  const address = `127.0.0.1:${await freePort()}`;
  const earlier = new EngineClient(address, grpc.credentials.createInsecure(), options);
  assert.equal(await ask(earlier), grpc.status.UNAVAILABLE);
  const server = new grpc.Server();
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    );
  });
  const later = new EngineClient(address, grpc.credentials.createInsecure(), options);
  try {
    return await ask(later);
  } finally {
    for (const client of [earlier, later]) client.close();
    server.forceShutdown();
  }
}

function ask(client: EngineClient): Promise<grpc.status | undefined> {
  return new Promise((resolve) =>
    client.getRootResource(new GetRootResourceRequest(), (error) => resolve(error?.code)),
  );
}
