/**
 * Operators come and go by updates of a running stack: probed on every host, from networks that are allowed and not. In
 * `npm test` on a converged stack, without the change of the network; this runs all of it on a separated one:
 *
 *     SECURED_WEB_LONG_TESTS=1 npm test -- test/hosts/operators.test.ts
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SshAccess } from "../../infra/components/securedWeb";
import { clientNamespace, namespacePath, openInstance } from "../../sandbox/hosts/instance";
import { CLIENT_ADDRESS } from "../../sandbox/hosts/network/addresses";
import { ip } from "../../sandbox/hosts/network/namespace";
import { Sandbox } from "../e2e/sandbox";
import { inOrder } from "../inOrder";
import { IS_LONG, longIt } from "../longTests";
import { waitFor } from "../waitFor";
import { skipWithoutHosts } from "./requirement";
import { SandboxOnHosts } from "./sandboxOnHosts";

/** The client has an address in each of these networks, and its own in neither. */
const OFFICE = { network: "192.0.2.64/26", address: "192.0.2.77" };
const NEW_OFFICE = { network: "192.0.2.128/26", address: "192.0.2.130" };
const FOREIGN = CLIENT_ADDRESS;

const TOPOLOGY = IS_LONG ? ["--config", "secured-web:topology=separated"] : [];

/** A login with a program on the host that goes on until the connection or the program ends. */
class Session {
  #said = "";
  #errors = "";
  exitCode: number | null | undefined;

  constructor(private readonly child: ChildProcess) {
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#said += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
    });
    child.once("close", (code) => {
      this.exitCode = code;
    });
  }

  get said(): string {
    return this.#said;
  }

  get errors(): string {
    return this.#errors;
  }

  get isOpen(): boolean {
    return this.exitCode === undefined;
  }

  async until(text: string): Promise<void> {
    await waitFor(`"${text}" from a session`, async () => this.#said.includes(text), {
      within: 60,
      explain: async () => `${this.#said}${this.#errors}`,
    });
  }

  /** Waits for the echo of a line: the connection carries data both ways. */
  async echoes(line: string): Promise<void> {
    this.child.stdin?.write(`${line}\n`);
    await this.until(line);
  }

  ends(): Promise<unknown> {
    return waitFor("the end of a session", async () => !this.isOpen, { within: 60 });
  }

  close(): void {
    this.child.kill("SIGKILL");
  }
}

