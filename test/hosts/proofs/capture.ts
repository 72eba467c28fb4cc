/** Packets of several places at once, as they were on the wire. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Instance } from "../../../sandbox/hosts/instance";
import { captureCommand, type Hop } from "../../../sandbox/hosts/operate";
import { waitFor } from "../../waitFor";

/** A TCP segment. */
export interface Segment {
  /** "10.0.0.2:3306" */
  readonly from: string;
  readonly to: string;
  readonly payload: Buffer;
}

interface Running {
  readonly tcpdump: ChildProcess;
  readonly chunks: Buffer[];
  said: string;
}

export class Capture {
  private constructor(private readonly running: ReadonlyMap<string, Running>) {}

  /** Begins to listen at each place, by its name. Every packet from then on is kept. */
  static async start(instance: Instance, places: ReadonlyMap<string, Hop>): Promise<Capture> {
    const running = new Map([...places].map(([name, hop]) => [name, listen(instance, hop)] as const));
    const capture = new Capture(running);
    try {
      for (const [name, one] of running) {
        await waitFor(`tcpdump at ${name}`, async () => one.said.includes("listening on"), { within: 30 });
      }
      return capture;
    } catch (error) {
      await capture.stop();
      throw error;
    }
  }

  /** Ends the capture and gives each place's segments in the order in which they came. */
  async stop(): Promise<ReadonlyMap<string, readonly Segment[]>> {
    await Promise.all(
      [...this.running.values()].map(async ({ tcpdump }) => {
        if (tcpdump.exitCode !== null) return;
        const closed = once(tcpdump, "close");
        tcpdump.kill("SIGTERM");
        await closed;
      }),
    );
    return new Map(
      [...this.running].map(([name, { chunks }]) => [name, segments(Buffer.concat(chunks))] as const),
    );
  }
}

function listen(instance: Instance, hop: Hop): Running {
  const [program, args] = captureCommand(instance, hop, ["-s", "0", "-B", "8192", "-w", "-", "tcp"]);
  const tcpdump = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  const running: Running = { tcpdump, chunks: [], said: "" };
  tcpdump.stdout?.on("data", (chunk: Buffer) => running.chunks.push(chunk));
  tcpdump.stderr?.on("data", (text) => {
    running.said += String(text);
  });
  return running;
}

/** The file format of libpcap (pcap-savefile(5)) with Ethernet, IPv4 and TCP in it; what has no payload is left out. */
function segments(file: Buffer): readonly Segment[] {
  const found: Segment[] = [];
  for (let at = 24; at + 16 <= file.length; ) {
    const length = file.readUInt32LE(at + 8);
    const segment = segmentOf(file.subarray(at + 16, at + 16 + length));
    if (segment) found.push(segment);
    at += 16 + length;
  }
  return found;
}

function segmentOf(frame: Buffer): Segment | undefined {
  if (frame.length < 54 || frame.readUInt16BE(12) !== 0x0800 || frame[23] !== 6) return undefined;
  const ip = frame.subarray(14);
  const tcp = ip.subarray(((ip[0] ?? 0) & 15) * 4, ip.readUInt16BE(2));
  const payload = tcp.subarray(((tcp[12] ?? 0) >> 4) * 4);
  if (payload.length === 0) return undefined;
  const end = (address: number, port: number) =>
    `${[...ip.subarray(address, address + 4)].join(".")}:${tcp.readUInt16BE(port)}`;
  return { from: end(12, 0), to: end(16, 2), payload };
}

/** Whether a text is in what one side said to another, also where it lies across segments. */
export function contains(list: readonly Segment[], text: string): boolean {
  const streams = new Map<string, Buffer[]>();
  for (const { from, to, payload } of list) {
    const key = `${from} ${to}`;
    const stream = streams.get(key) ?? [];
    stream.push(payload);
    streams.set(key, stream);
  }
  return [...streams.values()].some((parts) => Buffer.concat(parts).includes(text));
}
