import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import type { ProjectStatus } from "../../scripts/hosts/status";
import type { Ended, Running, Sandbox } from "../e2e/sandbox";
import { waitFor } from "../waitFor";
import { Visitors } from "./workloads/visitors";

const SITE = "www.dev.foobar.com";
const HOSTS = { SECURED_WEB_HOSTS: "on" };

/** A sandbox with running hosts, driven by the commands that an operator types. */
export class SandboxOnHosts {
  constructor(readonly sandbox: Sandbox) {}

  /** Starts a command without waiting for its end. */
  start(command: string, ...args: string[]): Running {
    return this.sandbox.start(command, args, HOSTS);
  }

  run(command: string, ...args: string[]): Promise<Ended> {
    return this.start(command, ...args).ended;
  }

  /** Runs a command that must succeed; returns what it printed on stdout. */
  async must(command: string, ...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(command, ...args);
    assert.equal(exitCode, 0, `${command} ${args.join(" ")}\n${stdout}\n${stderr}`);
    return stdout;
  }

  exec(host: string, ...command: string[]): Promise<string> {
    return this.must("sandbox", "exec", host, ...command);
  }

  /** Writes a file for root, and its folder. */
  async write(host: string, path: string, text: string): Promise<void> {
    const content = Buffer.from(text).toString("base64");
    const script = `install -d -m 0700 ${dirname(path)} && echo ${content} | base64 -d > ${path}`;
    await this.exec(host, "bash", "-c", script);
  }

  /**
   * Why a member refuses a client on another database host; "" if it accepts.
   *
   * @param client.pair the path of the client's certificate and key, without .pem and .key
   */
  async refusal(
    member: string,
    client: {
      readonly host: string;
      readonly user: string;
      readonly password: string;
      readonly pair: string;
    },
  ): Promise<string> {
    const { host, user, password, pair } = client;
    const address = (await this.exec(member, "mysql", "-BNe", "SELECT @@report_host")).trim();
    const mysql = [
      ...["env", `MYSQL_PWD=${password}`, "mysql", "--no-defaults", `--host=${address}`, `--user=${user}`],
      ...["--ssl-mode=VERIFY_IDENTITY", "--ssl-ca=/etc/mysql/tls/ca.pem", `--ssl-cert=${pair}.pem`],
      ...[`--ssl-key=${pair}.key`, "-e", "SELECT 1"],
    ];
    const { exitCode, stderr } = await this.run("sandbox", "exec", host, ...mysql);
    return exitCode === 0 ? "" : stderr.trim() || "no reason";
  }

  async status(): Promise<ProjectStatus> {
    return JSON.parse(await this.must("sandbox", "status", "--json")) as ProjectStatus;
  }

  /** Visitors of the dev stack's site. Stop them in `finally`. */
  async visitors(): Promise<Visitors> {
    const port = (await this.status()).loadBalancers[0]?.published.find(
      ({ entryPort }) => entryPort === 443,
    )?.port;
    assert.ok(port);
    const rootsFile = join(this.sandbox.home.dir, "hosts", "certificates", "roots.pem");
    return Visitors.at({ site: SITE, address: "127.0.0.1", port, rootsFile });
  }

  /**
   * Runs something while visitors read and write: no request fails, and every acknowledged note is on each database host
   * exactly once.
   *
   * @returns the seconds that it took, the number of requests, and the texts of the acknowledged notes
   */
  async underLoad(
    databaseHosts: readonly string[],
    work: () => Promise<unknown>,
  ): Promise<{ seconds: number; requests: number; acknowledged: readonly string[] }> {
    const visitors = await this.visitors();
    const timed = async () => {
      const begin = Date.now();
      await work();
      return (Date.now() - begin) / 1000;
    };
    const seconds = await visitors.during("change", timed).catch(async (error: Error) => {
      throw new Error(`${error.message}\n${await this.failuresInLogs().catch(String)}`, { cause: error });
    });
    const { requests, acknowledged } = visitors;
    for (const host of databaseHosts) await this.hasOnce(host, acknowledged);
    return { seconds, requests: requests.length, acknowledged };
  }

  /** What the applications on the hosts say of the requests that they could not serve. */
  private async failuresInLogs(): Promise<string> {
    const hosts = (await this.status()).droplets.map(({ name }) => name.replace(/^dev-/, ""));
    const logs = hosts.map(async (host) => {
      const journal = ["journalctl", "--unit=secured-web-app", "--output=cat", "--grep=request failed"];
      const { stdout } = await this.run("sandbox", "exec", host, ...journal);
      return `${host}:\n${stdout.trim()}`;
    });
    return (await Promise.all(logs)).join("\n");
  }

  /** A database host has each of the notes exactly once, as soon as it has applied them. */
  async hasOnce(host: string, acknowledged: readonly string[]): Promise<void> {
    let wrong: readonly string[] = [];
    await waitFor(
      `each acknowledged note once on ${host}`,
      async () => {
        const counts = new Map<string, number>();
        for (const text of (await this.exec(host, "mysql", "-BNe", "SELECT text FROM app.notes")).split("\n"))
          counts.set(text, (counts.get(text) ?? 0) + 1);
        wrong = acknowledged.filter((text) => counts.get(text) !== 1);
        return wrong.length === 0;
      },
      { within: 60, every: 2, explain: async () => `lost or doubled: ${wrong.join(", ")}` },
    );
  }
}