describe("operators of a running stack", function () {
  this.timeout(15 * 60_000);
  inOrder();
  const folder = mkdtempSync(join(tmpdir(), "secured-web-operators-"));
  const sessions: Session[] = [];
  let live: SandboxOnHosts;
  let client: string;
  let access: SshAccess;
  let keys: Readonly<Record<"alice" | "bob" | "carol", string>>;

  before(async function () {
    await skipWithoutHosts(this);
    keys = { alice: keyPair("alice"), bob: keyPair("bob"), carol: keyPair("carol") };
    live = new SandboxOnHosts(await Sandbox.make());
    await must("start", "--yes", ...TOPOLOGY);
    const instance = await openInstance(join(live.sandbox.home.dir, "hosts"));
    client = clientNamespace(instance);
    for (const { address } of [OFFICE, NEW_OFFICE]) await ip(client, [`addr replace ${address}/32 dev eth0`]);
    access = (JSON.parse(await must("outputs", "dev")) as { ssh: SshAccess }).ssh;
    writeFileSync(
      join(folder, "known_hosts"),
      access.hosts.map(({ name, hostKey }) => `${name} ${hostKey}\n`).join(""),
    );
  });
  after(async () => {
    for (const session of sessions) session.close();
    await live?.run("stop", "--force");
    await live?.sandbox.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const must = (command: string, ...args: string[]) => live.must(command, ...args);

  function keyPair(name: string): string {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", join(folder, name)]);
    return readFileSync(join(folder, `${name}.pub`), "utf8").trim();
  }

  function operators(names: readonly (keyof typeof keys)[], ...networks: string[]): string[] {
    const users = names.map((name) => ({ name, keys: [keys[name]] }));
    return [...TOPOLOGY, "--config", `secured-web:operators=${JSON.stringify({ networks, users })}`];
  }

  const on = <T>(work: (host: SshAccess["hosts"][number]) => Promise<T>) =>
    Promise.all(access.hosts.map(work));

  function ssh(
    host: SshAccess["hosts"][number],
    { user, from, key = user }: { user: string; from: string; key?: string },
    command: string,
  ): Session {
    const options = {
      BatchMode: "yes",
      BindAddress: from,
      ConnectTimeout: "10",
      HostKeyAlias: host.name,
      IdentitiesOnly: "yes",
      IdentityAgent: "none",
      IdentityFile: join(folder, key),
      // A connection whose packets are dropped ends after 10 s.
      ServerAliveCountMax: "2",
      ServerAliveInterval: "5",
      StrictHostKeyChecking: "yes",
      UserKnownHostsFile: join(folder, "known_hosts"),
    };
    const flags = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    const args = ["ssh", "-F", "none", ...flags, "-l", user, host.address, command];
    const session = new Session(
      spawn("nsenter", [`--net=${namespacePath(client)}`, "--", ...args], { stdio: "pipe" }),
    );
    sessions.push(session);
    return session;
  }

  async function logsIn(user: string, from: string, key = user): Promise<void> {
    await on(async (host) => {
      const session = ssh(host, { user, from, key }, "id -un && sudo -n id -un");
      await session.ends();
      assert.deepEqual([session.said, session.exitCode], [`${user}\nroot\n`, 0], session.errors);
    });
  }

  async function isRefused(user: string, from: string, why: RegExp, key = user): Promise<void> {
    await on(async (host) => {
      const session = ssh(host, { user, from, key }, "id -un");
      await session.ends();
      assert.deepEqual([session.said, session.exitCode], ["", 255], host.name);
      assert.match(session.errors, why, host.name);
    });
  }

  let office = OFFICE;
  const denied = /Permission denied \(publickey\)/;
  const timedOut = /timed out/;

  it("log in with their own accounts on every host as soon as the settings name them, from their network only, and root does not", async () => {
    await isRefused("alice", OFFICE.address, timedOut);
    await must("up", "dev", ...operators(["alice", "bob"], OFFICE.network));
    await logsIn("alice", OFFICE.address);
    await logsIn("bob", OFFICE.address);
    await isRefused("root", OFFICE.address, denied, "alice");
    await isRefused("carol", OFFICE.address, denied);
    await isRefused("alice", FOREIGN, timedOut);
    await isRefused("alice", NEW_OFFICE.address, timedOut);
  });

  it("are in each host's journal, with what they ran", async () => {
    await on(async ({ name }) => {
      const said = await must(
        "exec",
        ...[
          "dev",
          name,
          "--",
          "journalctl",
          "--no-pager",
          // What the programs call themselves. A program that has ended before journald reads its line has no _COMM.
          ...["-t", "sudo", "-t", "sshd", "-t", "sshd-session"],
        ],
      );
      assert.match(said, /sudo\[\d+\]: +bob : .*COMMAND=\S*id -un/);
      assert.match(said, /Accepted publickey for bob from 192\.0\.2\.77 .*ED25519 SHA256:/);
    });
  });

  it("lose their open sessions when they are removed, and the others keep theirs", async () => {
    const kept = await on(async (host) =>
      ssh(host, { user: "alice", from: OFFICE.address }, "echo open; cat"),
    );
    const asRoot = await on(async (host) =>
      ssh(host, { user: "bob", from: OFFICE.address }, "sudo -n sh -c 'echo open; exec sleep 4711'"),
    );
    await Promise.all([...kept, ...asRoot].map((session) => session.until("open")));
    await must("up", "dev", ...operators(["alice", "carol"], OFFICE.network));
    await Promise.all(asRoot.map((session) => session.ends()));
    await on(async ({ name }) => {
      const { exitCode, stdout } = await live.run("exec", "dev", name, "--", "pgrep", "-f", "^sleep 4711");
      assert.equal(exitCode, 1, `still runs on ${name}: ${stdout}`);
      await must(
        "exec",
        "dev",
        name,
        "--",
        "sh",
        "-c",
        "! getent passwd bob && ls -d /var/lib/secured-web/former-operators/bob-*",
      );
    });
    await Promise.all(kept.map((session) => session.echoes("still here")));
    await isRefused("bob", OFFICE.address, denied);
    await logsIn("carol", OFFICE.address);
    assert.match(
      await must("up", "dev", ...operators(["alice", "carol"], OFFICE.network)),
      /✔ Update: \d+ unchanged\n/,
    );
  });

  longIt(
    "lose their open sessions when their network is closed, and come in from the new one; a former key opens nothing",
    async () => {
      const open = sessions.filter(({ isOpen }) => isOpen);
      assert.equal(open.length, access.hosts.length);
      keys = { ...keys, carol: keys.bob };
      office = NEW_OFFICE;
      await must("up", "dev", ...operators(["alice", "carol"], office.network));
      await Promise.all(open.map((session) => session.ends()));
      for (const { errors } of open) assert.match(errors, /not responding|Timeout|Broken pipe|reset/i);
      await isRefused("alice", OFFICE.address, timedOut);
      await logsIn("alice", NEW_OFFICE.address);
      await isRefused("carol", NEW_OFFICE.address, denied);
      await logsIn("carol", NEW_OFFICE.address, "bob");
    },
  );

  it("can all be removed, and the update says so", async () => {
    const open = await on(async (host) =>
      ssh(host, { user: "alice", from: office.address }, "echo open; cat"),
    );
    await Promise.all(open.map((session) => session.until("open")));
    const said = await must("up", "dev", ...operators([], office.network));
    assert.match(said, /operators\.users is empty: no login on the hosts is possible/);
    await Promise.all(open.map((session) => session.ends()));
    await isRefused("alice", office.address, denied);
    await isRefused("root", office.address, denied, "alice");
  });
});
