import { mkdir } from "node:fs/promises";
import { Actions } from "./core/actions";
import { Api } from "./core/api";
import type { HostChange, HostDriver } from "./core/host";
import { createHttpServer } from "./core/httpServer";
import { lockStateDir } from "./core/lock";
import type { Observer } from "./core/observer";
import type { SpacesBackend } from "./core/spaces";
import { Store } from "./core/store";
import { registerAccount } from "./resources/account";
import { registerActions } from "./resources/actions";
import { registerCatalogue } from "./resources/catalogue";
import { registerCertificates } from "./resources/certificates";
import { registerDomainRecords } from "./resources/domainRecords";
import { registerDomains } from "./resources/domains";
import { registerDroplets } from "./resources/droplets/routes";
import { registerFirewalls } from "./resources/firewalls";
import { registerImages } from "./resources/images";
import { registerLoadBalancerMetrics } from "./resources/loadBalancerMetrics";
import { registerLoadBalancers } from "./resources/loadBalancers";
import { registerMonitoringAlerts } from "./resources/monitoringAlerts";
import { registerProjects } from "./resources/projects";
import { registerReservedIps } from "./resources/reservedIps";
import { registerSnapshots } from "./resources/snapshots";
import { registerSpacesKeys, spacesAccounts } from "./resources/spacesKeys";
import { registerSshKeys } from "./resources/sshKeys";
import { registerTags } from "./resources/tags";
import { registerTriggeredAlerts } from "./resources/triggeredAlerts";
import { registerUptimeAlerts } from "./resources/uptimeAlerts";
import { registerUptimeChecks } from "./resources/uptimeChecks";
import { registerVolumes } from "./resources/volumes";
import { registerVpcPeerings } from "./resources/vpcPeerings";
import { registerVpcs } from "./resources/vpcs";

/** Every resource family, one per line. */
const RESOURCES: readonly ((api: Api) => void)[] = [
  registerAccount,
  registerActions,
  registerCatalogue,
  registerCertificates,
  registerDomainRecords,
  registerDomains,
  registerDroplets,
  registerFirewalls,
  registerImages,
  registerLoadBalancers,
  registerLoadBalancerMetrics,
  registerMonitoringAlerts,
  registerProjects,
  registerReservedIps,
  registerSnapshots,
  registerSpacesKeys,
  registerSshKeys,
  registerTags,
  registerTriggeredAlerts,
  registerUptimeAlerts,
  registerUptimeChecks,
  registerVolumes,
  registerVpcPeerings,
  registerVpcs,
];

/** Registers the routes of every resource family. */
export function registerResources(api: Api): void {
  for (const register of RESOURCES) register(api);
}

export interface ApiOptions {
  /** The folder of the account, created with mode 0700 if absent. Only one server can use it at a time. */
  stateDir: string;
  /** 0 uses any free port. */
  port: number;
  /** The only accepted bearer token. */
  token: string;
  /** The time for which an asynchronous action stays in-progress. */
  actionDelayMs?: number;
  /**
   * How long a VPC keeps a droplet or load balancer that was deleted: at DigitalOcean a while, in which the VPC cannot
   * be deleted. Default: 0.
   */
  vpcLingerMs?: number;
  /** Requests per hour. Without it, the limit of 5,000 is shown but not enforced. */
  rateLimit?: number | undefined;
  /** Runs droplets, firewalls and so on; without it they are only records. */
  host?: HostDriver;
  /** Opens buckets to the account's Spaces keys; without it keys are only records. */
  spaces?: SpacesBackend;
  /** Runs uptime checks and evaluates alerts; without it, neither happens. */
  observer?: Observer;
}

export interface RunningApi {
  /** `http://127.0.0.1:PORT`, without the `/v2`. */
  url: string;
  port: number;
  /** Finishes running requests, saves, and releases the state directory. */
  close(): Promise<void>;
}

/**
 * Starts the DigitalOcean API v2 stand-in on the loopback address. Throws an error with the remedy if the state
 * directory is in use or unreadable, or the port is in use.
 */
export async function startApi(options: ApiOptions): Promise<RunningApi> {
  await mkdir(options.stateDir, { recursive: true, mode: 0o700 });
  const unlock = lockStateDir(options.stateDir);
  try {
    const store = await Store.open(options.stateDir);
    const host = serialHost(options.host, store);
    await options.host?.start?.(store);
    const actions = new Actions(store, options.actionDelayMs ?? 500);
    const { observer, spaces, vpcLingerMs } = options;
    const api = new Api(store, actions, host.apply, observer, spaces, vpcLingerMs);
    api.onChange(host.notify);
    registerResources(api);
    const http = createHttpServer(api, options);
    options.spaces?.setAccounts(spacesAccounts(store));
    const port = await http.listen(options.port);
    actions.resume();
    options.observer?.start(store);
    return {
      url: `http://127.0.0.1:${port}`,
      port,
      close: async () => {
        await http.close();
        await options.observer?.stop();
        await actions.stop();
        await host.idle();
        await store.close();
        unlock();
      },
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** Sends the driver one change at a time for each droplet, and one at a time of all other changes. */
function serialHost(driver: HostDriver | undefined, store: Store) {
  const last = new Map<string, Promise<void>>();
  const apply = (change: HostChange): Promise<void> => {
    if (!driver) return Promise.resolve();
    const key = "dropletId" in change ? `droplet ${change.dropletId}` : "account";
    const run = (last.get(key) ?? Promise.resolve()).catch(() => {}).then(() => driver.apply(change, store));
    last.set(key, run);
    run.catch(() => {}).finally(() => last.get(key) === run && last.delete(key));
    return run;
  };
  const notify = (change: HostChange): void => {
    apply(change).catch((error: unknown) => {
      console.error(`sandbox: ${change.kind}: ${error instanceof Error ? error.message : String(error)}`);
    });
  };
  const idle = async () => {
    await Promise.allSettled(last.values());
  };
  return { apply, notify, idle };
}
