/** The web hosts' HAProxy with each value of database.routing, in front of stand-ins for three members. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TopologyName } from "../../infra/topology";
import { hostEvidence } from "../../infra/userdata/evidence";
import type { HostSettings } from "../../infra/userdata/types";
import { skipWithoutImage } from "../hosts/requirement";
import { waitFor } from "../waitFor";
import { contextOf, settings } from "./contexts";

type Routing = HostSettings["database"]["routing"];

/** A database host: its health check's answer, and a server that says its name to each client. */
class Member {
  isHealthy = true;
  private readonly health: HttpServer;
  private readonly mysql: Server;

  constructor(readonly name: string) {
    this.health = createHttpServer((_, answer) => answer.writeHead(this.isHealthy ? 200 : 503).end());
    this.mysql = createServer((client) => client.on("error", () => {}).write(name));
  }

  async listen(): Promise<void> {
    for (const server of [this.health, this.mysql]) {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
    }
  }

  get ports(): { readonly health: number; readonly mysql: number } {
    const portOf = (server: Server) => (server.address() as AddressInfo).port;
    return { health: portOf(this.health), mysql: portOf(this.mysql) };
  }

  close(): void {
    this.health.close();
    this.health.closeAllConnections();
    this.mysql.close();
  }
}

/** HAProxy with a web host's configuration, whose members are stand-ins. */
class Router {
  private readonly folder = mkdtempSync(join(tmpdir(), "secured-web-routing-"));
  private readonly socket = join(this.folder, "mysql.sock");
  private readonly clients: Socket[] = [];
  private haproxy: ChildProcess | undefined;
  private said = "";

  constructor(readonly members: readonly Member[]) {}

  async start(config: string): Promise<void> {
    let text = config
      .slice(0, config.indexOf("frontend stats"))
      .replace(/^\t(user|group|chroot|stats) .*$/gm, "")
      .replace(/bind unix@.*/, `bind unix@${this.socket}`);
    for (const [index, { name, ports }] of this.members.entries()) {
      const before = text;
      text = text.replace(
        new RegExp(`server ${name} \\S+:3306 port ${33061 + index}`),
        `server ${name} 127.0.0.1:${ports.mysql} port ${ports.health}`,
      );
      assert.notEqual(text, before, `the configuration does not name ${name}`);
    }
    const file = join(this.folder, "haproxy.cfg");
    writeFileSync(file, text);
    this.haproxy = spawn("haproxy", ["-db", "-f", file], { stdio: ["ignore", "ignore", "pipe"] });
    this.haproxy.stderr?.setEncoding("utf8").on("data", (more: string) => {
      this.said += more;
    });
    await waitFor("HAProxy", async () => this.connect(), { within: 10, explain: async () => this.said });
  }

  /** An open connection, with the name of its member. */
  async connect(): Promise<{ readonly member: string; readonly isClosed: () => boolean }> {
    const client = createConnection(this.socket);
    this.clients.push(client);
    let isClosed = false;
    client
      .on("error", () => {})
      .on("close", () => {
        isClosed = true;
      });
    const [name] = (await Promise.race([
      once(client, "data"),
      once(client, "close").then(() => Promise.reject(new Error("closed without an answer"))),
    ])) as [Buffer];
    return { member: name.toString(), isClosed: () => isClosed };
  }

  /** The members of several new connections, each once. */
  async membersOfConnections(): Promise<string> {
    const names: string[] = [];
    for (let i = 0; i < 9; i++) names.push((await this.connect()).member);
    return [...new Set(names)].sort().join(" ");
  }

  async becomes(wanted: string): Promise<void> {
    let last = "";
    await waitFor(
      `new connections to ${wanted}`,
      async () => {
        last = await this.membersOfConnections();
        return last === wanted;
      },
      { within: 20, explain: async () => `${last}\n${this.said}` },
    );
  }

  async stop(): Promise<void> {
    for (const client of this.clients) client.destroy();
    if (this.haproxy && this.haproxy.exitCode === null) {
      const ended = once(this.haproxy, "exit");
      this.haproxy.kill("SIGKILL");
      await ended;
    }
    for (const member of this.members) member.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function configOf(topology: TopologyName, routing: Routing, host: string): string {
  const database = { ...settings.database, routing };
  const text = hostEvidence(contextOf({ topology, settings: { database } }, host)).files[
    "/etc/haproxy/haproxy.cfg"
  ];
  assert.ok(text);
  return text;
}

describe("the members that a web host's applications use", function () {
  this.timeout(60_000);
  let router: Router;

  before(async function () {
    await skipWithoutImage(this);
  });

  afterEach(() => router.stop());

  async function start(
    topology: TopologyName,
    routing: Routing,
    host: string,
    change = (text: string) => text,
  ) {
    const names = topology === "separated" ? ["db-1", "db-2", "db-3"] : ["node-1", "node-2", "node-3"];
    router = new Router(names.map((name) => new Member(name)));
    for (const member of router.members) await member.listen();
    await router.start(change(configOf(topology, routing, host)));
  }

  it("spread, separated: all members", async () => {
    await start("separated", "spread", "web-1");
    await router.becomes("db-1 db-2 db-3");
    setHealthy("db-2", false);
    await router.becomes("db-1 db-3");
  });

  it("spread, converged: the member on the same host, and all others while it is out", async () => {
    await start("converged", "spread", "node-2");
    await router.becomes("node-2");
    setHealthy("node-2", false);
    await router.becomes("node-1 node-3");
  });

  for (const [topology, hosts, [first = "", second = "", third = ""]] of [
    ["separated", ["web-1", "web-2"], ["db-1", "db-2", "db-3"]],
    ["converged", ["node-1", "node-3"], ["node-1", "node-2", "node-3"]],
  ] as const) {
    for (const host of hosts) {
      it(`preferred, ${topology}: ${host} uses the first healthy member in the order that all hosts have`, async () => {
        await start(topology, "preferred", host);
        await router.becomes(first);
        setHealthy(first, false);
        await router.becomes(second);
        setHealthy(second, false);
        await router.becomes(third);
        const open = await router.connect();
        setHealthy(first, true);
        await router.becomes(first);
        await waitFor("the end of the connection to the third", async () => open.isClosed(), { within: 10 });
      });
    }
  }

  it("preferred: the connection would stay open without on-marked-up", async () => {
    await start("separated", "preferred", "web-1", (text) =>
      text.replace(" on-marked-up shutdown-backup-sessions", ""),
    );
    setHealthy("db-1", false);
    await router.becomes("db-2");
    const open = await router.connect();
    setHealthy("db-1", true);
    await router.becomes("db-1");
    assert.equal(open.isClosed(), false);
  });

  function setHealthy(name: string, isHealthy: boolean): void {
    const member = router.members.find((one) => one.name === name);
    assert.ok(member);
    member.isHealthy = isHealthy;
  }
});
