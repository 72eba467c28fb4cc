/**
 * Property values that the engine and a resource plugin exchange.
 *
 * The wire form is google.protobuf.Struct. A reserved string represents a value that is not known yet, and an object
 * with a reserved signature represents a secret (pulumi/sdk: go/common/resource/plugin/rpc.go, go/common/resource/sig).
 */
import { Struct } from "google-protobuf/google/protobuf/struct_pb";

/** A value that is known only after the update, such as a droplet's address in a first preview. */
class Unknown {
  toJSON(): string {
    return "[unknown]";
  }
}
export const UNKNOWN = new Unknown();

export type PropertyValue = null | boolean | number | string | Unknown | PropertyValue[] | PropertyMap;
export interface PropertyMap {
  [key: string]: PropertyValue;
}

const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
const unknownString = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const unknownSentinels = new Set([
  unknownString,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", // boolean
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421", // number
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2", // array
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff", // object
]);

export function isUnknown(value: unknown): value is Unknown {
  return value instanceof Unknown;
}

export function isMap(value: unknown): value is PropertyMap {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isUnknown(value);
}

export function containsUnknown(value: PropertyValue | undefined): boolean {
  if (isUnknown(value)) return true;
  if (Array.isArray(value)) return value.some(containsUnknown);
  return isMap(value) && Object.values(value).some(containsUnknown);
}

/** True for keys that are reserved for the engine and the bridge, such as `__defaults`. */
export function isInternalKey(key: string): boolean {
  return key.startsWith("__");
}

/** Reads a struct. Secrets become plain values: the engine keeps track of which inputs are secret. */
export function decode(struct: Struct | undefined): PropertyMap {
  return struct === undefined ? {} : (fromWire(struct.toJavaScript()) as PropertyMap);
}

function fromWire(value: unknown): PropertyValue {
  if (typeof value === "string") return unknownSentinels.has(value) ? UNKNOWN : value;
  if (Array.isArray(value)) return value.map(fromWire);
  if (typeof value !== "object" || value === null) return value as PropertyValue;
  const entries = value as Record<string, unknown>;
  if (entries[signatureKey] === secretSignature) return fromWire(entries.value);
  return Object.fromEntries(Object.entries(entries).map(([key, item]) => [key, fromWire(item)]));
}

/** Writes a struct. It marks the values of `secretKeys` as secret and leaves out nulls. */
export function encode(map: PropertyMap, secretKeys: ReadonlySet<string> = new Set()): Struct {
  const wire: Record<string, ReturnType<typeof toWire>> = {};
  for (const [key, value] of Object.entries(map)) {
    if (value === null || value === undefined) continue;
    wire[key] = secretKeys.has(key)
      ? { [signatureKey]: secretSignature, value: toWire(value) }
      : toWire(value);
  }
  return Struct.fromJavaScript(wire);
}

type Wire = null | boolean | number | string | Wire[] | { [key: string]: Wire };

function toWire(value: PropertyValue): Wire {
  if (isUnknown(value)) return unknownString;
  if (Array.isArray(value)) return value.map(toWire);
  if (!isMap(value)) return value as null | boolean | number | string;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined && item !== null);
  return Object.fromEntries(entries.map(([key, item]) => [key, toWire(item)]));
}
