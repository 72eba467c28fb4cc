import { access, readFile } from "node:fs/promises";
import { Gateway, type Intake } from "../datadog/collector/gateway";
import { installCollector } from "../datadog/collector/host";
import { ensureTelegraf, findTelegraf } from "../datadog/collector/telegraf";
import { cloudInitState } from "../hosts/host/cloudInit";
import type { Host } from "../hosts/host/host";
import type { Provider } from "../hosts/provider";

const agentFile = "/etc/datadog-agent/datadog.yaml";
/**
 * Contains the id of the droplet for which the collector was installed on this disk, because a disk can be copied.
 */
const markFile = "/opt/datadog-agent/stand-in/droplet";
/** The agent's own interval is 15 s. Each of the intake's 10 s buckets contains several of these. */
const intervalSeconds = 5;

/**
 * Installs the collector on every host whose user data contains the agent's files: on hosts that boot, are rebuilt or
 * come from a snapshot, and on those that an earlier process left. It checks the hosts themselves, which covers all
 * cases.
 */
export class Collectors {
  readonly #gateway: Gateway;
  #intake: Intake | undefined;
  #mayBuild = true;

  constructor(
    private readonly provider: Provider,
    /** The Datadog stand-in, on this machine's loopback address. */
    private readonly port: number,
    private readonly log: (line: string) => void,
  ) {
    this.#gateway = new Gateway(provider.instance);
  }

  /** Checks these droplets' hosts once. Throws if it could not install one of the collectors. */
  async look(dropletIds: readonly number[]): Promise<void> {
    const hosts = dropletIds.map((id) => this.provider.host(id));
    const states = await Promise.all(hosts.map(async (host) => ({ host, state: await stateOf(host) })));
    if (states.every(({ state }) => state === "no agent")) return;
    // Hosts of an earlier process also find it again, with the same address and the same root.
    this.#intake ??= await this.#gateway.openSecurely(this.port);
    const intake = this.#intake;
    const wanting = states.filter(({ state }) => state === "no collector").map(({ host }) => host);
    if (wanting.length === 0) return;
    const telegraf = await this.#telegraf();
    if (telegraf === undefined) return;
    const ends = await Promise.allSettled(wanting.map((host) => this.#install(host, telegraf, intake)));
    const failures = ends.flatMap((end) => (end.status === "rejected" ? [String(end.reason)] : []));
    if (failures.length > 0) throw new Error(failures.join("; "));
  }

  async #install(host: Host, telegraf: string, intake: Intake): Promise<void> {
    await installCollector(host, telegraf, { ...intake, intervalSeconds });
    await host.run("sh", ["-c", 'echo "$1" >"$2"', "sh", String(host.dropletId), markFile]);
    this.log(`${await host.name()} sends metrics to the Datadog stand-in`);
  }

  /** Built at most once, even if it fails. If another process has built it in the meantime, that one is used. */
  async #telegraf(): Promise<string | undefined> {
    if (!this.#mayBuild) return findTelegraf();
    this.#mayBuild = false;
    return ensureTelegraf(this.log);
  }
}

/** Fast enough for every check: files, read through the host's first process. */
async function stateOf(host: Host): Promise<"no agent" | "no collector" | "settled"> {
  const init = await host.init();
  if (init === undefined) return "no agent";
  const root = `/proc/${init}/root`;
  const hasFiles = await access(`${root}${agentFile}`).then(
    () => true,
    () => false,
  );
  if (!hasFiles) return "no agent";
  const mark = await readFile(`${root}${markFile}`, "utf8").catch(() => "");
  if (mark.trim() === String(host.dropletId)) return "settled";
  // cloud-init creates the accounts and sockets that the collector reads, so it must have ended.
  const cloudInit = await cloudInitState(host);
  return cloudInit === undefined || cloudInit.status === "running" ? "settled" : "no collector";
}
