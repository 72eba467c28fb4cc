/**
 * Probes of the sandbox's running hosts: what DigitalOcean's own agent and its checks from several regions would see.
 */
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { cpus } from "node:os";
import type { UptimeCheck } from "../api/resources/uptimeChecks";
import { clientCommand } from "../hosts/operate";
import type { Provider } from "../hosts/provider";
import { attempt } from "../hosts/run";
import { LoadAverage } from "./loadAverage";
import type { Measures, Probes, SiteAnswer, WatchedDroplet } from "./watcher";

const msPerDay = 86_400_000;
const answerLimitSeconds = 10;

/** Ticks of the clock that proc(5) uses for CPU time, on every Linux that runs here. */
const ticksPerSecond = 100;

/** CPU ticks of a host's processes, including their children that have ended. */
export const ticksScript = `cat /proc/[0-9]*/stat 2>/dev/null | awk '{ sub(/^.*\\) /, ""); sum += $12 + $13 + $14 + $15 } END { print sum + 0 }'`;

/**
 * The resources of a host's own processes, in one line each: CPU ticks; tasks that run or wait for a disk; KiB of
 * anonymous memory; the fullest file system in percent. A container's own /proc/stat, /proc/meminfo and /proc/loadavg
 * show the values of the whole machine.
 */
const measureScript = `
${ticksScript}
cat /proc/[0-9]*/task/[0-9]*/stat 2>/dev/null | awk -v own=$$ '{ pid = $1; sub(/^.*\\) /, "") } ($1 == "R" || $1 == "D") && pid != own && $2 != own { sum++ } END { print sum + 0 }'
cat /proc/[0-9]*/status 2>/dev/null | awk '$1 == "RssAnon:" || $1 == "RssShmem:" { sum += $2 } END { print sum + 0 }'
df --output=pcent --exclude-type=tmpfs --exclude-type=devtmpfs --exclude-type=squashfs 2>/dev/null | tr -d ' %' | sort -n | tail -n 1`;

export interface HostProbesOptions {
  /** Speed-up of load averages: the watcher's own (watcher.ts). */
  readonly timeScale?: number;
}

/** A count of ticks at a time (seconds). */
interface Reading {
  readonly at: number;
  readonly ticks: number;
}

export class HostProbes implements Probes {
  readonly #ticks = new Map<string, Reading>();
  readonly #loads = new Map<number, LoadAverage>();
  readonly #errors = new Map<string, number>();

  constructor(
    private readonly provider: Provider,
    private readonly options: HostProbesOptions = {},
  ) {}

