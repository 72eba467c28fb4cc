import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { Api } from "../core/api";
import { timestamp } from "../core/clock";
import { conflict, notFound, unprocessable } from "../core/errors";
import { type Answer, type ApiRequest, accepted, noContent, ok, param } from "../core/http";
import { page } from "../core/pagination";
import type { Store, Table } from "../core/store";
import { hasTag } from "../core/tags";
import { numericId, parseBody } from "../core/validation";
import { dropletTable, wantedDroplet } from "./droplets/record";
import {
  checkRules,
  describeRule,
  existingTags,
  type Rule,
  type Rules,
  readRules,
  ruleFields,
  ruleObject,
  sameRule,
  withoutPeer,
} from "./firewallRules";

export interface FirewallRecord extends Rules {
  readonly id: string;
  readonly name: string;
  readonly status: "waiting" | "succeeded" | "failed";
  readonly created_at: string;
  /** The droplets on which it is not yet active or not yet removed. */
  readonly pending: readonly { readonly droplet_id: number; readonly removing: boolean }[];
  readonly droplet_ids: readonly number[];
  readonly tags: readonly string[];
}

export const firewallTable = (store: Store): Table<FirewallRecord> =>
  store.table<FirewallRecord>("firewalls");

const ACTION = "firewall";
// Firewalls documentation, Limits.
const MAX_DROPLETS = 10;
const MAX_TAGS = 5;

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9.-]{1,254}$/;
const list = <S extends z.ZodType>(item: S) => z.array(item).nullish();
const body = z.object({
  name: z
    .string()
    .regex(NAME, "invalid name: 2 to 255 letters, digits, periods and dashes, no period or dash first"),
  droplet_ids: list(numericId),
  tags: list(z.string()),
  ...ruleFields,
});
const rulesBody = z.object(ruleFields);
const dropletsBody = z.object({ droplet_ids: z.array(numericId).min(1, "must name at least one droplet") });
const tagsBody = z.object({ tags: z.array(z.string()).min(1, "must name at least one tag") });

/** The droplets that a firewall protects: by id, and by tag. */
export function protectedDroplets(store: Store, { droplet_ids, tags }: FirewallRecord): number[] {
  return dropletTable(store)
    .values()
    .filter((droplet) => droplet_ids.includes(droplet.id) || tags.some((tag) => hasTag(droplet.tags, tag)))
    .map(({ id }) => id);
}

/** `/v2/firewalls`, and the list of a droplet's firewalls. */
export function registerFirewalls(api: Api): void {
  const firewalls = firewallTable(api.store);
  const wanted = (request: ApiRequest): FirewallRecord => {
    const firewall = firewalls.get(param(request, "firewall"));
    if (!firewall) throw notFound();
    return firewall;
  };

  api.actions.define(ACTION, {
    unlisted: true,
    perform: () => api.applyToHost({ kind: "firewalls" }),
    complete: ({ resource_id }) => settle(api.store, resource_id, "succeeded"),
    fail: ({ resource_id }) => settle(api.store, resource_id, "failed"),
  });
  api.onDeleted((urnType, id) => forget(api, urnType, id));

  api.get("/v2/firewalls", (request) => page(request, "firewalls", firewalls.values(), firewallObject));

  api.post("/v2/firewalls", (request) => {
    const firewall: FirewallRecord = {
      id: randomUUID(),
      status: "succeeded",
      created_at: timestamp(),
      pending: [],
      ...read(api, request.body),
    };
    return accepted({ firewall: firewallObject(save(api, firewall)) });
  });

  api.get("/v2/firewalls/:firewall", (request) => ok({ firewall: firewallObject(wanted(request)) }));

  api.put("/v2/firewalls/:firewall", (request) => {
    const firewall = wanted(request);
    const changed = { ...firewall, ...read(api, request.body, firewall) };
    return ok({ firewall: firewallObject(save(api, changed, firewall)) });
  });

  api.delete("/v2/firewalls/:firewall", (request) => {
    const { id } = wanted(request);
    firewalls.delete(id);
    api.actions.abandon(ACTION, id);
    api.changed({ kind: "firewalls" });
    return noContent();
  });

  api.get("/v2/droplets/:droplet/firewalls", (request) => {
    const { id } = wantedDroplet(api.store, request);
    const own = firewalls.values().filter((firewall) => protectedDroplets(api.store, firewall).includes(id));
    return page(request, "firewalls", own, firewallObject);
  });

  registerParts(api, (request, change) => {
    const firewall = wanted(request);
    save(api, change(firewall, request.body), firewall);
    return noContent();
  });
}

