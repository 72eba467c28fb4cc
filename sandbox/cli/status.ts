import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { runningApi } from "../background/daemon";
import { sandboxDatadog } from "../background/datadogAccess";
import {
  certificates,
  type DropletView,
  droplets,
  findApi,
  type LoadBalancerView,
  loadBalancers,
} from "../client/account";
import {
  type MonitorState,
  monitorStates,
  type TriggeredAlert,
  triggeredAlerts,
  type UptimeState,
  uptimeStates,
} from "../client/alerts";
import { spacesUrl } from "../client/spaces";
import { Failure } from "../failure";
import { Balancers } from "../hosts/balancer/balancers";
import type { Instance } from "../hosts/instance";
import { type NamedHost, namedHosts, openHosts } from "../hosts/namedHosts";
import { type HostState, hostStates } from "../hosts/operate";
import { readPublished } from "../hosts/publish";
import { hasHosts, type Sandbox } from "../sandbox";

export interface DropletStatus {
  readonly name: string;
  readonly id: number;
  readonly tags: readonly string[];
  /** The status in the account: "active", "off", ...; undefined while the API is not running. */
  readonly status: string | undefined;
  readonly publicIp: string | undefined;
  readonly privateIp: string | undefined;
  /** The state of the machine; undefined if the droplet is only a record. */
  readonly host: HostState | undefined;
}

export interface SandboxStatus {
  readonly api:
    | {
        readonly url: string;
        readonly pid: number;
        /** Where Spaces answer; undefined if the API has none. */
        readonly spaces: string | undefined;
      }
    | undefined;
  readonly droplets: readonly DropletStatus[];
  readonly loadBalancers: readonly {
    readonly name: string;
    readonly ip: string;
    /** Its ports on the loopback address. */
    readonly published: readonly { readonly entryPort: number; readonly port: number }[];
    /** Undefined if droplets are only records. */
    readonly backends:
      | readonly {
          readonly backend: string;
          readonly droplet: string;
          readonly status: string;
          readonly check: string;
        }[]
      | undefined;
  }[];
  readonly certificates: readonly {
    readonly name: string;
    readonly type: string;
    readonly state: string;
    readonly domains: readonly string[];
    readonly notAfter: string;
    /** The issuer of the load balancer's certificate; undefined if there is none. */
    readonly issuer: string | undefined;
  }[];
  readonly uptime: readonly UptimeState[];
  /**
   * DigitalOcean's own alerts that are triggered; undefined without an observer, because droplets are only records.
   */
  readonly alerts: readonly TriggeredAlert[] | undefined;
  /** Datadog's monitors; undefined if no stand-in is running. */
  readonly monitors: readonly MonitorState[] | undefined;
}

/** The whole status of the sandbox. Throws a Failure if there is no sandbox. */
export async function sandboxStatus(sandbox: Sandbox): Promise<SandboxStatus> {
  const api = findApi(sandbox);
  const instance = hasHosts(sandbox) ? await openHosts(sandbox) : undefined;
  if (api === undefined && instance === undefined) {
    throw new Failure(`There is no sandbox in ${sandbox.dir}, or its API is not running`, {
      remedy: `To start it, run ${sandbox.calls.start}.`,
    });
  }
  const hosts = instance ? await namedHosts(instance) : [];
  const known = api ? await droplets(api) : [];
  const balancers = api ? await loadBalancers(api) : [];
  const names = new Map(known.map(({ id, name }) => [id, name]));
  return {
    api: api && { url: api.url, pid: api.pid, spaces: await spacesUrl(api) },
    droplets: await dropletStates(instance, known, hosts),
    loadBalancers: await Promise.all(balancers.map((balancer) => balancerState(instance, balancer, names))),
    certificates: api
      ? await Promise.all(
          (await certificates(api)).map(async ({ id, name, type, state, dns_names, not_after }) => ({
            name,
            type,
            state,
            domains: dns_names,
            notAfter: not_after,
            issuer: await issuer(sandbox, id),
          })),
        )
      : [],
    uptime: api ? await uptimeStates(api) : [],
    alerts: api && (await triggeredAlerts(api)),
    monitors: await monitors(sandbox),
  };
}

async function monitors(sandbox: Sandbox): Promise<readonly MonitorState[] | undefined> {
  const datadog = runningApi(sandbox) && sandboxDatadog(sandbox);
  return datadog && (await monitorStates(datadog).catch(() => undefined)); // it is just starting
}

async function dropletStates(
  instance: Instance | undefined,
  known: readonly DropletView[],
  hosts: readonly NamedHost[],
): Promise<DropletStatus[]> {
  const states = new Map(
    (instance ? await hostStates(instance) : []).map((state) => [state.dropletId, state]),
  );
  const address = ({ networks }: DropletView, type: string) =>
    networks.v4.find((one) => one.type === type)?.ip_address;
  const ofAccount = known.map((droplet) => ({
    name: droplet.name,
    id: droplet.id,
    tags: droplet.tags,
    status: droplet.status,
    publicIp: address(droplet, "public"),
    privateIp: address(droplet, "private"),
    host: states.get(droplet.id),
  }));
  const unknown = hosts.filter(({ host }) => !known.some(({ id }) => id === host.dropletId));
  const others = unknown.map(({ name, host }) => ({
    name,
    id: host.dropletId,
    tags: [],
    status: undefined,
    publicIp: undefined,
    privateIp: undefined,
    host: states.get(host.dropletId),
  }));
  return [...ofAccount, ...others].sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function balancerState(
  instance: Instance | undefined,
  { id, name, ip }: LoadBalancerView,
  names: ReadonlyMap<number, string>,
): Promise<SandboxStatus["loadBalancers"][number]> {
  if (instance === undefined) return { name, ip, published: [], backends: undefined };
  const published = (await readPublished(instance)).filter(({ balancerId }) => balancerId === id);
  const servers = await new Balancers(instance).states(id);
  return {
    name,
    ip,
    published: published.map(({ entryPort, port }) => ({ entryPort, port })),
    backends: servers.map(({ backend, server, status, check }) => {
      // HAProxy calls a droplet d followed by its id (hosts/balancer/config.ts).
      return { backend, droplet: names.get(Number(server.slice(1))) ?? server, status, check };
    }),
  };
}

async function issuer(sandbox: Sandbox, certificateId: string): Promise<string | undefined> {
  try {
    const pem = await readFile(join(sandbox.hostsDir, "certificates", `${certificateId}.pem`));
    return new X509Certificate(pem).issuer.replaceAll("\n", ", ");
  } catch {
    return undefined;
  }
}
