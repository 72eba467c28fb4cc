import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { waitFor } from "../../waitFor";
import type { World } from "../world/world";
import { longestGap } from "./longestGap";

const PROGRAM = join(__dirname, "visitor.mjs");
let runs = 0;

/** One request to the site and how it ended. Times are milliseconds of this machine's clock. */
export interface Request {
  readonly kind: "write" | "read";
  readonly start: number;
  readonly end: number;
  /** 0: no answer, so nobody knows whether a write was done. */
  readonly status: number;
  /** The note's text, which no other request has. */
  readonly text?: string;
  /** The text of the session's own note before, which this read does not show. */
  readonly missed?: string;
}

export interface VisitorOptions {
  readonly writers?: number;
  readonly readers?: number;
  /** Milliseconds between two requests of one visitor. */
  readonly pauseMs?: number;
  /** Milliseconds until a visitor gives a request up. */
  readonly limitMs?: number;
  /** Each writer reads the list after each of its notes. */
  readonly readsOwn?: boolean;
  readonly keepsCookies?: boolean;
}

const DEFAULTS = {
  writers: 3,
  readers: 1,
  pauseMs: 100,
  limitMs: 15_000,
  readsOwn: false,
  keepsCookies: true,
};

/** People who write and read notes through the load balancer for as long as a test needs them. */
export class Visitors {
  readonly requests: Request[] = [];

  private constructor(private readonly child: ChildProcess) {
    const lines = createInterface({ input: child.stdout ?? process.stdin });
    lines.on("line", (line) => this.requests.push(JSON.parse(line) as Request));
  }

  /** They stay below nginx's limit of requests for one client address. Stop them in `finally`. */
  static start(world: World, options: VisitorOptions = {}): Visitors {
    const place = {
      site: world.client.site,
      address: world.loadBalancerIp,
      port: 443,
      rootsFile: world.provider.certificates.rootsFile,
    };
    return Visitors.at(place, options, (program, args) => world.client.command(program, args));
  }

  /**
   * Visitors of a load balancer at any address.
   *
   * @param command the command that runs a program where the address can be reached; default: this machine
   */
  static at(
    place: { site: string; address: string; port: number; rootsFile: string },
    options: VisitorOptions = {},
    command: (program: string, args: string[]) => [string, string[]] = (program, args) => [program, args],
  ): Visitors {
    const name = `run${process.pid}-${++runs}`;
    const order = { ...DEFAULTS, ...options, ...place, name };
    const [program, args] = command(process.execPath, [PROGRAM, JSON.stringify(order)]);
    return new Visitors(spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] }));
  }

  /** Texts of the notes that the site has acknowledged. */
  get acknowledged(): readonly string[] {
    return this.requests.flatMap(({ kind, status, text }) =>
      kind === "write" && status === 201 && text !== undefined ? [text] : [],
    );
  }

  /** Requests that were not answered well. */
  get failed(): readonly Request[] {
    return this.requests.filter(({ status }) => status !== 200 && status !== 201);
  }

  /** Runs something while they write and read, and ends them. Throws if a request fails. */
  async during<T>(what: string, work: () => Promise<T>): Promise<T> {
    let result: T;
    try {
      await this.goOn(`before the ${what}`);
      result = await work();
      await this.goOn(`after the ${what}`);
    } finally {
      await this.stop();
    }
    assert.deepEqual(this.failed, [], `${this.failed.length} of ${this.requests.length} requests failed`);
    return result;
  }

  /** Reads that did not show the session's own note. */
  get missed(): readonly string[] {
    return this.requests.flatMap(({ missed }) => missed ?? []);
  }

  /** How many requests that began at or after a time were answered well. */
  served(kind: Request["kind"], since: number): number {
    const good = kind === "write" ? 201 : 200;
    return this.requests.filter((one) => one.kind === kind && one.start >= since && one.status === good)
      .length;
  }

  /** Waits until so many writes and reads that began from now on were answered well. */
  async goOn(what: string, count = 5, within = 90): Promise<void> {
    const since = Date.now();
    await waitFor(
      `${what}: writes and reads through the site`,
      async () => this.served("write", since) >= count && this.served("read", since) >= Math.ceil(count / 3),
      { within, explain: async () => this.summary(since) },
    );
  }

  /** The longest time, in milliseconds, between the ends of two acknowledged writes after a moment. */
  longestGapMs(since: number): number {
    const written = this.requests.filter(
      ({ kind, status, end }) => kind === "write" && status === 201 && end >= since,
    );
    return longestGap([since, ...written.map(({ end }) => end)]);
  }

  summary(since = 0): string {
    const counts = new Map<string, number>();
    for (const { kind, status, start } of this.requests) {
      if (start < since) continue;
      const key = `${kind} ${status === 0 ? "without an answer" : status}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return [...counts].map(([key, count]) => `${key}: ${count}`).join(", ");
  }

  /** Lets the requests under way end, then the process. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, "close");
    this.child.stdin?.end();
    const force = setTimeout(() => this.child.kill("SIGKILL"), 30_000);
    await ended;
    clearTimeout(force);
  }
}
