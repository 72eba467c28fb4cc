// The sandbox's API in the background: started by `npm start`, ended by `npm stop`, found again by both.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "../failure";
import { type Home, makeHome, PROJECT_DIR } from "../home";
import { hasHosts, NPM_LOCK_FILE } from "../hosts/prepare";
import { processIdentity } from "../pid-lock.mjs";
import { type ApiAccess, request } from "./apiClient";
import { ensureDatadog } from "./datadogAccess";
import { markEnvironment, markedProcesses, signalProcess, waitUntilGone } from "./marked";
import { describePortUser, portBecomesFree } from "./portUser";
import { ensureToken } from "./secrets";

const READY_WITHIN_MS = 30_000;
/** Hosts that died with the machine, or were made as records, boot before the API answers. */
const READY_WITH_HOSTS_WITHIN_MS = 300_000;
/** From then on the person at the keyboard is told what it takes so long for. */
const SLOW_START_MS = 3_000;
const STOP_WITHIN_MS = 15_000;

interface ApiRecord {
  readonly pid: number;
  readonly identity: string;
  readonly url: string;
  readonly port: number;
  /** Its droplets are hosts. */
  readonly hosts?: boolean;
  /** It runs in somebody's terminal (`npm run sandbox`). */
  readonly foreground?: boolean;
}

export interface ApiDemand {
  /** Droplets are to be hosts; without it they are what they were. */
  readonly hosts?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (line: string) => void;
}

export interface BackgroundApi extends ApiAccess {
  readonly pid: number;
  readonly hosts: boolean;
  /** False when it ran already. */
  readonly started: boolean;
}

/** The API of this sandbox that runs now, by its record; undefined when it does not run. */
export function runningApi(home: Home): ApiRecord | undefined {
  if (!existsSync(home.apiRecord)) return undefined;
  try {
    const record = JSON.parse(readFileSync(home.apiRecord, "utf8")) as ApiRecord;
    return processIdentity(record.pid) === record.identity ? record : undefined;
  } catch {
    return undefined;
  }
}

/** The port that this sandbox's API was started on last; undefined where it never was. */
export function recordedPort(home: Home): number | undefined {
  try {
    return (JSON.parse(readFileSync(home.apiRecord, "utf8")) as ApiRecord).port;
  } catch {
    return undefined;
  }
}

/** Records that this process serves the API, so that other commands find it. Gives the function that takes it back. */
export function recordForeground(home: Home, api: { url: string; port: number; hosts: boolean }): () => void {
  const { pid } = process;
  writeRecord(home, { ...api, pid, identity: processIdentity(pid) ?? "", foreground: true });
  return () => {
    if (runningApi(home)?.pid === pid) rmSync(home.apiRecord, { force: true });
  };
}

/**
 * Gives the sandbox's API, started where it does not run, and anew where its droplets are to be hosts and are none. Throws a Failure where the port is taken, the API does not
 * come up in time (with the end of its log), or refuses the sandbox's token.
 */
export async function ensureApi(home: Home, port: number, demand: ApiDemand = {}): Promise<BackgroundApi> {
  makeHome(home);
  const token = ensureToken(home);
  const running = runningApi(home);
  if (running !== undefined) {
    if (running.port !== port) {
      throw new Failure(`The sandbox's API runs on port ${running.port} already, not on ${port}`, {
        remedy: `Use --port ${running.port} or SECURED_WEB_API_PORT=${running.port}, or stop it: npm stop.`,
      });
    }
    await checkToken({ url: running.url, token }, home);
    const { hosts = false, pid, url } = running;
    if (hosts || !demand.hosts) return { url, token, pid, hosts, started: false };
    if (running.foreground) {
      throw new Failure(
        `The sandbox's API runs in a terminal (process ${pid}), and its droplets are records`,
        {
          remedy: "End it with Ctrl-C and repeat, or go on with records: --hosts off.",
        },
      );
    }
    demand.onProgress?.("the API starts anew: its droplets are to be hosts");
    await stopApi(home);
  }
  // One whose starter was killed before it wrote the record.
  await endProcesses(markedProcesses("api", home.dir));
  if (!(await portBecomesFree(port))) throw portInUse(port);
  return start(home, port, token, { ...demand, hosts: demand.hosts || hasHosts(home) });
}

/** A Failure that says who has the port and how to take another. */
export function portInUse(port: number): Failure {
  return new Failure(`Port ${port} of this machine is used by ${describePortUser(port)}`, {
    remedy: "End that process, or choose another port: SECURED_WEB_API_PORT=8090 npm start.",
  });
}

