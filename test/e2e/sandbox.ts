/** A sandbox of the test's own, driven as a person drives it: by the npm scripts' commands. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type ApiAccess, freePort, listAll, request, runningApi, taggedProcesses } from "../../sandbox/index";
import { type Home, homeAt, PROJECT_DIR } from "../../scripts/home";

/** What a command left: its exit code, and all that it printed. */
export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What it printed so far on stdout. */
  printed(): string;
}

/** Droplets are records here: what boots on hosts has its own tests. */
const RECORDS = { SECURED_WEB_HOSTS: "off" };

export class Sandbox {
  readonly home: Home;
  readonly #running = new Set<Running>();

  private constructor(
    dir: string,
    readonly port: number,
    private readonly projectDir: string,
  ) {
    this.home = homeAt(dir);
  }

  /** @param projectDir the work tree whose commands it runs; default: this one */
  static async make(
    dir = mkdtempSync(join(tmpdir(), "secured-web-e2e-")),
    projectDir = PROJECT_DIR,
  ): Promise<Sandbox> {
    return new Sandbox(join(dir, "home"), await freePort(), projectDir);
  }

  /** Starts a command without waiting for its end. */
  start(command: string, args: readonly string[] = [], env: Record<string, string> = {}): Running {
    const child = spawn(process.execPath, ["scripts/run.mjs", command, ...args], {
      cwd: this.projectDir,
      env: {
        ...process.env,
        SECURED_WEB_HOME: this.home.dir,
        SECURED_WEB_API_PORT: String(this.port),
        ...RECORDS,
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const ended = new Promise<Ended>((resolve) =>
      child.once("close", (exitCode) => resolve({ exitCode, stdout, stderr })),
    );
    const running = { child, ended, printed: () => stdout };
    this.#running.add(running);
    void ended.then(() => this.#running.delete(running));
    return running;
  }

  run(command: string, args: readonly string[] = [], env: Record<string, string> = {}): Promise<Ended> {
    return this.start(command, args, env).ended;
  }

  /** Runs a command that must succeed; returns what it printed on stdout. */
  async must(command: string, ...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(command, args);
    assert.equal(exitCode, 0, `${command} ${args.join(" ")}\n${stdout}\n${stderr}`);
    return stdout;
  }

  get api(): ApiAccess {
    const running = runningApi(this.home);
    assert.ok(running, "the API runs");
    return { url: running.url, token: readFileSync(this.home.tokenFile, "utf8").trim() };
  }

  async get<T = Record<string, unknown>>(path: string): Promise<T> {
    const { status, body } = await request(this.api, "GET", path);
    assert.equal(status, 200, path);
    return body as T;
  }

  async send(method: "POST" | "PUT" | "DELETE", path: string, body?: object): Promise<void> {
    const answer = await request(this.api, method, path, body === undefined ? {} : { body });
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  /** How many of each kind the account holds: the same after a repeat as after one clean run. */
  async census(): Promise<Record<string, number>> {
    const kinds = {
      droplets: "droplets",
      load_balancers: "load_balancers",
      firewalls: "firewalls",
      vpcs: "vpcs",
      domains: "domains",
      certificates: "certificates",
      projects: "projects",
      tags: "tags",
      "uptime/checks": "checks",
      "monitoring/alerts": "policies",
    };
    const counts: Record<string, number> = {};
    for (const [path, key] of Object.entries(kinds)) {
      counts[path] = (await listAll(this.api, `/v2/${path}`, key)).length;
    }
    return counts;
  }

  /** The ids of all processes of this sandbox. */
  processes(): number[] {
    return [...taggedProcesses("api", this.home.dir), ...this.engineProcesses()];
  }

  engineProcesses(): number[] {
    return taggedProcesses("engine", this.home.dir);
  }

  /** Takes everything away, whatever state the test left. */
  async remove(): Promise<void> {
    // A command that a failed test has left holds the lock.
    for (const { child, ended } of this.#running) {
      child.kill("SIGINT");
      await ended;
    }
    if (existsSync(this.home.dir)) await this.run("stop", ["--force"]);
    rmSync(join(this.home.dir, ".."), { recursive: true, force: true });
  }
}

/** Waits until the command has printed it. */
export async function waitForLine(running: Running, pattern: RegExp, withinMs = 180_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!pattern.test(running.printed())) {
    if (running.child.exitCode !== null || Date.now() > deadline) {
      assert.fail(`${pattern} was not printed:\n${running.printed()}`);
    }
    await delay(20);
  }
}
