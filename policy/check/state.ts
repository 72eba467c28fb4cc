/**
 * Reads an exported state (`pulumi stack export`, deployment version 3 or 4), and presents it in the way that the
 * engine presents a stack to policies.
 *
 * With `--show-secrets` an export contains secrets in plain text, and policies can check them. Without it, secrets
 * are ciphertext and count as unknown.
 */
import type { EngineResource } from "../frame/resource";
import { unknownValue } from "../frame/value";

export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  /** Line of the resource's URN in the file, counted from 1. */
  readonly line: number;
  readonly inputs: EngineResource;
  readonly outputs: EngineResource;
}

export interface State {
  readonly stack: string;
  readonly project: string;
  readonly resources: readonly StateResource[];
  /** Number of encrypted values, which policies cannot check. */
  readonly encryptedValues: number;
  /** Of a Terraform plan or state (terraform.ts). */
  readonly terraform?: {
    readonly kind: "plan" | "state";
    /** The types that the pack cannot check, each with the number of its resources. */
    readonly notJudged: readonly { readonly type: string; readonly resources: number }[];
    /** False if the plan leaves out resources, which are not checked (-target, -refresh-only, deferred changes). */
    readonly isComplete: boolean;
    /** Number of values of which Terraform keeps only a hash, and whose text is not in the file. */
    readonly hashedValues: number;
  };
}

/** The error in a file that is not a state. It contains no value from the file, so it can be printed. */
export class StateError extends Error {}

interface Counter {
  encrypted: number;
}

/** @throws StateError if the text is not an exported state */
export function readState(text: string): State {
  return stateOf(jsonObjectOf(text), text);
}

/** @throws StateError if the text is not a JSON object */
export function jsonObjectOf(text: string): Readonly<Record<string, unknown>> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new StateError("it is not JSON");
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw new StateError("it is not a JSON object");
  return parsed as Readonly<Record<string, unknown>>;
}

/**
 * @param parsed the JSON of `text`
 * @throws StateError if it is not an exported state
 */
export function stateOf(parsed: Readonly<Record<string, unknown>>, text: string): State {
  const deployment = deploymentOf(parsed);
  const counter: Counter = { encrypted: 0 };
  const lines = linesOf(text, "urn");
  const raw = listOf(deployment.resources, "deployment.resources")
    .map((resource, index) => recordOf(resource, `deployment.resources[${index}]`))
    // A resource that is pending deletion is no longer part of the stack.
    .filter((resource) => resource.delete !== true);
  const resources = raw.map((resource, index) => stateResource(resource, index, lines, counter));
  linkReferences(resources, raw);
  const [first] = resources;
  const [head = "", project = ""] = first?.urn.split("::") ?? [];
  return { stack: head.split(":").at(-1) ?? "", project, resources, encryptedValues: counter.encrypted };
}

function deploymentOf({
  version,
  deployment,
  checkpoint,
}: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (checkpoint !== undefined) throw new StateError("it is a checkpoint file of a backend, not an export");
  if (deployment === undefined || deployment === null) throw new StateError('it has no "deployment"');
  if (typeof version !== "number" || version < 3 || version > 4)
    throw new StateError('its "version" is not 3 or 4, the versions that this pack reads');
  const record = recordOf(deployment, "deployment");
  // The export of a stack that was never updated has no list.
  return record.resources === undefined || record.resources === null ? { ...record, resources: [] } : record;
}

function recordOf(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new StateError(`${at} is not an object`);
  return value as Readonly<Record<string, unknown>>;
}

function listOf(value: unknown, at: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new StateError(`${at} is not a list`);
  return value;
}

/** The first line with each text (as JSON writes it) that a key has, in a file with one key a line. */
export function linesOf(text: string, key: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  const pattern = new RegExp(`^\\s*"${key}":\\s*("(?:[^"\\\\]|\\\\.)*")`);
  for (const [index, line] of text.split("\n").entries()) {
    const value = pattern.exec(line)?.[1];
    if (value !== undefined && !lines.has(value)) lines.set(value, index + 1);
  }
  return lines;
}

function stateResource(
  resource: Readonly<Record<string, unknown>>,
  index: number,
  lines: ReadonlyMap<string, number>,
  counter: Counter,
): StateResource {
  const { urn, id, type } = resource;
  if (typeof urn !== "string" || !/^urn:pulumi:.+::.+::.+::/.test(urn))
    throw new StateError(`deployment.resources[${index}].urn is not a URN`);
  if (typeof type !== "string") throw new StateError(`deployment.resources[${index}].type is not a string`);
  const name = urn.split("::").slice(3).join("::");
  const opts = {
    protect: resource.protect === true,
    ignoreChanges: textsOf(resource.ignoreChanges),
    additionalSecretOutputs: textsOf(resource.additionalSecretOutputs),
  };
  const inputs = plain(resource.inputs ?? {}, counter) as object;
  const outputs = plain(resource.outputs ?? {}, { encrypted: 0 }) as object;
  const withId = typeof id === "string" ? { id, ...outputs } : outputs;
  return {
    urn,
    type,
    name,
    line: lines.get(JSON.stringify(urn)) ?? 1,
    inputs: { urn, type, name, opts, props: inputs, secretInputs: secretsIn(resource.inputs) },
    outputs: { urn, type, name, opts, props: withId, propertyDependencies: {} },
  };
}

/** The inputs that are secrets or contain secrets. */
function secretsIn(inputs: unknown): readonly string[] {
  if (typeof inputs !== "object" || inputs === null) return [];
  return Object.entries(inputs).flatMap(([name, value]) => (holdsSecret(value) ? [name] : []));
}

function holdsSecret(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return (
    (value as Record<string, unknown>)[specialKey] === secretMark || Object.values(value).some(holdsSecret)
  );
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** Same format as @pulumi/policy: property -> resources. */
function linkReferences(
  resources: readonly StateResource[],
  raw: readonly Readonly<Record<string, unknown>>[],
): void {
  for (const [index, { outputs }] of resources.entries()) {
    const given = raw[index]?.propertyDependencies;
    if (typeof given !== "object" || given === null) continue;
    for (const [property, urns] of Object.entries(given)) {
      (outputs.propertyDependencies as Record<string, readonly { urn: string }[]>)[property] = textsOf(
        urns,
      ).map((other) => ({ urn: other }));
    }
  }
}

/** The keys that mark special values in a state (sdk/go/common/resource/sig). */
const specialKey = "4dabf18193072939515e22adb298388d";
const secretMark = "1b47061264138c4ac30d75fd1eb44270";
const outputMark = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
/** The placeholder for unknown values in the state of an interrupted update. */
const unknownText = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

function plain(value: unknown, counter: Counter): unknown {
  if (value === unknownText) return unknownValue;
  if (Array.isArray(value)) return value.map((item) => plain(item, counter));
  if (typeof value !== "object" || value === null) return value;
  const record = value as Record<string, unknown>;
  if (record[specialKey] === secretMark) return decrypted(record, counter);
  if (record[specialKey] === outputMark)
    return "value" in record ? plain(record.value, counter) : unknownValue;
  return Object.fromEntries(Object.entries(record).map(([key, item]) => [key, plain(item, counter)]));
}

function decrypted({ plaintext }: Record<string, unknown>, counter: Counter): unknown {
  if (typeof plaintext === "string") {
    try {
      return plain(JSON.parse(plaintext), counter);
    } catch {
      // A plaintext that is not JSON counts as unknown, like a ciphertext.
    }
  }
  counter.encrypted += 1;
  return unknownValue;
}