/** Ends the sandbox's API. Returns the ids that it ended. */
export async function stopApi(home: Home): Promise<number[]> {
  const running = runningApi(home);
  const pids = new Set(markedProcesses("api", home.dir));
  if (running !== undefined) pids.add(running.pid);
  await endProcesses([...pids]);
  rmSync(home.apiRecord, { force: true });
  return [...pids];
}

async function endProcesses(pids: readonly number[]): Promise<void> {
  for (const pid of pids) signalProcess(pid, "SIGTERM");
  for (const pid of await waitUntilGone(pids, STOP_WITHIN_MS)) signalProcess(pid, "SIGKILL");
  await waitUntilGone(pids, STOP_WITHIN_MS);
}

async function start(home: Home, port: number, token: string, demand: ApiDemand): Promise<BackgroundApi> {
  const hosts = demand.hosts === true;
  ensureDatadog(home);
  const log = openSync(home.apiLog, "a", 0o600);
  const args = [
    "--port",
    String(port),
    "--state-dir",
    home.apiStateDir,
    "--token-file",
    home.tokenFile,
    "--datadog",
    home.datadogDir,
    "--quiet",
    ...(hosts ? ["--hosts", home.hostsDir, "--npm-lock", NPM_LOCK_FILE] : []),
  ];
  const child = spawn(
    process.execPath,
    ["--import", "tsx", join(PROJECT_DIR, "sandbox/api/main.ts"), ...args],
    {
      cwd: PROJECT_DIR,
      detached: true,
      stdio: ["ignore", log, log],
      env: { ...process.env, ...markEnvironment("api", home.dir) },
    },
  );
  closeSync(log);
  const url = `http://127.0.0.1:${port}`;
  try {
    await new Promise((resolve, reject) =>
      child.once("spawn", () => resolve(undefined)).once("error", reject),
    );
    const pid = child.pid ?? 0;
    writeRecord(home, { pid, identity: processIdentity(pid) ?? "", url, port, hosts });
    await waitUntilReady(child, { url, token }, home, { ...demand, hosts });
    child.unref();
    return { url, token, pid, hosts, started: true };
  } catch (error) {
    child.kill("SIGKILL");
    rmSync(home.apiRecord, { force: true });
    throw error;
  }
}

function writeRecord(home: Home, record: ApiRecord): void {
  writeFileSync(`${home.apiRecord}.new`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${home.apiRecord}.new`, home.apiRecord);
}

async function waitUntilReady(
  child: ChildProcess,
  api: ApiAccess,
  home: Home,
  { hosts, signal, onProgress = () => {} }: ApiDemand,
): Promise<void> {
  const withinMs = hosts ? READY_WITH_HOSTS_WITHIN_MS : READY_WITHIN_MS;
  const started = Date.now();
  let told = false;
  while (Date.now() < started + withinMs) {
    signal?.throwIfAborted();
    if (!told && Date.now() > started + SLOW_START_MS) {
      told = true;
      onProgress("waiting for the API, which boots the hosts that it knows");
    }
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Failure(`The sandbox's API ended at once. The end of ${home.apiLog}:\n${logTail(home)}`);
    }
    const status = await accountStatus(api);
    if (status === 200) return;
    if (status === 401) throw tokenRefused(home);
    await delay(50);
  }
  throw new Failure(
    `The sandbox's API did not answer within ${withinMs / 1000} s. The end of ${home.apiLog}:\n${logTail(home)}`,
  );
}

/** The status of GET /v2/account, or undefined when nothing answers. */
async function accountStatus(api: ApiAccess): Promise<number | undefined> {
  try {
    return (await request(api, "GET", "/v2/account", { timeoutMs: 5000 })).status;
  } catch {
    return undefined;
  }
}

async function checkToken(api: ApiAccess, home: Home): Promise<void> {
  const status = await accountStatus(api);
  if (status === 200) return;
  if (status === 401) throw tokenRefused(home);
  throw new Failure(
    `The sandbox's API at ${api.url} ${status === undefined ? "does not answer" : `answers ${status}`}. The end of ${home.apiLog}:\n${logTail(home)}`,
    { remedy: "Start it anew: npm stop, then npm start." },
  );
}

function tokenRefused(home: Home): Failure {
  return new Failure(`The sandbox's API refuses the token in ${home.tokenFile} (401)`, {
    remedy:
      "The file was changed since the API started. Put it back, or start anew: npm stop, then npm start.",
  });
}

/** The last lines of the API's log, for an error. */
export function logTail(home: Home, lines = 15): string {
  try {
    return readFileSync(home.apiLog, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } catch {
    return "(there is no log)";
  }
}
