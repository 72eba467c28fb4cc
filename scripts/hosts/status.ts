import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../failure";
import type { Home } from "../home";
import { runningApi } from "../sandbox/daemon";
import { sandboxDatadog } from "../sandbox/datadogAccess";
import {
  type AlertStatus,
  monitorsOf,
  type TriggeredAlert,
  triggeredAlerts,
  type UptimeStatus,
  uptimeOf,
} from "../status/alerts";
import { type NamedHost, namedHosts, openHosts } from "./access";
import {
  certificates,
  type DropletView,
  droplets,
  findApi,
  type LoadBalancerView,
  loadBalancers,
} from "./account";
import { groupMembers, type Member } from "./members";
import { hasHosts } from "./prepare";

type Instance = import("../../sandbox/hosts/instance").Instance;
type HostState = import("../../sandbox/hosts/operate").HostState;

export interface DropletStatus {
  readonly name: string;
  readonly id: number;
  /** web, database; of a droplet of another program its tags. */
  readonly roles: readonly string[];
  /** As the account has it: "active", "off", ...; undefined while the API does not run. */
  readonly status: string | undefined;
  readonly publicIp: string | undefined;
  readonly privateIp: string | undefined;
  /** Of the machine; undefined where the droplet is a record. */
  readonly host: HostState | undefined;
}

export interface SandboxStatus {
  readonly api: { readonly url: string; readonly pid: number } | undefined;
  readonly droplets: readonly DropletStatus[];
  /** How each database host sees its group; undefined where its MySQL does not answer. */
  readonly groups: readonly { readonly seenBy: string; readonly members: readonly Member[] | undefined }[];
  readonly loadBalancers: readonly {
    readonly name: string;
    readonly ip: string;
    /** Where its ports are on the loopback address. */
    readonly published: readonly { readonly entryPort: number; readonly port: number }[];
    /** Undefined where droplets are records. */
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
    /** Who signed the certificate that the load balancer serves; undefined where none is there. */
    readonly issuer: string | undefined;
  }[];
  readonly uptime: readonly UptimeStatus[];
  /** DigitalOcean's own that are triggered; undefined where nobody looks, because droplets are records. */
  readonly alerts: readonly TriggeredAlert[] | undefined;
  /** Datadog's; undefined where no stand-in runs. */
  readonly monitors: readonly AlertStatus[] | undefined;
}

/** All that can be told of the sandbox now. Throws a Failure where there is none. */
export async function sandboxStatus(home: Home): Promise<SandboxStatus> {
  const api = findApi(home);
  const instance = hasHosts(home) ? await openHosts(home) : undefined;
  if (api === undefined && instance === undefined) {
    throw new Failure(`There is no sandbox in ${home.dir}, or its API does not run`, {
      remedy: "npm start brings it up.",
    });
  }
  const hosts = instance ? await namedHosts(instance) : [];
  const known = api ? await droplets(api) : [];
  const balancers = api ? await loadBalancers(api) : [];
  const names = new Map(known.map(({ id, name }) => [id, name]));
  return {
    api: api && { url: api.url, pid: api.pid },
    droplets: await dropletStates(instance, known, hosts),
    groups: await groups(known, hosts),
    loadBalancers: await Promise.all(balancers.map((balancer) => balancerState(instance, balancer, names))),
    certificates: api
      ? await Promise.all(
          (await certificates(api)).map(async ({ id, name, type, state, dns_names, not_after }) => ({
            name,
            type,
            state,
            domains: dns_names,
            notAfter: not_after,
            issuer: await issuer(home, id),
          })),
        )
      : [],
    uptime: api ? await uptimeOf(api) : [],
    alerts: api && (await triggeredAlerts(api)),
    monitors: await monitors(home),
  };
}

async function monitors(home: Home): Promise<readonly AlertStatus[] | undefined> {
  const datadog = runningApi(home) && sandboxDatadog(home);
  return datadog && (await monitorsOf(datadog).catch(() => undefined)); // it is just starting
}

async function dropletStates(
  instance: Instance | undefined,
  known: readonly DropletView[],
  hosts: readonly NamedHost[],
): Promise<DropletStatus[]> {
  const { hostStates } =
    require("../../sandbox/hosts/operate") as typeof import("../../sandbox/hosts/operate");
  const states = new Map(
    (instance ? await hostStates(instance) : []).map((state) => [state.dropletId, state]),
  );
  const address = ({ networks }: DropletView, type: string) =>
    networks.v4.find((one) => one.type === type)?.ip_address;
  const ofAccount = known.map((droplet) => ({
    name: droplet.name,
    id: droplet.id,
    roles: rolesOf(droplet.tags),
    status: droplet.status,
    publicIp: address(droplet, "public"),
    privateIp: address(droplet, "private"),
    host: states.get(droplet.id),
  }));
  const unknown = hosts.filter(({ host }) => !known.some(({ id }) => id === host.dropletId));
  const others = unknown.map(({ name, host }) => ({
    name,
    id: host.dropletId,
    roles: [],
    status: undefined,
    publicIp: undefined,
    privateIp: undefined,
    host: states.get(host.dropletId),
  }));
  return [...ofAccount, ...others].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** infra/topology.ts, roleTag: `secured-web-STACK-ROLE`. */
function rolesOf(tags: readonly string[]): string[] {
  const roles = tags.flatMap((tag) => /^secured-web-.+-(web|database)$/i.exec(tag)?.[1] ?? []);
  return roles.length > 0 ? roles : [...tags];
}

/** Where the account cannot be asked every host is: whoever has no MySQL has no answer. */
async function groups(
  known: readonly DropletView[],
  hosts: readonly NamedHost[],
): Promise<SandboxStatus["groups"]> {
  const isDatabase = ({ host }: NamedHost) => {
    const droplet = known.find(({ id }) => id === host.dropletId);
    return droplet === undefined || rolesOf(droplet.tags).includes("database");
  };
  return Promise.all(
    hosts.filter(isDatabase).map(async (one) => ({ seenBy: one.name, members: await groupMembers(one) })),
  );
}

async function balancerState(
  instance: Instance | undefined,
  { id, name, ip }: LoadBalancerView,
  names: ReadonlyMap<number, string>,
): Promise<SandboxStatus["loadBalancers"][number]> {
  if (instance === undefined) return { name, ip, published: [], backends: undefined };
  const { Balancers } =
    require("../../sandbox/hosts/balancer/balancers") as typeof import("../../sandbox/hosts/balancer/balancers");
  const { readPublished } =
    require("../../sandbox/hosts/publish") as typeof import("../../sandbox/hosts/publish");
  const published = (await readPublished(instance)).filter(({ balancerId }) => balancerId === id);
  const servers = await new Balancers(instance).states(id);
  return {
    name,
    ip,
    published: published.map(({ entryPort, port }) => ({ entryPort, port })),
    backends: servers.map(({ backend, server, status, check }) => {
      // HAProxy calls a droplet d and its id (sandbox/hosts/balancer/config.ts).
      return { backend, droplet: names.get(Number(server.slice(1))) ?? server, status, check };
    }),
  };
}

async function issuer(home: Home, certificateId: string): Promise<string | undefined> {
  try {
    const pem = await readFile(join(home.hostsDir, "certificates", `${certificateId}.pem`));
    return new X509Certificate(pem).issuer.replaceAll("\n", ", ");
  } catch {
    return undefined;
  }
}
