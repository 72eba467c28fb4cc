/** Errors that carry more than a message to the engine. */
import { Metadata, status } from "@grpc/grpc-js";
import { ErrorResourceInitFailed } from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { encode, type PropertyMap } from "./values";

/** A resource exists but is not ready or complete. The engine keeps it in the state and the next update repairs it. */
export class InitFailed extends Error {
  constructor(
    message: string,
    readonly id: string,
    readonly state: PropertyMap,
    readonly inputs: PropertyMap,
  ) {
    super(message);
  }
}

/** The engine asked to stop. */
export class Cancelled extends Error {
  constructor(what: string) {
    super(`cancelled while ${what}`);
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export interface GrpcFailure {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
}

/** The gRPC form of an error. For InitFailed, `grpc-status-details-bin` carries the resource. */
export function grpcFailure(error: unknown, secretKeys: ReadonlySet<string>): GrpcFailure {
  const details = messageOf(error);
  const metadata = new Metadata();
  if (error instanceof InitFailed) {
    const failed = new ErrorResourceInitFailed();
    failed.setId(error.id);
    failed.setProperties(encode(error.state, secretKeys));
    failed.setInputs(encode(error.inputs, secretKeys));
    failed.setReasonsList([details]);
    const packed = new Any();
    packed.pack(failed.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
    const full = new Status();
    full.setCode(status.UNKNOWN);
    full.setMessage(details);
    full.addDetails(packed);
    metadata.add("grpc-status-details-bin", Buffer.from(full.serializeBinary()));
  }
  return { code: status.UNKNOWN, details, metadata };
}
