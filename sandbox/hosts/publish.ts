import { rm } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { Haproxy } from "./balancer/haproxy";
import { clientNamespace, type Instance } from "./instance";
import { CLIENT_ADDRESS } from "./network/addresses";
import type { Balancer } from "./world";

/** A load balancer's port as this machine's loopback shows it. */
export interface Published {
  readonly balancerId: string;
  readonly entryPort: number;
  readonly port: number;
}

/**
 * Lets programs on this machine reach the first load balancer: each of its TCP ports appears on the loopback address,
 * and connections go on from the sandbox's client on the internet, so that they meet every rule on the way.
 */
export class Publisher {
  readonly #haproxy: Haproxy;
  readonly #dir: string;
  #published: readonly Published[] = [];

  constructor(
    private readonly instance: Instance,
    /** Loopback port by entry port; a port that is not named here gets any free one. */
    private readonly ports: Readonly<Record<number, number>>,
  ) {
    this.#dir = join(instance.dir, "publish");
    // In this machine's own namespace: HAProxy opens the outgoing connections in the client's.
    this.#haproxy = new Haproxy(instance, this.#dir, "publish", undefined);
  }

  get published(): readonly Published[] {
    return this.#published;
  }

  async update(balancers: readonly Balancer[]): Promise<void> {
    const [balancer] = balancers;
    const entries = [
      ...new Set(
        balancer?.forwarding_rules.filter((r) => r.entry_protocol !== "udp").map((r) => r.entry_port),
      ),
    ];
    if (!balancer || entries.length === 0) return this.stop();
    const known = new Map(
      this.#published.filter((p) => p.balancerId === balancer.id).map((p) => [p.entryPort, p.port]),
    );
    const published: Published[] = [];
    for (const entryPort of entries) {
      const port = known.get(entryPort) ?? this.ports[entryPort] ?? (await freePort());
      published.push({ balancerId: balancer.id, entryPort, port });
    }
    await this.#haproxy.apply(this.#config(balancer, published));
    this.#published = published;
  }

  async stop(): Promise<void> {
    this.#published = [];
    await this.#haproxy.stop();
    await rm(this.#dir, { recursive: true, force: true });
  }

  #config(balancer: Balancer, published: readonly Published[]): string {
    const namespace = clientNamespace(this.instance);
    const listeners = published.map(({ entryPort, port }) =>
      [
        `listen to_${entryPort}`,
        `  bind 127.0.0.1:${port}`,
        `  server balancer ${balancer.ip}:${entryPort} namespace ${namespace} source ${CLIENT_ADDRESS}`,
      ].join("\n"),
    );
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

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === "object" ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}