type Part = (
  request: ApiRequest,
  change: (firewall: FirewallRecord, body: unknown) => FirewallRecord,
) => Answer;

/** `/droplets`, `/tags` and `/rules` of a firewall: POST adds, DELETE removes. */
function registerParts(api: Api, part: Part): void {
  const path = "/v2/firewalls/:firewall";
  const ids = (given: unknown) => parseBody(dropletsBody, given).droplet_ids;
  const tags = (given: unknown) => parseBody(tagsBody, given).tags;
  const rules = (given: unknown) => readRules(api, atLeastOne(parseBody(rulesBody, given)));

  api.post(`${path}/droplets`, (request) =>
    part(request, (firewall, given) => ({
      ...firewall,
      droplet_ids: existingDroplets(api, [...firewall.droplet_ids, ...ids(given)]),
    })),
  );
  api.delete(`${path}/droplets`, (request) =>
    part(request, (firewall, given) => {
      const gone = ids(given);
      return { ...firewall, droplet_ids: firewall.droplet_ids.filter((id) => !gone.includes(id)) };
    }),
  );
  api.post(`${path}/tags`, (request) =>
    part(request, (firewall, given) => ({
      ...firewall,
      tags: limitedTags(api, [...firewall.tags, ...tags(given)]),
    })),
  );
  api.delete(`${path}/tags`, (request) =>
    part(request, (firewall, given) => {
      const gone = tags(given);
      return { ...firewall, tags: firewall.tags.filter((tag) => !hasTag(gone, tag)) };
    }),
  );
  api.post(`${path}/rules`, (request) =>
    part(request, (firewall, given) => {
      const { inbound, outbound } = rules(given);
      return {
        ...firewall,
        inbound: [...firewall.inbound, ...inbound],
        outbound: [...firewall.outbound, ...outbound],
      };
    }),
  );
  api.delete(`${path}/rules`, (request) =>
    part(request, (firewall, given) => {
      const gone = rules(given);
      return {
        ...firewall,
        inbound: withoutRules(firewall.inbound, gone.inbound),
        outbound: withoutRules(firewall.outbound, gone.outbound),
      };
    }),
  );
}

function atLeastOne<T extends z.output<typeof rulesBody>>(given: T): T {
  if (given.inbound_rules.length + given.outbound_rules.length === 0) {
    throw unprocessable("inbound_rules or outbound_rules is required");
  }
  return given;
}

function withoutRules(rules: readonly Rule[], gone: readonly Rule[]): Rule[] {
  const missing = gone.find((rule) => !rules.some((one) => sameRule(one, rule)));
  if (missing) throw unprocessable(`the firewall has no such rule: ${describeRule(missing)}`);
  return rules.filter((rule) => !gone.some((one) => sameRule(one, rule)));
}

function read(api: Api, given: unknown, before?: FirewallRecord) {
  const { name, droplet_ids, tags, ...rules } = parseBody(body, given);
  const taken = firewallTable(api.store)
    .values()
    .some((firewall) => firewall.name === name && firewall.id !== before?.id);
  if (taken) throw conflict("duplicate name");
  return {
    name,
    ...readRules(api, rules),
    droplet_ids: existingDroplets(api, droplet_ids ?? []),
    tags: limitedTags(api, tags ?? []),
  };
}

