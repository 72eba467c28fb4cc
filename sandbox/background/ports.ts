import { randomInt } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

const FIRST_UNPRIVILEGED = 1024;
const LAST_PORT = 65_535;
/** The kernel lists a killed process as gone a moment before its threads have released its sockets. */
const LET_GO_WITHIN_MS = 2000;

/** True if this port of the loopback address is free. */
export function portIsFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(false);
      else reject(error);
    });
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * A free port of the loopback address, for an HTTP server that starts later.
 *
 * @param draw gives a port to try
 */
export async function freePort(draw = randomServerPort): Promise<number> {
  for (;;) {
    const port = draw();
    if ((await portIsFree(port)) && !(await isBadPort(port))) return port;
  }
}

/**
 * A port below net.ipv4.ip_local_port_range, from which the kernel takes the ports of connections, ip(7): otherwise a
 * connection could take it before the server starts.
 */
function randomServerPort(): number {
  const end = endOfServerPorts(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8"));
  return randomInt(FIRST_UNPRIVILEGED, end);
}

/**
 * True for a "bad port" of the Fetch standard, such as 2049 (NFS): browsers and Node.js's fetch refuse to connect to it.
 *
 * @param port one that no process listens on
 */
export async function isBadPort(port: number): Promise<boolean> {
  const error = await fetch(`http://127.0.0.1:${port}`).catch(({ cause }: Error) => cause);
  return error instanceof Error && error.message === "bad port";
}

/**
 * The first port that is not for servers.
 *
 * @param range net.ipv4.ip_local_port_range. Some machines give nearly all ports to connections; then any port will do.
 */
export function endOfServerPorts(range: string): number {
  const lowest = Number(range.trim().split(/\s+/)[0]);
  return lowest > FIRST_UNPRIVILEGED ? lowest : LAST_PORT + 1;
}

/** True as soon as the port is free; false if it is still taken after two seconds. */
export async function portBecomesFree(port: number): Promise<boolean> {
  const deadline = Date.now() + LET_GO_WITHIN_MS;
  while (!(await portIsFree(port))) {
    if (Date.now() > deadline) return false;
    await delay(50);
  }
  return true;
}

/** A description of the process that listens on a TCP port. Linux only shows a user's own processes. */
export function describePortUser(port: number): string {
  const inodes = new Set(["tcp", "tcp6"].flatMap((table) => listeningInodes(table, port)));
  const pid = inodes.size === 0 ? undefined : processWithSocket(inodes);
  return pid === undefined ? "another process" : `process ${pid} (${commandLine(pid)})`;
}

/** Fields of /proc/net/tcp, proc_pid_net(5): local address as hex ADDRESS:PORT, state 0A = LISTEN, inode tenth. */
function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  try {
    return readFileSync(`/proc/net/${table}`, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[1]?.endsWith(suffix) && fields[3] === "0A")
      .map((fields) => fields[9] ?? "");
  } catch {
    return [];
  }
}

function processWithSocket(inodes: ReadonlySet<string>): number | undefined {
  const links = new Set([...inodes].map((inode) => `socket:[${inode}]`));
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const found = pids.find((pid) => openFiles(pid).some((link) => links.has(link)));
  return found === undefined ? undefined : Number(found);
}

function openFiles(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => linkTarget(`/proc/${pid}/fd/${fd}`));
  } catch {
    return [];
  }
}

/** Skips a file that was closed since the folder was read; in this process, that is one each time. */
function linkTarget(link: string): string[] {
  try {
    return [readlinkSync(link)];
  } catch {
    return [];
  }
}

/** The program and its first argument: enough to recognize it, and in most programs without a secret. */
function commandLine(pid: number): string {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").filter(Boolean);
    return words.slice(0, 2).join(" ");
  } catch {
    return "gone meanwhile";
  }
}
