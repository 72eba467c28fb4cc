import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort, portIsFree } from "../background/ports";
import { entryPorts } from "./balancer/config";
import { Haproxy } from "./balancer/haproxy";
import { clientNamespace, type Instance } from "./instance";
import { CLIENT_ADDRESS } from "./network/addresses";
import type { Balancer } from "./world";

/** A load balancer's port as published on this machine's loopback address. */
export interface Published {
  readonly balancerId: string;
  readonly entryPort: number;
  readonly port: number;
}

const folder = (instance: Instance): string => join(instance.dir, "publish");

/** The published ports, for other programs; empty if there are none. */
export async function readPublished(instance: Instance): Promise<readonly Published[]> {
  const text = await readFile(join(folder(instance), "published.json"), "utf8").catch(() => "[]");
  return JSON.parse(text) as Published[];
}

/**
 * Lets programs on this machine reach the load balancers. Each of their TCP ports is published on the loopback
 * address. Connections continue from the sandbox's client on the internet, so that every firewall rule applies. A
 * port keeps its number across restarts, until its load balancer is deleted.
 */
export class Publisher {
  readonly #haproxy: Haproxy;
  readonly #dir: string;
  #published: readonly Published[] = [];

  constructor(
    private readonly instance: Instance,
    /** The preferred loopback port, by entry port. */
    private readonly preferred: Readonly<Record<number, number>>,
  ) {
    this.#dir = folder(instance);
    // Runs in this machine's own namespace. HAProxy opens the outgoing connections in the client's.
    this.#haproxy = new Haproxy(instance, this.#dir, "publish", undefined);
  }

  get published(): readonly Published[] {
    return this.#published;
  }

  async update(balancers: readonly Balancer[]): Promise<void> {
    const entries = balancers.flatMap((balancer) => entryPorts(balancer).map((port) => ({ balancer, port })));
    if (entries.length === 0) return this.stop();
    const known = await readPublished(this.instance);
    const isRunning = await this.#haproxy.running();
    const published: Published[] = [];
    for (const { balancer, port: entryPort } of entries) {
      const mine = known.find((one) => one.balancerId === balancer.id && one.entryPort === entryPort)?.port;
      const taken = new Set([...known, ...published].map(({ port }) => port));
      const port = await this.#choose(entryPort, mine, isRunning, taken);
      published.push({ balancerId: balancer.id, entryPort, port });
    }
    await this.#haproxy.apply(this.#config(balancers, published));
    await this.#remember(published);
  }

  async stop(): Promise<void> {
    this.#published = [];
    await this.#haproxy.stop();
    await rm(this.#dir, { recursive: true, force: true });
  }

  /** Its previous number, which our own HAProxy holds while it runs; otherwise the preferred one, otherwise any. */
  async #choose(
    entryPort: number,
    mine: number | undefined,
    isRunning: boolean,
    taken: ReadonlySet<number>,
  ): Promise<number> {
    if (mine !== undefined && (isRunning || (await portIsFree(mine)))) return mine;
    const preferred = this.preferred[entryPort];
    if (preferred !== undefined && !taken.has(preferred) && (await portIsFree(preferred))) return preferred;
    return freePort();
  }

  async #remember(published: readonly Published[]): Promise<void> {
    const path = join(this.#dir, "published.json");
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    await writeFile(`${path}.new`, JSON.stringify(published), { mode: 0o600 });
    await rename(`${path}.new`, path);
    this.#published = published;
  }

  #config(balancers: readonly Balancer[], published: readonly Published[]): string {
    const namespace = clientNamespace(this.instance);
    const listeners = balancers.flatMap((balancer) => {
      const own = published.filter(({ balancerId }) => balancerId === balancer.id);
      const httpsPort = own.find(({ entryPort }) => entryPort === HTTPS_PORT)?.port;
      return own.map(({ entryPort, port }) =>
        [
          `listen to_${balancer.ip}_${entryPort}`,
          `  bind 127.0.0.1:${port}`,
          ...(httpsPort && speaksHttp(balancer, entryPort) ? redirectsTo(httpsPort) : []),
          `  server balancer ${balancer.ip}:${entryPort} namespace ${namespace} source ${CLIENT_ADDRESS}`,
        ].join("\n"),
      );
    });
    const head = [
      "global",
      `  stats socket ${this.#haproxy.statsSocket} mode 600 level admin expose-fd listeners`,
      "  maxconn 4000",
      "defaults",
      "  mode tcp",
      "  timeout connect 5s",
      "  timeout client 1h",
      "  timeout server 1h",
    ].join("\n");
    return [head, ...listeners, ""].join("\n\n");
  }
}

const HTTPS_PORT = 443;
const HTTP_PORT = 80;

/** True if a port receives plain HTTP, even if only for the redirect. */
function speaksHttp({ forwarding_rules, redirect_http_to_https }: Balancer, entryPort: number): boolean {
  const rule = forwarding_rules.find(({ entry_port }) => entry_port === entryPort);
  return rule ? rule.entry_protocol === "http" : redirect_http_to_https && entryPort === HTTP_PORT;
}

/** A redirect to the site's own HTTPS goes to its published port, not to port 443 of this machine. */
const redirectsTo = (httpsPort: number): string[] => [
  "  mode http",
  "  http-request set-var(txn.name) req.hdr(host),field(1,:)",
  `  http-response replace-header Location ^https://[^/:]+(/.*)?$ https://%[var(txn.name)]:${httpsPort}\\1 if { res.hdr(location),field(3,/),strcmp(txn.name) eq 0 }`,
];