function existingDroplets(api: Api, ids: readonly number[]): number[] {
  const missing = ids.find((id) => !dropletTable(api.store).has(id));
  if (missing !== undefined) throw unprocessable(`droplet does not exist: ${missing}`);
  const different = [...new Set(ids)];
  if (different.length > MAX_DROPLETS) {
    throw unprocessable(`droplet_ids: at most ${MAX_DROPLETS}; use a tag for more`);
  }
  return different;
}

function limitedTags(api: Api, names: readonly string[]): string[] {
  const tags = existingTags(api, "tags", names);
  if (tags.length > MAX_TAGS) throw unprocessable(`tags: at most ${MAX_TAGS}`);
  return tags;
}

/** Stores a new or changed firewall. It is `waiting` until the affected droplets have the change. */
function save(api: Api, firewall: FirewallRecord, before?: FirewallRecord): FirewallRecord {
  checkRules(firewall);
  const pending = pendingChanges(api.store, firewall, before);
  const status = pending.length > 0 ? "waiting" : "succeeded";
  const saved = firewallTable(api.store).put(firewall.id, { ...firewall, pending, status });
  api.changed({ kind: "firewalls" });
  api.actions.abandon(ACTION, firewall.id);
  if (status === "waiting") {
    api.actions.start({ type: "apply", resource_id: firewall.id, resource_type: ACTION, region_slug: null });
  }
  return saved;
}

function pendingChanges(store: Store, firewall: FirewallRecord, before?: FirewallRecord) {
  const now = protectedDroplets(store, firewall);
  const then = before ? protectedDroplets(store, before) : [];
  const sameRules =
    before !== undefined &&
    isDeepStrictEqual([before.inbound, before.outbound], [firewall.inbound, firewall.outbound]);
  return [
    ...now
      .filter((id) => !sameRules || !then.includes(id))
      .map((id) => ({ droplet_id: id, removing: false })),
    ...then.filter((id) => !now.includes(id)).map((id) => ({ droplet_id: id, removing: true })),
  ];
}

function settle(store: Store, id: string | number, status: "succeeded" | "failed"): void {
  const firewall = firewallTable(store).get(id);
  if (firewall) firewallTable(store).put(id, { ...firewall, status, pending: [] });
}

const PEER_FIELDS = { droplet: "droplet_ids", loadbalancer: "load_balancer_uids", tag: "tags" } as const;

/** Removes a deleted resource from all firewalls. */
function forget(api: Api, urnType: string, id: string): void {
  if (!(urnType in PEER_FIELDS)) return;
  const field = PEER_FIELDS[urnType as keyof typeof PEER_FIELDS];
  for (const firewall of firewallTable(api.store).values()) {
    const changed: FirewallRecord = {
      ...firewall,
      inbound: firewall.inbound.map((rule) => withoutPeer(rule, field, id)),
      outbound: firewall.outbound.map((rule) => withoutPeer(rule, field, id)),
      droplet_ids: firewall.droplet_ids.filter((one) => urnType !== "droplet" || String(one) !== id),
      pending: firewall.pending.filter((one) => urnType !== "droplet" || String(one.droplet_id) !== id),
      tags: firewall.tags.filter((tag) => urnType !== "tag" || tag.toLowerCase() !== id.toLowerCase()),
    };
    if (isDeepStrictEqual(firewall, changed)) continue;
    firewallTable(api.store).put(firewall.id, changed);
    api.changed({ kind: "firewalls" });
  }
}

function firewallObject(firewall: FirewallRecord): object {
  const { id, name, status, created_at, pending, droplet_ids, tags, inbound, outbound } = firewall;
  return {
    id,
    name,
    status,
    created_at,
    pending_changes: pending.map((change) => ({ ...change, status: "waiting" })),
    inbound_rules: inbound.map((rule) => ruleObject(rule, "sources")),
    outbound_rules: outbound.map((rule) => ruleObject(rule, "destinations")),
    droplet_ids,
    tags,
  };
}
