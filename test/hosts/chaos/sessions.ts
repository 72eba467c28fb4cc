import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { RequestCounts } from "../../../scripts/chaos/report";
import { waitFor } from "../../waitFor";
import { longestGap } from "../workloads/longestGap";
import type { World } from "../world/world";
import { History, LIST_LIMIT, type Operation } from "./history";

const PROGRAM = join(__dirname, "session.mjs");
let runs = 0;

export interface SessionOptions {
  readonly sessions?: number;
  /** Milliseconds between two requests of a session. */
  readonly pauseMs?: number;
  /** Milliseconds until a session gives a request up. The application and nginx answer earlier. */
  readonly limitMs?: number;
}

/** The end of a write or a read, without what it said. */
interface Ended {
  readonly kind: "append" | "read";
  readonly start: number;
  readonly end: number;
  readonly isRawGood: boolean;
  readonly isGood: boolean;
}

/** Visitors' sessions for as long as a soak needs them, and the history of what they did and saw. */
export class Sessions {
  readonly history = new History();
  readonly #ended: Ended[] = [];
  acknowledged = 0;

  private constructor(
    private readonly child: ChildProcess,
    /** Every note of these sessions begins so. */
    readonly prefix: string,
  ) {
    const lines = createInterface({ input: child.stdout ?? process.stdin });
    lines.on("line", (line) => this.#take(JSON.parse(line) as Operation));
  }

  /** Stop them in `finally`. They stay below nginx's limit of requests for one client address. */
  static start(world: World, options: SessionOptions = {}): Sessions {
    const { sessions = 6, pauseMs = 200, limitMs = 20_000 } = options;
    const name = `chaos${process.pid}-${++runs}-${Date.now().toString(36)}`;
    const order = {
      ...{ site: world.client.site, address: world.loadBalancerIp, port: 443 },
      ...{ rootsFile: world.provider.certificates.rootsFile, name, sessions, pauseMs, limitMs },
    };
    const [program, args] = world.client.command(process.execPath, [PROGRAM, JSON.stringify(order)]);
    // A process group of its own: Ctrl-C is for the soak, which ends the sessions in order.
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"], detached: true });
    return new Sessions(child, `${name}-`);
  }

  #take(operation: Operation): void {
    this.history.add(operation);
    if (operation.kind === "invoke") return;
    const { kind, attempts } = operation;
    const good = kind === "append" ? 201 : 200;
    const isGood = attempts.some(({ status }) => status === good);
    if (kind === "append" && isGood) this.acknowledged++;
    this.#ended.push({
      kind,
      start: attempts[0]?.start ?? 0,
      end: attempts.at(-1)?.end ?? 0,
      isRawGood: attempts[0]?.status === good,
      isGood,
    });
  }

  /** Operations that began from one time to another. */
  counts(from = 0, to = Number.POSITIVE_INFINITY): RequestCounts {
    const within = this.#ended.filter(({ start }) => start >= from && start < to);
    return {
      operations: within.length,
      rawGood: within.filter(({ isRawGood }) => isRawGood).length,
      retriedGood: within.filter(({ isGood }) => isGood).length,
    };
  }

  /** The longest time, in seconds, without a good end of an operation of this kind. */
  longestGapSeconds(kind: Ended["kind"], from: number, to: number): number {
    const good = this.#ended.filter(
      (one) => one.kind === kind && one.isGood && one.end >= from && one.end < to,
    );
    return longestGap([from, ...good.map(({ end }) => end), to]) / 1000;
  }

  /** Waits until so many writes and reads that began from now on ended well. */
  async goOn(what: string, within: number, count = 3): Promise<void> {
    const since = Date.now();
    const served = (kind: Ended["kind"]) =>
      this.#ended.filter((one) => one.kind === kind && one.start >= since && one.isGood).length;
    await waitFor(
      `${what}: writes and reads through the site`,
      async () => {
        if (this.#isOver) throw new Error("the sessions have ended");
        return served("append") >= count && served("read") >= count;
      },
      { within, explain: async () => JSON.stringify(this.counts(since)) },
    );
  }

  /** Waits until the list is full, so that every later list has as many notes as the site shows. */
  async fillList(within: number): Promise<void> {
    await waitFor("a full list of notes", async () => this.acknowledged > LIST_LIMIT, { within });
  }

  get #isOver(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Lets the operations in progress end, then the process. */
  async stop(): Promise<void> {
    if (this.#isOver) return;
    const ended = once(this.child, "close");
    this.child.stdin?.end();
    const force = setTimeout(() => this.child.kill("SIGKILL"), 60_000);
    await ended;
    clearTimeout(force);
  }
}
