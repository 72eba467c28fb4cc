/** Probes over the sandbox's running hosts: what DigitalOcean's own agent and its checkers around the world would see. */
import { X509Certificate } from "node:crypto";
import type { UptimeCheck } from "../api/resources/uptimeChecks";
import { clientCommand } from "../hosts/operate";
import type { Provider } from "../hosts/provider";
import { attempt } from "../hosts/run";
import type { Measures, Probes, SiteAnswer } from "./watcher";

const msPerDay = 86_400_000;
const answerLimitSeconds = 10;

/** One line: CPU ticks used and all, memory in percent, disk in percent, load over 1, 5 and 15 minutes. */
const measureScript = `
awk '$1 == "cpu" { for (i = 2; i <= 9; i++) all += $i; print all - $5 - $6, all }' /proc/stat
awk '$1 == "MemTotal:" { all = $2 } $1 == "MemAvailable:" { print (all - $2) * 100 / all }' /proc/meminfo
df --output=pcent / | tail -n 1 | tr -d ' %'
cut -d ' ' -f 1-3 /proc/loadavg`;

export class HostProbes implements Probes {
  readonly #ticks = new Map<number, readonly [used: number, all: number]>();
  readonly #errors = new Map<string, number>();

  constructor(private readonly provider: Provider) {}

  /** From the client on the internet, by the sandbox's own names. The certificate must be one that this client trusts. */
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

  /** curl tells the chain from version 7.88 on, and only for a connection that it trusts; else openssl looks. */
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

  /** CPU and memory are this machine's: a host of the sandbox has no share of its own. */
  async droplet(id: number): Promise<Measures | undefined> {
    const host = this.provider.host(id);
    if (!(await host.running())) return undefined;
    const { code, stdout } = await host.attempt("sh", ["-c", measureScript]);
    if (code !== 0) return undefined;
    const [used = 0, all = 0, memory, disk, load1, load5, load15] = stdout.split(/\s+/).map(Number);
    const before = this.#ticks.get(id);
    this.#ticks.set(id, [used, all]);
    return {
      cpu: before && all > before[1] ? ((used - before[0]) * 100) / (all - before[1]) : undefined,
      memory_utilization_percent: memory,
      disk_utilization_percent: disk,
      load_1: load1,
      load_5: load5,
      load_15: load15,
    };
  }

  /** The share of its backends that are healthy, and how many more 5xx answers it has given since the last look. */
  async balancer(id: string): Promise<Measures | undefined> {
    const states = await this.provider.balancers.states(id);
    const servers = states.filter(({ server }) => /^d\d+$/.test(server));
    if (servers.length === 0) return undefined;
    const healthy = servers.filter(({ status }) => status.startsWith("UP")).length;
    return {
      droplet_health: (healthy * 100) / servers.length,
      increase_in_http_error_rate_count_5xx: await this.#newErrors(id),
    };
  }

  async #newErrors(id: string): Promise<number | undefined> {
    const text = await this.provider.balancers.haproxy(id).ask("show stat -1 1 -1");
    const [head = "", ...rows] = text.trim().split("\n");
    const column = head.replace(/^# /, "").split(",").indexOf("hrsp_5xx");
    const now = rows.reduce((sum, row) => sum + Number(row.split(",")[column] || 0), 0);
    const before = this.#errors.get(id);
    this.#errors.set(id, now);
    return before === undefined ? undefined : Math.max(0, now - before);
  }
}
