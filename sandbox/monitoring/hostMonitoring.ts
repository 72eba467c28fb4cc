import type { Observer, TriggeredAlert, UptimeState } from "../api/core/observer";
import type { Store } from "../api/core/store";
import { dropletTable } from "../api/resources/droplets/record";
import type { Provider } from "../hosts/provider";
import { Collectors } from "./collectors";
import { HostProbes } from "./hostProbes";
import { type Repeated, repeat } from "./repeat";
import { Watcher } from "./watcher";

export interface HostMonitoringOptions {
  /** Port of the stand-in of Datadog on the loopback address; without it hosts get no collector. */
  readonly datadogPort: number | undefined;
  readonly log: (line: string) => void;
  /** Between two looks at sites, hosts and load balancers. DigitalOcean's checkers ask once a minute from each region. */
  readonly watchMs?: number;
}

const watchMs = 5_000;
const collectMs = 2_000;

/** What happens to running hosts beside the API: uptime checks and alerts are judged, collectors put on hosts. */
export class HostMonitoring implements Observer {
  #watcher: Watcher | undefined;
  #loops: readonly Repeated[] = [];

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
      ...(collectors ? [repeat("collectors", collectMs, () => collectors.look(active()), log)] : []),
    ];
  }

  uptime(checkId: string): UptimeState | undefined {
    return this.#watcher?.uptimeState(checkId);
  }

  alerts(): readonly TriggeredAlert[] {
    return this.#watcher?.firing ?? [];
  }

  async stop(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop()));
  }
}
