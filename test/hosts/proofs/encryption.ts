/**
 * The proof of encryption, in a stack with separated roles: what is on each wire while marked data passes, and what is
 * there when one protection after another is taken away. It leaves the stack without any: it comes last.
 */
import assert from "node:assert/strict";
import { waitFor } from "../../waitFor";
import type { World } from "../world/world";
import { AgentHop } from "./agent";
import { HOPS, type HopName, type OnTheWire, passMarked } from "./wire";

export function encryptionProof(world: () => World): void {
  const origin = { scheme: "https" };
  const unprotected: HopName[] = [];
  let agent: AgentHop | undefined;

  before("the agents", async function () {
    // Its stand-in may have to be built.
    this.timeout(600_000);
    agent = await AgentHop.start(world());
  });
  after(async () => agent?.close());

  /** Everything passes, and the mark shows on those hops alone whose protection has been removed. */
  async function shows(): Promise<void> {
    const seen = await passMarked(world(), `${origin.scheme}://${world().client.site}`, agent);
    console.log(`      ${summary(seen)}`);
    for (const hop of HOPS) {
      if (hop === "agent - internet" && !agent) continue;
      assert.ok(seen[hop].bytes > 1000, `the capture saw nothing at ${hop}`);
    }
    const marked = HOPS.filter((hop) => seen[hop].marked);
    assert.deepEqual(marked, [...unprotected]);
  }

  it("a marked request and row are in no packet of any hop", async () => {
    await shows();
    // From here on protections are taken away. The release program would set MySQL's accounts right again.
    await Promise.all(
      world()
        .hostsWith("database")
        .map((host) => host.run("systemctl stop secured-web-release.service")),
    );
  });

  it("without TLS at the load balancer's entrance the mark is seen there", async () => {
    await changeBalancer(world(), (balancer) => ({
      ...balancer,
      redirect_http_to_https: false,
      forwarding_rules: [
        { entry_protocol: "http", entry_port: 80, target_protocol: "https", target_port: 443 },
      ],
    }));
    origin.scheme = "http";
    unprotected.push("client - load balancer");
    await siteAnswers();
    await shows();
  });

  it("without TLS at nginx the mark is seen between load balancer and web", async () => {
    for (const host of world().hostsWith("web")) {
      await host.run("sed -i 's/listen 443 ssl/listen 443/' /etc/nginx/nginx.conf && systemctl reload nginx");
    }
    await changeBalancer(world(), (balancer) => ({
      ...balancer,
      health_check: { ...balancer.health_check, protocol: "http" },
      forwarding_rules: [
        { entry_protocol: "http", entry_port: 80, target_protocol: "http", target_port: 443 },
      ],
    }));
    unprotected.push("load balancer - web");
    await siteAnswers();
    await shows();
  });

  it("without TLS in the application's connections the mark is seen between web and database", async () => {
    for (const host of world().hostsWith("database")) {
      await host.mysql(
        "SET SESSION sql_log_bin = 0; SET GLOBAL require_secure_transport = OFF; " +
          `ALTER USER 'app'@'${await appNetwork(host)}' REQUIRE NONE`,
      );
    }
    const program = "/usr/local/lib/secured-web/app/main.js";
    for (const host of world().hostsWith("web")) {
      const found = await host.run(`grep -cE 'ssl:[A-Za-z_$]+\\([a-z]\\.tls\\),connectionLimit' ${program}`);
      assert.equal(found, "1", "the place where the application asks for TLS has another form");
      await host.run(
        `sed -i -E 's/ssl:[A-Za-z_$]+\\([a-z]\\.tls\\),connectionLimit/connectionLimit/' ${program}`,
      );
      await host.run("systemctl restart secured-web-app.service");
    }
    unprotected.push("web - database");
    await siteAnswers();
    await shows();
  });

  it("with group_replication_ssl_mode=DISABLED the mark is seen between databases", async () => {
    const hosts = world().hostsWith("database");
    await Promise.all(hosts.map((host) => host.run("systemctl stop secured-web-group.service")));
    for (const host of hosts) {
      await host.mysql("STOP GROUP_REPLICATION", { timeoutMs: 90_000 });
      await host.mysql(
        "SET GLOBAL super_read_only = OFF; SET SESSION sql_log_bin = 0; " +
          `ALTER USER 'replication'@'${await appNetwork(host)}' REQUIRE NONE; SET GLOBAL super_read_only = ON; ` +
          "SET GLOBAL group_replication_ssl_mode = DISABLED; SET GLOBAL group_replication_recovery_get_public_key = ON",
      );
    }
    await Promise.all(hosts.map((host) => host.run("systemctl start secured-web-group.service")));
    await waitFor("the group without TLS", () => world().databaseIsWhole(), {
      within: 120,
      explain: () => world().complaints(),
    });
    unprotected.push("database - database");
    await siteAnswers();
    await shows();
  });

  it("without TLS between the agent and its intake the mark is seen there", async function () {
    // Why there is none has been printed.
    if (!agent) this.skip();
    await agent.speakPlainly();
    unprotected.push("agent - internet");
    await shows();
  });

  function siteAnswers(): Promise<true> {
    const url = `${origin.scheme}://${world().client.site}/readyz`;
    const answers = async () => (await world().client.curl(url)).status === 200 || undefined;
    return waitFor(`200 from ${url}`, answers, { within: 90, explain: () => world().complaints() });
  }
}

/** The network that MySQL's accounts are made for. */
async function appNetwork(host: { mysql(sql: string): Promise<string[][]> }): Promise<string> {
  const [row] = await host.mysql("SELECT host FROM mysql.user WHERE user = 'app'");
  return row?.[0] ?? "";
}

interface Balancer {
  readonly id: string;
  readonly region: { readonly slug: string };
  readonly health_check: object;
  readonly [field: string]: unknown;
}

/** Changes the load balancer as an operator would at the API: whole, with what it was else. */
async function changeBalancer(world: World, change: (balancer: Balancer) => Balancer): Promise<void> {
  const { load_balancers } = await world.account.call<{ load_balancers: Balancer[] }>(
    "GET",
    "load_balancers",
  );
  const [balancer] = load_balancers;
  if (!balancer) throw new Error("the account has no load balancer");
  const { ip, ipv6, status, created_at, region, droplet_ids, ...rest } = change(balancer);
  await world.account.call("PUT", `load_balancers/${balancer.id}`, { ...rest, region: region.slug });
}

function summary(seen: OnTheWire): string {
  const told = HOPS.map(
    (hop) => `${hop} ${(seen[hop].bytes / 1000).toFixed(0)} kB${seen[hop].marked ? " MARKED" : ""}`,
  );
  return told.join(", ");
}
