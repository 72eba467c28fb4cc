import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Api } from "../core/api";
import { timestamp } from "../core/clock";
import { badRequest, notFound } from "../core/errors";
import { type ApiRequest, created, noContent, ok, param } from "../core/http";
import { page } from "../core/pagination";
import type { Store, Table } from "../core/store";
import { text } from "../core/validation";
import { parseAlertBody } from "./notifications";

export interface UptimeCheck {
  readonly id: string;
  readonly name: string;
  readonly type: "ping" | "http" | "https";
  readonly target: string;
  readonly regions: readonly string[];
  readonly enabled: boolean;
  readonly created_at: string;
}

export const uptimeCheckTable = (store: Store): Table<UptimeCheck> =>
  store.table<UptimeCheck>("uptime_checks");

const type = z.enum(["ping", "http", "https"]);
const regions = z
  .array(z.enum(["us_east", "us_west", "eu_west", "se_asia"]))
  .min(1, "must name at least one region")
  .transform((list) => [...new Set(list)]);

// The description also requires a `method`, but no client sends it, and the API works without it.
const createBody = z.object({ name: text(), type, target: text(2048), regions, enabled: z.boolean() });
const updateBody = createBody.partial();

/** `/v2/uptime/checks`: checks from outside. Without an observer no target is checked, and a check stays CHECKING. */
export function registerUptimeChecks(api: Api): void {
  const checks = uptimeCheckTable(api.store);
  const wanted = (request: ApiRequest): UptimeCheck => findUptimeCheck(api.store, param(request, "check"));

  api.get("/v2/uptime/checks", (request) => page(request, "checks", checks.values(), checkObject));

  api.post("/v2/uptime/checks", (request) => {
    const given = parseAlertBody(createBody, request.body);
    const check: UptimeCheck = { id: randomUUID(), ...given, created_at: timestamp() };
    return created({ check: checkObject(checks.put(check.id, withTarget(check))) });
  });

  api.get("/v2/uptime/checks/:check", (request) => ok({ check: checkObject(wanted(request)) }));

  api.put("/v2/uptime/checks/:check", (request) => {
    const check = wanted(request);
    const given = parseAlertBody(updateBody, request.body);
    const changed: UptimeCheck = {
      ...check,
      name: given.name ?? check.name,
      type: given.type ?? check.type,
      target: given.target ?? check.target,
      regions: given.regions ?? check.regions,
      enabled: given.enabled ?? check.enabled,
    };
    return ok({ check: checkObject(checks.put(check.id, withTarget(changed))) });
  });

  api.delete("/v2/uptime/checks/:check", (request) => {
    const check = wanted(request);
    checks.delete(check.id);
    api.deleted("uptime_check", check.id);
    return noContent();
  });

  api.get("/v2/uptime/checks/:check/state", (request) => {
    const check = wanted(request);
    const seen = check.enabled ? api.observer?.uptime(check.id) : undefined;
    const { previous_outage: outage, ...state } = seen ?? {
      status: "CHECKING",
      status_changed_at: check.created_at,
      previous_outage: undefined,
    };
    // There is only one observer, so every region has the same state.
    const states = Object.fromEntries(check.regions.map((region) => [region, state]));
    const previous = outage === undefined ? {} : { region: check.regions[0], ...outage };
    return ok({ state: { regions: states, previous_outage: previous } });
  });
}

export function findUptimeCheck(store: Store, id: string): UptimeCheck {
  const check = uptimeCheckTable(store).get(id);
  if (!check) throw notFound();
  return check;
}

const checkObject = ({ created_at: _hidden, ...shown }: UptimeCheck): object => shown;

const url = z.url({ protocol: /^https?$/ });
const host = z.union([z.ipv4(), z.ipv6(), z.hostname()]);

/** The check itself. Throws 400 if its target does not match its type. */
function withTarget(check: UptimeCheck): UptimeCheck {
  const isUrl = url.safeParse(check.target).success;
  if (check.type !== "ping" && !isUrl) throw badRequest("target: must be an http or https URL");
  if (check.type === "ping" && !isUrl && !host.safeParse(check.target).success) {
    throw badRequest("target: must be a host name or an IP address");
  }
  return check;
}
