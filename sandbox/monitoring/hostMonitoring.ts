import type { BackendState, Observer, TriggeredAlert, UptimeState } from "../api/core/observer";
import type { Store } from "../api/core/store";
import { dropletTable } from "../api/resources/droplets/record";
import { loadBalancerTable } from "../api/resources/loadBalancerRecord";
import type { Provider } from "../hosts/provider";
import { Collectors } from "./collectors";
import { HostProbes } from "./hostProbes";
import { type Repeated, repeat } from "./repeat";
import { Watcher } from "./watcher";

export interface HostMonitoringOptions {
  /** Port of the Datadog stand-in on the loopback address; without it, hosts get no collector. */
  readonly datadogPort: number | undefined;
  readonly log: (line: string) => void;
  /**
   * Interval between two checks of sites, hosts and load balancers. DigitalOcean checks once a minute from each
   * region.
   */
  readonly watchMs?: number;
}

const watchMs = 5_000;
const collectMs = 2_000;

/**
 * The monitoring of running hosts next to the API: evaluates uptime checks and alerts, and installs collectors on
 * hosts.
 */
export class HostMonitoring implements Observer {
  #watcher: Watcher | undefined;
  #loops: readonly Repeated[] = [];
  #backends: ReadonlyMap<string, readonly BackendState[]> = new Map();

  constructor(
    private readonly provider: Provider,
    private readonly options: HostMonitoringOptions,
  ) {}

  start(store: Store): void {
    const { log, datadogPort } = this.options;
    const watcher = new Watcher(store, new HostProbes(this.provider));
    this.#watcher = watcher;
    const active = () =>
      dropletTable(store)
        .values()
        .filter(({ status }) => status === "active")
        .map(({ id }) => id);
    const collectors =
      datadogPort === undefined ? undefined : new Collectors(this.provider, datadogPort, log);
    this.#loops = [
      repeat("uptime checks and alerts", this.options.watchMs ?? watchMs, () => watcher.look(), log),
      repeat("load balancers", this.options.watchMs ?? watchMs, () => this.#lookAtBackends(store), log),
      ...(collectors ? [repeat("collectors", collectMs, () => collectors.look(active()), log)] : []),
    ];
  }

  uptime(checkId: string): UptimeState | undefined {
    return this.#watcher?.uptimeState(checkId);
  }

  alerts(): readonly TriggeredAlert[] {
    return this.#watcher?.firing ?? [];
  }

  backends(loadBalancerId: string): readonly BackendState[] {
    return this.#backends.get(loadBalancerId) ?? [];
  }

  async #lookAtBackends(store: Store): Promise<void> {
    const ids = loadBalancerTable(store)
      .values()
      .map(({ id }) => id);
    this.#backends = new Map(
      await Promise.all(ids.map(async (id) => [id, await backendsOf(this.provider, id)] as const)),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop()));
  }
}

/**
 * HAProxy calls a droplet d followed by its id. A droplet behind several ports is healthy if it is healthy at all of
 * them.
 */
async function backendsOf(provider: Provider, id: string): Promise<readonly BackendState[]> {
  const states = await provider.balancers.states(id).catch(() => []); // it is just being created
  const at = Math.floor(Date.now() / 1000);
  const healthy = new Map<number, boolean>();
  for (const { server, status } of states) {
    const dropletId = Number(/^d(\d+)$/.exec(server)?.[1]);
    if (dropletId > 0) healthy.set(dropletId, (healthy.get(dropletId) ?? true) && status.startsWith("UP"));
  }
  return [...healthy].map(([dropletId, isHealthy]) => ({ dropletId, isHealthy, at }));
}
