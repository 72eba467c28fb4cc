import type { Problem } from "../../provider/check";
import { computed, optional, required, set, string } from "../../provider/fields";
import type { Operation, ResourceType } from "../../provider/resource";
import { notEmpty, oneOf } from "../../provider/validators";
import { isUnknown, type PropertyMap } from "../../provider/values";
import { waitFor } from "../../provider/wait";
import type { Client } from "../client";
import { removeWhenFree, sha1 } from "../common";
import { apiBody, strings, text, withoutEmpty } from "../inputs";

export interface ApiCertificate {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly state: string;
  readonly not_after: string;
  readonly sha1_fingerprint: string;
  readonly dns_names?: readonly string[] | null;
}

const verifyTimeoutMs = 20 * 60_000;
const inUseTimeoutMs = 30_000;

const pem = { replaces: true, validate: [notEmpty], stateOf: sha1 } as const;

export const certificate: ResourceType<Client> = {
  name: "Certificate",
  fields: {
    name: required(string, { autoname: true, replaces: true, validate: [notEmpty] }),
    type: optional(string, {
      default: "custom",
      replaces: true,
      validate: [oneOf("custom", "lets_encrypt")],
    }),
    privateKey: optional(string, { ...pem, secret: true }),
    leafCertificate: optional(string, pem),
    certificateChain: optional(string, pem),
    domains: optional(set(string, notEmpty), {
      replaces: true,
      conflictsWith: ["privateKey", "leafCertificate", "certificateChain"],
    }),
    // A Let's Encrypt certificate gets a new UUID at each renewal, so the resource's id is its name.
    uuid: computed(string),
    state: computed(string),
    notAfter: computed(string),
    sha1Fingerprint: computed(string),
  },

  problems(inputs): Problem[] {
    if (isUnknown(inputs.type)) return [];
    const custom = inputs.type === "custom";
    return (custom ? ["privateKey", "leafCertificate"] : ["domains"])
      .filter((key) => inputs[key] === undefined)
      .map((key) => ({ path: key, reason: `"${key}" is required when type is ${String(inputs.type)}` }));
  },

  async create({ client }, inputs) {
    const body = {
      ...apiBody(inputs, "name", "privateKey", "leafCertificate", "certificateChain", "type"),
      ...withoutEmpty({ dns_names: strings(inputs, "domains") }),
    };
    const { certificate: made } = await client.post<{ certificate: ApiCertificate }>(
      "/v2/certificates",
      body,
    );
    return { id: made.name, state: { uuid: made.id } };
  },

  async settle(op, id, prior) {
    await verified(op, id, text(prior, "uuid"));
    return stateOf(await findCertificate(op.client, id), prior);
  },

  async read({ client }, id, prior) {
    const found = await lookUp(client, id);
    return found && { state: stateOf(found, prior) };
  },

  async delete(op, id) {
    const found = await lookUp(op.client, id);
    if (found === undefined) return;
    await removeWhenFree(op, `/v2/certificates/${found.id}`, {
      refusals: [403],
      what: `certificate ${id} to be no longer in use`,
      timeoutMs: inUseTimeoutMs,
    });
  },
};

async function verified(op: Operation<Client>, name: string, uuid: string): Promise<void> {
  const timeoutMs = op.timeoutMs ?? verifyTimeoutMs;
  await waitFor({ what: `certificate ${name} to be verified`, timeoutMs, signal: op.signal }, async () => {
    const { certificate: found } = await op.client.get<{ certificate: ApiCertificate }>(
      `/v2/certificates/${uuid}`,
    );
    if (found.state === "verified") return true;
    if (found.state !== "pending")
      throw new Error(`certificate ${name} is in state "${found.state}", not verified`);
    return undefined;
  });
}

async function lookUp(client: Client, name: string): Promise<ApiCertificate | undefined> {
  const path = `/v2/certificates?name=${encodeURIComponent(name)}`;
  const { certificates } = await client.get<{ certificates: ApiCertificate[] | null }>(path);
  return certificates?.find((candidate) => candidate.name === name);
}

/** Finds a certificate by name: its id changes at each renewal. @throws Error if there is none */
export async function findCertificate(client: Client, name: string): Promise<ApiCertificate> {
  const found = await lookUp(client, name);
  if (found === undefined) throw new Error(`certificate "${name}" not found`);
  return found;
}

/** For a custom certificate the API reads the domains from the certificate; the program does not set them. */
function stateOf(found: ApiCertificate, prior: PropertyMap): PropertyMap {
  const domains = found.type === "custom" ? (prior.domains ?? null) : [...(found.dns_names ?? [])];
  return {
    name: found.name,
    uuid: found.id,
    type: found.type,
    state: found.state,
    notAfter: found.not_after,
    sha1Fingerprint: found.sha1_fingerprint,
    domains,
  };
}
