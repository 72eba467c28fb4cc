// What the sandbox's account knows of droplets and load balancers, as far as commands about hosts need it.
import { Failure, usageFailure } from "../failure";
import type { Home } from "../home";
import { type ApiAccess, listAll } from "../sandbox/apiClient";
import { runningApi } from "../sandbox/daemon";
import { ensureToken } from "../sandbox/secrets";

export interface DropletView {
  readonly id: number;
  readonly name: string;
  readonly status: "new" | "active" | "off" | "archive";
  readonly tags: readonly string[];
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

/** The API of this sandbox, where it runs. */
export function findApi(home: Home): (ApiAccess & { pid: number }) | undefined {
  const running = runningApi(home);
  return running && { url: running.url, token: ensureToken(home), pid: running.pid };
}

/** Throws a Failure where the API does not run. */
export function requireApi(home: Home): ApiAccess {
  const api = findApi(home);
  if (api !== undefined) return api;
  throw new Failure("The sandbox's API does not run", { remedy: "npm start starts it." });
}

export const droplets = async (api: ApiAccess): Promise<DropletView[]> =>
  (await listAll(api, "/v2/droplets", "droplets")) as unknown as DropletView[];

export const loadBalancers = async (api: ApiAccess): Promise<LoadBalancerView[]> =>
  (await listAll(api, "/v2/load_balancers", "load_balancers")) as unknown as LoadBalancerView[];

export const certificates = async (api: ApiAccess): Promise<CertificateView[]> =>
  (await listAll(api, "/v2/certificates", "certificates")) as unknown as CertificateView[];

/** The droplet of a name, an id or the end of a name that only one has. Throws a Failure that names what there is. */
export async function findDroplet(api: ApiAccess, wanted: string): Promise<DropletView> {
  return oneOf(await droplets(api), wanted);
}

/** As `findDroplet`, for whatever has a name and an id. */
export function oneOf<T extends { readonly id: number; readonly name: string }>(
  all: readonly T[],
  wanted: string,
): T {
  const exact = all.filter(({ id, name }) => name === wanted || String(id) === wanted);
  const found = exact.length > 0 ? exact : all.filter(({ name }) => name.endsWith(`-${wanted}`));
  const [one] = found;
  if (one !== undefined && found.length === 1) return one;
  const names = (found.length > 1 ? found : all).map(({ id, name }) => `${name} (${id})`);
  throw usageFailure(
    found.length > 1 ? `Several hosts are called "${wanted}"` : `There is no host "${wanted}"`,
    names.length === 0 ? "There is none at all: npm start" : `Hosts: ${names.join(", ")}.`,
  );
}
