import { createConnection, type Socket } from "node:net";

/** Counts and times requests for the monitoring agent. */
export interface Metrics {
  /** Counts one finished request: its status, and its response time. */
  request(status: number, seconds: number): void;
  /** Sends the remaining metrics and closes the socket. */
  close(): void;
}

/** Upper limit of a fast response; the latency objective is a share of these (docs/monitoring.md). */
export const fastSeconds = 0.5;
const flushMs = 2000;
/** Pause before the next attempt to connect to the agent. */
const retryMs = 10_000;
/**
 * Maximum number of times sent for one interval; the counts include all requests. A frame stays far below the agent's
 * 8 KiB.
 */
const mostTimes = 400;

/**
 * DogStatsD over the agent's stream socket: frames of a 32-bit little-endian length and lines. Node.js has no unix
 * datagram sockets, and the application has no network.
 *
 * Metrics must not affect requests: without an agent they are dropped.
 */
export class StreamMetrics implements Metrics {
  private requests = 0;
  private errors = 0;
  private fast = 0;
  private times: number[] = [];
  private socket: Socket | undefined;
  private notBefore = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly path: string,
    intervalMs = flushMs,
  ) {
    this.timer = setInterval(() => this.flush(), intervalMs).unref();
  }

  request(status: number, seconds: number): void {
    this.requests++;
    if (status >= 500) this.errors++;
    else if (seconds <= fastSeconds) this.fast++;
    if (this.times.length < mostTimes) this.times.push(seconds);
  }

  close(): void {
    clearInterval(this.timer);
    this.flush();
    this.socket?.end();
  }

  /** Also sent without any request: zero is different from no data. */
  private flush(): void {
    const lines = [
      `secured_web.http.requests:${this.requests}|c`,
      `secured_web.http.errors:${this.errors}|c`,
      `secured_web.http.fast:${this.fast}|c`,
      ...(this.times.length > 0
        ? [`secured_web.http.seconds:${this.times.map((time) => time.toFixed(4)).join(":")}|h`]
        : []),
    ];
    const socket = this.connected();
    // An agent that does not read must not fill this process's memory.
    if (!socket || socket.writableLength > 64 * 1024) return;
    [this.requests, this.errors, this.fast, this.times] = [0, 0, 0, []];
    socket.write(frame(lines.join("\n")));
  }

  private connected(): Socket | undefined {
    if (this.socket) return this.socket;
    if (Date.now() < this.notBefore) return undefined;
    this.notBefore = Date.now() + retryMs;
    const socket = createConnection(this.path).unref();
    socket.on("error", () => {});
    socket.on("close", () => {
      this.socket = undefined;
    });
    this.socket = socket;
    return socket;
  }
}

export function frame(text: string): Buffer {
  const body = Buffer.from(text);
  const head = Buffer.alloc(4);
  head.writeUInt32LE(body.length);
  return Buffer.concat([head, body]);
}
