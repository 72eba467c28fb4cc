import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Daemon } from "../daemon";
import type { Instance } from "../instance";
import { namespacePath } from "../instance";
import { attempt } from "../run";

const READY_LIMIT_MS = 10_000;

/** One HAProxy in master-worker mode, kept running and reloaded without losing a connection. */
export class Haproxy {
  readonly #dir: string;
  readonly #daemon: Daemon;
  readonly #sockets: string;

  /** `name` is short, because socket paths have at most 107 bytes (unix(7)). For the same reason they are in /run. */
  constructor(
    instance: Instance,
    dir: string,
    private readonly name: string,
    /** The network namespace in which it runs; undefined for this machine's own. */
    private readonly namespace: string | undefined,
  ) {
    this.#dir = dir;
    this.#daemon = new Daemon(dir, "haproxy");
    this.#sockets = join("/run", instance.id);
  }

  get statsSocket(): string {
    return join(this.#sockets, `${this.name}.stats`);
  }
  get stateFile(): string {
    return join(this.#dir, "servers.state");
  }

  async running(): Promise<boolean> {
    return (await this.#daemon.running()) !== undefined;
  }

  /** Activates a configuration, unless it is active already. Throws if HAProxy rejects it. */
  async apply(config: string): Promise<{ changed: boolean }> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    await mkdir(this.#sockets, { recursive: true, mode: 0o700 });
    const file = join(this.#dir, "haproxy.cfg");
    const running = await this.#daemon.running();
    if (running && (await readFile(file, "utf8").catch(() => "")) === config) return { changed: false };
    await this.#check(config);
    await this.#saveServerState();
    await writeFile(`${file}.new`, config, { mode: 0o600 });
    await rename(`${file}.new`, file);
    const command = ["haproxy", "-W", "-S", `${this.#masterSocket},mode,600`, "-f", file];
    const before = running ? await this.#workerPid() : undefined;
    const { started } = await this.#daemon.ensure([...this.#into, ...command]);
    if (!started) await converse(this.#masterSocket, "reload");
    await this.#ready(before);
    return { changed: true };
  }

  /** Sends a command to the running worker (HAProxy management guide, 9.3) and returns the answer. */
  ask(command: string): Promise<string> {
    return converse(this.statsSocket, command);
  }

  /** The state of each server as HAProxy sees it: backend, server, status ("UP", "DOWN", "MAINT"), last check. */
  async servers(): Promise<{ backend: string; server: string; status: string; check: string }[]> {
    const lines = (await this.ask("show stat -1 4 -1").catch(() => "")).trim().split("\n");
    const names = lines[0]?.replace(/^# /, "").split(",") ?? [];
    const column = (row: string[], name: string) => row[names.indexOf(name)] ?? "";
    return lines.slice(1).map((line) => {
      const row = line.split(",");
      const check = [column(row, "check_status"), column(row, "check_code")]
        .filter((text) => text !== "")
        .join(" ");
      return {
        backend: column(row, "pxname"),
        server: column(row, "svname"),
        status: column(row, "status"),
        check,
      };
    });
  }

  async stop(): Promise<void> {
    await this.#daemon.stop();
    for (const path of [this.statsSocket, this.#masterSocket]) await rm(path, { force: true });
  }

  get #masterSocket(): string {
    return join(this.#sockets, `${this.name}.master`);
  }

  /** The words before a command that runs in the namespace. nsenter of util-linux 2.41 requires a namespace. */
  get #into(): string[] {
    return this.namespace ? ["nsenter", `--net=${namespacePath(this.namespace)}`] : [];
  }

  async #check(config: string): Promise<void> {
    const candidate = join(this.#dir, "haproxy.candidate.cfg");
    await writeFile(candidate, config, { mode: 0o600 });
    const [program = "haproxy", ...args] = [...this.#into, "haproxy", "-c", "-q", "-f", candidate];
    const { code, stderr } = await attempt(program, args);
    await rm(candidate, { force: true });
    if (code !== 0) throw new Error(`HAProxy rejects the load balancer's configuration: ${stderr.trim()}`);
  }

  /** The next worker keeps the results of the checks. Otherwise it would consider every server healthy. */
  async #saveServerState(): Promise<void> {
    const state = await this.ask("show servers state").catch(() => "");
    await writeFile(this.stateFile, state, { mode: 0o600 });
    await chmod(this.stateFile, 0o600);
  }

  async #workerPid(): Promise<string | undefined> {
    const info = await this.ask("show info").catch(() => "");
    return /^Pid: (\d+)$/m.exec(info)?.[1];
  }

  async #ready(before: string | undefined): Promise<void> {
    const deadline = Date.now() + READY_LIMIT_MS;
    for (;;) {
      const pid = await this.#workerPid();
      if (pid !== undefined && pid !== before) return;
      if (Date.now() > deadline) throw new Error(`HAProxy did not start: ${await this.#daemon.lastWords()}`);
      await delay(20);
    }
  }
}

function converse(path: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(path, () => socket.write(`${command}\n`));
    socket.setTimeout(5000, () => socket.destroy(new Error(`${path} does not answer`)));
    socket.setEncoding("utf8").on("data", (text) => {
      answer += text;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
  });
}
