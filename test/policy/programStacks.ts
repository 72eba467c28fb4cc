/** The stacks of the project's own program, as the engine would show them to the policies. */
import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import type { Fixture, FixtureResource } from "../../policy/frame/fixture";
import { unknownValue } from "../../policy/frame/value";
import { type Registration, type Registrations, registrations } from "../mocks/registrations";
import { testCertificate } from "../unit/certificates";

/** A first preview does not know what the cloud has still to make; an update's end does. */
export type Moment = "first preview" | "update";

export interface ProgramStack {
  readonly environment: "development" | "production";
  readonly topology: "converged" | "separated";
  readonly tls: "reencrypt" | "passthrough";
  readonly monitoring: "none" | "datadog";
  readonly replication: "group" | "source-replica";
}

/** A public key as in a .pub file. Its base64 must not look like a secret to a policy. */
const publicKey = `ssh-ed25519 ${Buffer.concat([
  Buffer.from("\0\0\0\x0bssh-ed25519\0\0\0\x20"),
  createHash("sha256").update("alice").digest(),
]).toString("base64")} alice@laptop`;

async function configOf({ environment, topology, tls, monitoring, replication }: ProgramStack) {
  const domain = environment === "production" ? "foobar.com" : "dev.foobar.com";
  const pair = tls === "passthrough" ? await testCertificate([`www.${domain}`]) : undefined;
  return {
    environment,
    topology,
    domain,
    replication,
    monitoring,
    ...(topology === "separated"
      ? {
          operators: JSON.stringify({
            networks: ["192.0.2.0/24"],
            users: [{ name: "alice", keys: [publicKey] }],
          }),
        }
      : {}),
    ...(monitoring === "datadog"
      ? { datadog: JSON.stringify({ apiKey: "0123456789abcdef0123456789abcdef" }) }
      : {}),
    ...(pair === undefined
      ? {}
      : {
          tls,
          passthrough: JSON.stringify({ certificate: pair.certificate, privateKey: pair.privateKey }),
        }),
  };
}

/** Runs of the program, by their settings: each takes a third of a second. */
const runs = new Map<
  string,
  { readonly config: Readonly<Record<string, string>>; readonly made: Registrations }
>();

async function run(stack: ProgramStack, name: string) {
  const key = JSON.stringify(stack);
  const config = await configOf(stack);
  const made = runs.get(key) ?? { config, made: await registrations(name, config) };
  runs.set(key, made);
  return made;
}

/** The values that the mocks make for a resource and that others refer to: its id and its URN at DigitalOcean. */
function madeBy({ type, name, inputs }: Registration): readonly string[] {
  const kind = type.split(":").at(-1);
  if (kind === "DnsRecord") return [];
  const urn =
    kind === "Droplet"
      ? [`do:droplet:${name}`]
      : kind === "LoadBalancer"
        ? ["do:loadbalancer:1"]
        : kind === "Domain"
          ? [`do:domain:${inputs.name}`]
          : kind === "SpacesBucket"
            ? [`do:space:${inputs.name}`]
            : [];
  return [`${name}-id`, ...urn];
}

/** Runs the program and gives its resources as a fixture. */
export async function programFixture(stack: ProgramStack, moment: Moment): Promise<Fixture> {
  const name = stack.environment === "production" ? "prod" : "dev";
  const {
    config,
    made: { resources },
  } = await run(stack, name);
  const names = new Map<string, string>();
  // Two resources of different types may have one name; a fixture names each but once.
  const keys = resources.map(({ type, name: own }) => {
    const key = [...names.values()].includes(own) ? `${own} (${type.split(":").at(-1)})` : own;
    names.set(`${type}::${own}`, key);
    return key;
  });
  // The mocks' ids are names: where two have one, nothing takes the id of a record.
  const ids = new Map(
    resources.flatMap((resource, index) =>
      madeBy(resource).map((value) => [value, keys[index] ?? resource.name] as const),
    ),
  );
  return {
    title: Object.values(stack).join(", "),
    stack: name,
    config: Object.fromEntries(Object.entries(config).map(([path, value]) => [`secured-web:${path}`, value])),
    resources: Object.fromEntries(
      resources.map((resource, index) => [keys[index] ?? "", fixtureOf(resource, ids, moment)]),
    ),
  };
}

function fixtureOf(
  { type, name, inputs, protect, ignoreChanges }: Registration,
  ids: ReadonlyMap<string, string>,
  moment: Moment,
): FixtureResource {
  const references: Record<string, readonly string[]> = {};
  const properties = Object.fromEntries(
    Object.entries(inputs as Record<string, unknown>).map(([key, value]) => {
      const found = new Set<string>();
      const seen = asSeen(value, ids, moment, found);
      if (found.size > 0) references[key] = [...found];
      return [key, seen];
    }),
  );
  return {
    type,
    properties,
    references,
    protect,
    ignoreChanges,
    ...(moment === "update" ? { outputs: { id: `${name}-id` } } : {}),
  };
}

/** Secrets arrive bare; in a first preview, ids and what holds secrets of the program's own making are unknown. */
function asSeen(
  value: unknown,
  ids: ReadonlyMap<string, string>,
  moment: Moment,
  found: Set<string>,
): unknown {
  if (typeof value === "string") {
    const source = ids.get(value);
    if (source !== undefined) found.add(source);
    const isMade =
      source !== undefined || /-----BEGIN MOCK|passwordOf|^do:|^203\.0\.113\.|^198\.51\.100\./.test(value);
    return moment === "first preview" && isMade ? unknownValue : value;
  }
  if (Array.isArray(value)) return value.map((item) => asSeen(item, ids, moment, found));
  if (typeof value !== "object" || value === null) return value;
  const record = value as Record<string, unknown>;
  if (record[pulumi.runtime.specialSigKey] === pulumi.runtime.specialSecretSig)
    return asSeen(record.value, ids, moment, found);
  return Object.fromEntries(
    Object.entries(record).map(([key, item]) => [key, asSeen(item, ids, moment, found)]),
  );
}
