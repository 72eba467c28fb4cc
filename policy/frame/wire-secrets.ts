/**
 * Reads which inputs of a resource are Pulumi secrets.
 *
 * The engine marks secrets in the call Analyze (`MarshalOptions{KeepSecrets: true}` in
 * sdk/go/common/resource/plugin/analyzer_plugin.go). @pulumi/policy 1.21 passes on only the plain values
 * (deserialize.js), so the pack reads the mark from the call itself. It stores only names of inputs, never a value.
 */
import { AnalyzerService } from "@pulumi/pulumi/proto/analyzer_grpc_pb";
import { specialSecretSig, specialSigKey } from "@pulumi/pulumi/runtime/rpc";
import type { Struct, Value } from "google-protobuf/google/protobuf/struct_pb";

const secretInputs = new Map<string, ReadonlySet<string>>();

/** The inputs that are secrets or contain secrets; undefined if the engine has not sent the resource. */
export function toldSecrets(urn: string): ReadonlySet<string> | undefined {
  return secretInputs.get(urn);
}

/** Starts to listen to the engine's calls. */
export function listenForSecrets(): void {
  const method = AnalyzerService.analyze;
  const deserialize = method.requestDeserialize;
  method.requestDeserialize = (bytes) => {
    const request = deserialize(bytes);
    secretInputs.set(request.getUrn(), secretsOf(request.getProperties()));
    return request;
  };
}

/** The names of a struct's fields that are secrets or contain secrets. */
export function secretsOf(properties: Struct | undefined): ReadonlySet<string> {
  const names = new Set<string>();
  properties?.getFieldsMap().forEach((value: Value, name: string) => {
    if (holdsSecret(value)) names.add(name);
  });
  return names;
}

function holdsSecret(value: Value): boolean {
  const list = value.getListValue();
  if (list !== undefined) return list.getValuesList().some(holdsSecret);
  const struct = value.getStructValue();
  if (struct === undefined) return false;
  const fields = struct.getFieldsMap();
  if (fields.get(specialSigKey)?.getStringValue() === specialSecretSig) return true;
  let found = false;
  fields.forEach((field: Value) => {
    found ||= holdsSecret(field);
  });
  return found;
}
