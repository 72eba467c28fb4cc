import { access, readFile } from "node:fs/promises";
import { Gateway, type Intake } from "../datadog/collector/gateway";
import { installCollector } from "../datadog/collector/host";
import { ensureTelegraf, findTelegraf } from "../datadog/collector/telegraf";
import { cloudInitState } from "../hosts/host/cloudInit";
import type { Host } from "../hosts/host/host";
import type { Provider } from "../hosts/provider";

const agentFile = "/etc/datadog-agent/datadog.yaml";
/** Says for which droplet the collector was put on this disk: a disk may be copied. */
const markFile = "/opt/datadog-agent/stand-in/droplet";
/** The agent's own interval is 15 s; two of these are in each of the intake's buckets of 10 s. */
const intervalSeconds = 5;

/**
 * Puts the collector on every host whose user data has brought the agent's files: on those that boot, are made anew or
 * come from a snapshot, and on those that a former process left. Looking at the hosts themselves covers them all.
 */
export class Collectors {
  readonly #gateway: Gateway;
  #intake: Intake | undefined;
  #mayBuild = true;

  constructor(
    private readonly provider: Provider,
    /** The stand-in of Datadog, on this machine's loopback address. */
    private readonly port: number,
    private readonly log: (line: string) => void,
  ) {
    this.#gateway = new Gateway(provider.instance);
  }

  /** Looks at these droplets' hosts once. Throws where one could not be given its collector. */
  async look(dropletIds: readonly number[]): Promise<void> {
    const hosts = dropletIds.map((id) => this.provider.host(id));
    const states = await Promise.all(hosts.map(async (host) => ({ host, state: await stateOf(host) })));
    if (states.every(({ state }) => state === "no agent")) return;
    // Hosts of a former process find it again as well, by the same address and the same root.
    this.#intake ??= await this.#gateway.openSecurely(this.port);
    const intake = this.#intake;
    const wanting = states.filter(({ state }) => state === "wants a collector").map(({ host }) => host);
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
    this.log(`${await host.name()} sends figures to the stand-in of Datadog`);
  }

  /** Built once at most, however often it fails; one that somebody else has built meanwhile is taken. */
  async #telegraf(): Promise<string | undefined> {
    if (!this.#mayBuild) return findTelegraf();
    this.#mayBuild = false;
    return ensureTelegraf(this.log);
  }
}

/** Cheap enough for every look: files, seen through the host's first process. */
async function stateOf(host: Host): Promise<"no agent" | "wants a collector" | "settled"> {
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
  // Until cloud-init has ended, it makes the accounts and sockets that the collector reads.
  const cloudInit = await cloudInitState(host);
  return cloudInit === undefined || cloudInit.status === "running" ? "settled" : "wants a collector";
}
