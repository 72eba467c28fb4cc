// Droplets, load balancers and certificates of the sandbox's account, and the actions that its commands request.
import { setTimeout as delay } from "node:timers/promises";
import { runningApi } from "../background/daemon";
import { ensureToken } from "../background/token";
import type { Calls } from "../calls";
import { Failure, usageFailure } from "../failure";
import type { Sandbox } from "../sandbox";
import { type ApiAccess, listAll, request } from "./apiClient";

/** A host that boots; a snapshot that is copied. */
const ACTION_WITHIN_MS = 180_000;

export interface DropletView {
  readonly id: number;
  readonly name: string;
  readonly status: "new" | "active" | "off" | "archive";
  readonly tags: readonly string[];
  readonly image: { readonly id: number };
  readonly networks: { readonly v4: readonly { readonly ip_address: string; readonly type: string }[] };
}

export interface LoadBalancerView {
  readonly id: string;
  readonly name: string;
  readonly ip: string;
  readonly forwarding_rules: readonly { readonly entry_port: number; readonly tls_passthrough?: boolean }[];
}

export interface CertificateView {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly state: string;
  readonly dns_names: readonly string[];
  readonly not_after: string;
}

/** The API of this sandbox, if it is running. */
export function findApi(sandbox: Sandbox): (ApiAccess & { pid: number }) | undefined {
  const running = runningApi(sandbox);
  return running && { url: running.url, token: ensureToken(sandbox), pid: running.pid };
}

/** Throws a Failure if the API is not running. */
export function requireApi(sandbox: Sandbox): ApiAccess {
  const api = findApi(sandbox);
  if (api !== undefined) return api;
  throw new Failure("The sandbox's API is not running", {
    remedy: `${sandbox.calls.start} starts it.`,
  });
}

export const droplets = async (api: ApiAccess): Promise<DropletView[]> =>
  (await listAll(api, "/v2/droplets", "droplets")) as unknown as DropletView[];

export const loadBalancers = async (api: ApiAccess): Promise<LoadBalancerView[]> =>
  (await listAll(api, "/v2/load_balancers", "load_balancers")) as unknown as LoadBalancerView[];

export const certificates = async (api: ApiAccess): Promise<CertificateView[]> =>
  (await listAll(api, "/v2/certificates", "certificates")) as unknown as CertificateView[];

/** The droplet with a name, an id or a unique end of a name. Throws a Failure that lists the existing ones. */
export async function findDroplet(sandbox: Sandbox, api: ApiAccess, wanted: string): Promise<DropletView> {
  return oneOf(await droplets(api), wanted, sandbox.calls);
}

/** Like `findDroplet`, for any list of names and ids. */
export function oneOf<T extends { readonly id: number; readonly name: string }>(
  all: readonly T[],
  wanted: string,
  calls: Calls,
): T {
  const exact = all.filter(({ id, name }) => name === wanted || String(id) === wanted);
  const found = exact.length > 0 ? exact : all.filter(({ name }) => name.endsWith(`-${wanted}`));
  const [one] = found;
  if (one !== undefined && found.length === 1) return one;
  const names = (found.length > 1 ? found : all).map(({ id, name }) => `${name} (${id})`);
  throw usageFailure(
    found.length > 1 ? `Several hosts are called "${wanted}"` : `Unknown host "${wanted}"`,
    names.length === 0 ? `The account has none: ${calls.fill}` : `Hosts: ${names.join(", ")}.`,
  );
}

/** Sends an action and returns when the machine has done it. Throws a Failure if it cannot, or not in time. */
export async function act(
  sandbox: Sandbox,
  api: ApiAccess,
  droplet: { readonly id: number; readonly name: string },
  action: { readonly type: string; readonly image?: number },
): Promise<void> {
  const { type } = action;
  const path = `/v2/droplets/${droplet.id}/actions`;
  const { status, body } = await request(api, "POST", path, { body: action });
  if (status >= 300) {
    throw new Failure(`${droplet.name}: ${(body as { message?: string })?.message ?? `HTTP ${status}`}`);
  }
  const { id } = (body as { action: { id: number } }).action;
  const deadline = Date.now() + ACTION_WITHIN_MS;
  while (Date.now() < deadline) {
    const answer = await request(api, "GET", `/v2/actions/${id}`);
    const now = (answer.body as { action: { status: string } }).action.status;
    if (now === "completed") return;
    if (now === "errored") {
      throw new Failure(`${droplet.name}: ${type} failed`, {
        remedy: `For the reason, see the end of ${sandbox.apiLog} and ${sandbox.calls.verb} logs ${droplet.name}.`,
      });
    }
    await delay(200);
  }
  throw new Failure(`${droplet.name}: ${type} was not done within ${ACTION_WITHIN_MS / 1000} s`);
}

/** The droplets that never started: their creation failed, and so did every later attempt. */
export async function unmadeDroplets(api: ApiAccess): Promise<DropletView[]> {
  const off = (await droplets(api)).filter(({ status }) => status === "off");
  const failed = off.map(async (droplet) => {
    const actions = await listAll(api, `/v2/droplets/${droplet.id}/actions`, "actions");
    return actions.every(({ status }) => status === "errored") ? [droplet] : [];
  });
  return (await Promise.all(failed)).flat();
}
