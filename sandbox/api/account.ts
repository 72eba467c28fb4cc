import type { ApiOptions } from "./server";

export interface AccountOptions extends Omit<ApiOptions, "host" | "observer" | "spaces"> {
  /** Settings of the hosts; without it, droplets are only records. */
  readonly hosts?: { readonly dir: string; readonly npmLockFile?: string | undefined };
  /** The folder with the keys of a Datadog stand-in, which runs next to the API. */
  readonly datadogDir?: string | undefined;
  /**
   * Serves Spaces on a loopback port (0 takes any free one), with their buckets in a folder. The S3 server behind them
   * is built and started by the first request.
   */
  readonly spaces?: { readonly dir: string; readonly port: number } | undefined;
  readonly log: (line: string) => void;
}

export interface RunningAccount {
  /** "http://127.0.0.1:8089" */
  readonly url: string;
  /** Where Spaces answer, if the account serves them. */
  readonly spacesUrl: string | undefined;
  /** Stops the API and everything that runs next to it. Hosts keep running, and the next API adopts them. */
  close(): Promise<void>;
  /** Powers off the hosts and removes their networks. Their disks stay, and the next API boots them again. */
  stopHosts(): Promise<void>;
}

/** Runs an account in this process: its API, its hosts, and their monitoring. */
export async function runAccount(options: AccountOptions): Promise<RunningAccount> {
  const { hosts, datadogDir, spaces: spacesOptions, log, ...apiOptions } = options;
  // Loaded on demand, because an account whose droplets are only records needs little of it.
  const datadog =
    datadogDir === undefined ? undefined : await (await import("../datadog/kept.ts")).startKept(datadogDir);
  const spaces = spacesOptions && (await openSpaces(spacesOptions, log));
  const driver = hosts && (await openDriver(hosts, spaces && Number(new URL(spaces.url).port), log));
  const real = driver && { host: driver, observer: await monitoring(driver, datadog?.port, log) };
  const { startApi } = await import("./server.ts");
  const api = await startApi({ ...apiOptions, ...real, ...(spaces && { spaces }) });
  return {
    url: api.url,
    spacesUrl: spaces?.url,
    close: async () => {
      await api.close();
      await spaces?.close();
      await datadog?.close();
    },
    stopHosts: async () => driver?.provider.stop(),
  };
}

type Driver = import("../hosts/driver").Driver;

async function openDriver(
  { dir, npmLockFile }: NonNullable<AccountOptions["hosts"]>,
  spacesPort: number | undefined,
  log: (line: string) => void,
): Promise<Driver> {
  const { Driver, PUBLISHED_PORTS } = await import("../hosts/driver.ts");
  const lock = npmLockFile === undefined ? {} : { npmLockFile };
  const spaces = spacesPort === undefined ? {} : { spacesPort };
  return Driver.open({ dir, log, onProgress: log, publish: PUBLISHED_PORTS, ...lock, ...spaces });
}

async function openSpaces(options: NonNullable<AccountOptions["spaces"]>, log: (line: string) => void) {
  const { ensureVersitygw } = await import("../spaces/versitygw.ts");
  const { Spaces } = await import("../spaces/server.ts");
  return Spaces.start({ ...options, program: () => ensureVersitygw(log) });
}

async function monitoring(driver: Driver, datadogPort: number | undefined, log: (line: string) => void) {
  const { HostMonitoring } = await import("../monitoring/hostMonitoring.ts");
  return new HostMonitoring(driver.provider, { datadogPort, log });
}
