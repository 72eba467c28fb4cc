import type { ApiOptions } from "./server";

export interface AccountOptions extends Omit<ApiOptions, "host" | "observer"> {
  /** Where droplets boot as hosts; without it they are records. */
  readonly hosts?: { readonly dir: string; readonly npmLockFile?: string | undefined };
  /** The folder with the keys of a stand-in of Datadog, which runs beside the API. */
  readonly datadogDir?: string | undefined;
  readonly log: (line: string) => void;
}

export interface RunningAccount {
  /** "http://127.0.0.1:8089" */
  readonly url: string;
  /** Ends the API and what runs beside it. Hosts go on, and the next API adopts them. */
  close(): Promise<void>;
  /** Powers hosts off and removes their networks. Their disks stay, and they boot again with the next API. */
  stopHosts(): Promise<void>;
}

/** Runs an account in this process: its API, its hosts, and what measures them. */
export async function runAccount(options: AccountOptions): Promise<RunningAccount> {
  const { hosts, datadogDir, log, ...apiOptions } = options;
  // Loaded on demand: most of it is of no use to an account whose droplets are records.
  const datadog =
    datadogDir === undefined ? undefined : await (await import("../datadog/kept.ts")).startKept(datadogDir);
  const driver = hosts && (await openDriver(hosts, log));
  const real = driver && { host: driver, observer: await monitoring(driver, datadog?.port, log) };
  const { startApi } = await import("./server.ts");
  const api = await startApi({ ...apiOptions, ...real });
  return {
    url: api.url,
    close: async () => {
      await api.close();
      await datadog?.close();
    },
    stopHosts: async () => driver?.provider.stop(),
  };
}

type Driver = import("../hosts/driver").Driver;

async function openDriver(
  { dir, npmLockFile }: NonNullable<AccountOptions["hosts"]>,
  log: (line: string) => void,
): Promise<Driver> {
  const { Driver, PUBLISHED_PORTS } = await import("../hosts/driver.ts");
  const lock = npmLockFile === undefined ? {} : { npmLockFile };
  return Driver.open({ dir, log, onProgress: log, publish: PUBLISHED_PORTS, ...lock });
}

async function monitoring(driver: Driver, datadogPort: number | undefined, log: (line: string) => void) {
  const { HostMonitoring } = await import("../monitoring/hostMonitoring.ts");
  return new HostMonitoring(driver.provider, { datadogPort, log });
}