  /**
   * Sends a request from the client on the internet, with the sandbox's own names. This client must trust the
   * certificate.
   */
  async site({ target, type }: UptimeCheck): Promise<SiteAnswer> {
    const roots = this.provider.certificates.rootsFile;
    if (type === "ping") {
      const { code } = await this.#asClient("ping", ["-c", "1", "-W", "5", target]);
      return { isUp: code === 0, latencyMs: 0, certificateDays: undefined };
    }
    const { code, stdout } = await this.#asClient("curl", [
      ...["--silent", "--output", "/dev/null", "--max-time", String(answerLimitSeconds)],
      ...(roots ? ["--cacert", roots] : []),
      ...["--write-out", "%{http_code} %{time_total}\n%{certs}", target],
    ]);
    const [first = "", ...rest] = stdout.split("\n");
    const [status = 0, seconds = 0] = first.split(" ").map(Number);
    return {
      isUp: code === 0 && status >= 200 && status < 400,
      latencyMs: seconds * 1000,
      certificateDays: type === "https" ? await this.#certificateDays(target, rest.join("\n")) : undefined,
    };
  }

  /** curl shows the chain since version 7.88, and only for a trusted connection; otherwise openssl reads it. */
  async #certificateDays(target: string, pem: string): Promise<number | undefined> {
    const text = pem.includes("BEGIN CERTIFICATE") ? pem : await this.#shown(new URL(target));
    const found = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/.exec(text)?.[0];
    if (found === undefined) return undefined;
    return (Date.parse(new X509Certificate(found).validTo) - Date.now()) / msPerDay;
  }

  async #shown({ hostname, port }: URL): Promise<string> {
    const args = ["s_client", "-connect", `${hostname}:${port || 443}`, "-servername", hostname];
    return (await this.#asClient("openssl", args)).stdout;
  }

  #asClient(program: string, args: readonly string[]) {
    return attempt("nsenter", clientCommand(this.provider.instance, program, args), {
      timeoutMs: (answerLimitSeconds + 5) * 1000,
    });
  }

  /**
   * CPU is the share of all CPUs of this machine that the host's processes used since the last check. Memory is the
   * share of the droplet's size. Disk is the fullest file system. Load is the number of tasks that ran or waited at
   * the checks, damped as the kernel does it.
   */
  async droplet({ id, memoryMib }: WatchedDroplet): Promise<Measures | undefined> {
    const host = this.provider.host(id);
    if (!(await host.running())) return undefined;
    // A host that boots or powers off at this moment cannot be measured.
    const measured = await host.attempt("sh", ["-c", measureScript]).catch(() => undefined);
    if (measured?.code !== 0) return undefined;
    const [ticks = 0, tasks = 0, memoryKib = 0, disk] = measured.stdout.trim().split("\n").map(Number);
    const at = now();
    const cpu = this.#percentOfCpu(`droplet:${id}`, { at, ticks });
    const load = this.#loads.get(id) ?? new LoadAverage(this.options.timeScale ?? 1);
    this.#loads.set(id, load);
    const [load_1, load_5, load_15] = load.add(tasks, at);
    return {
      cpu: cpu === undefined ? undefined : cpu / cpus().length,
      memory_utilization_percent: memoryMib ? (memoryKib * 100) / 1024 / memoryMib : undefined,
      disk_utilization_percent: disk,
      ...{ load_1, load_5, load_15 },
    };
  }

  /** Percent of one CPU since the last check; undefined at the first one, and if a counter restarted. */
  #percentOfCpu(key: string, reading: Reading): number | undefined {
    const before = this.#ticks.get(key);
    this.#ticks.set(key, reading);
    if (before === undefined || reading.ticks < before.ticks || reading.at <= before.at) return undefined;
    return ((reading.ticks - before.ticks) * 100) / ticksPerSecond / (reading.at - before.at);
  }

  /**
   * The share of its healthy backends, of its connections in use and of one CPU that it uses, and the increase of its
   * 5xx responses since the last check.
   */
  async balancer(id: string): Promise<Measures | undefined> {
    const states = await this.provider.balancers.states(id).catch(() => []);
    const servers = states.filter(({ server }) => /^d\d+$/.test(server));
    if (servers.length === 0) return undefined;
    const healthy = servers.filter(({ status }) => status.startsWith("UP")).length;
    return {
      droplet_health: (healthy * 100) / servers.length,
      increase_in_http_error_rate_count_5xx: await this.#newErrors(id),
      ...(await this.#use(id)),
    };
  }

  async #use(id: string): Promise<Measures> {
    const info = await this.provider.balancers
      .haproxy(id)
      .ask("show info")
      .catch(() => "");
    const figure = (name: string) => Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(info)?.[1]);
    const stat = await readFile(`/proc/${figure("Pid")}/stat`, "utf8").catch(() => undefined);
    if (stat === undefined) return {};
    const [user = 0, system = 0] = stat
      .replace(/^.*\) /s, "")
      .split(" ")
      .slice(11, 13)
      .map(Number);
    return {
      connection_utilization_percent: (figure("CurrConns") * 100) / figure("Maxconn"),
      avg_cpu_utilization_percent: this.#percentOfCpu(`balancer:${id}`, { at: now(), ticks: user + system }),
    };
  }

  async #newErrors(id: string): Promise<number | undefined> {
    const text = await this.provider.balancers
      .haproxy(id)
      .ask("show stat -1 1 -1")
      .catch(() => undefined);
    if (text === undefined) return undefined;
    const [head = "", ...rows] = text.trim().split("\n");
    const column = head.replace(/^# /, "").split(",").indexOf("hrsp_5xx");
    const total = rows.reduce((sum, row) => sum + Number(row.split(",")[column] || 0), 0);
    const before = this.#errors.get(id);
    this.#errors.set(id, total);
    return before === undefined ? undefined : Math.max(0, total - before);
  }
}

const now = () => performance.now() / 1000;
