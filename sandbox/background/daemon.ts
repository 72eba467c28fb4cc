// The sandbox's API in the background: one command starts it, and later ones find it and stop it.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { type ApiAccess, request } from "../client/apiClient";
import { Failure } from "../failure";
import { processIdentity } from "../lock.mjs";
import { hasHosts, makeSandboxFolder, type Sandbox } from "../sandbox";
import { endGateways } from "../spaces/gateways";
import { ensureDatadog } from "./datadogAccess";
import { describePortUser, isBadPort, portBecomesFree } from "./ports";
import { signalProcess, tagEnvironment, taggedProcesses, waitUntilGone } from "./taggedProcesses";
import { ensureToken } from "./token";

const API_PROGRAM = join(__dirname, "..", "api", "main.ts");
/** Resolved from here, because the folder of the caller may have no tsx. */
const TSX = pathToFileURL(require.resolve("tsx")).href;

const READY_WITHIN_MS = 30_000;
/** Hosts that stopped with the machine, or were created as records, boot before the API answers. */
const READY_WITH_HOSTS_WITHIN_MS = 300_000;
/** After this time, a line reports what the command is waiting for. */
const SLOW_START_MS = 3_000;
const STOP_WITHIN_MS = 15_000;

interface ApiRecord {
  readonly pid: number;
  readonly identity: string;
  readonly url: string;
  readonly port: number;
  /** Its droplets are hosts. */
  readonly hosts?: boolean;
  /** It runs in a user's terminal. */
  readonly foreground?: boolean;
}

export interface ApiDemand {
  /** Makes droplets hosts; without it they do not change. */
  readonly hosts?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (line: string) => void;
}

export interface BackgroundApi extends ApiAccess {
  readonly pid: number;
  readonly hosts: boolean;
  /** False if it was already running. */
  readonly started: boolean;
}

/** The running API of this sandbox, from its record; undefined if it is not running. */
export function runningApi(sandbox: Sandbox): ApiRecord | undefined {
  if (!existsSync(sandbox.apiRecord)) return undefined;
  try {
    const record = JSON.parse(readFileSync(sandbox.apiRecord, "utf8")) as ApiRecord;
    return processIdentity(record.pid) === record.identity ? record : undefined;
  } catch {
    return undefined;
  }
}

/** The port on which this sandbox's API was last started; undefined if it never was. */
export function recordedPort({ apiRecord }: Sandbox): number | undefined {
  try {
    return (JSON.parse(readFileSync(apiRecord, "utf8")) as ApiRecord).port;
  } catch {
    return undefined;
  }
}

/**
 * Records that this process serves the API, so that other commands find it. Returns the function that removes the
 * record.
 */
export function recordForeground(
  sandbox: Sandbox,
  api: { url: string; port: number; hosts: boolean },
): () => void {
  const { pid } = process;
  writeRecord(sandbox, { ...api, pid, identity: processIdentity(pid) ?? "", foreground: true });
  return () => {
    if (runningApi(sandbox)?.pid === pid) rmSync(sandbox.apiRecord, { force: true });
  };
}

/**
 * Returns the sandbox's API. It starts the API if it is not running, and restarts it if droplets must become hosts.
 * Throws a Failure if the port is taken, or the API does not start in time (with the end of its log) or rejects the
 * sandbox's token.
 */
export async function ensureApi(
  sandbox: Sandbox,
  port: number,
  demand: ApiDemand = {},
): Promise<BackgroundApi> {
  makeSandboxFolder(sandbox);
  const token = ensureToken(sandbox);
  const running = runningApi(sandbox);
  if (running !== undefined) {
    if (running.port !== port) {
      throw new Failure(`The sandbox's API is already running on port ${running.port}, not on ${port}`, {
        remedy: `Use --port ${running.port} or ${sandbox.calls.variables.port}=${running.port}, or stop it: ${sandbox.calls.stop}.`,
      });
    }
    await checkToken({ url: running.url, token }, sandbox);
    const { hosts = false, pid, url } = running;
    if (hosts || !demand.hosts) return { url, token, pid, hosts, started: false };
    if (running.foreground) {
      throw new Failure(
        `The sandbox's API is running in a terminal (process ${pid}), and its droplets are records`,
        {
          remedy: "Stop it with Ctrl-C and run the command again, or continue with records: --hosts off.",
        },
      );
    }
    demand.onProgress?.("the API restarts, because its droplets must become hosts");
    await stopApi(sandbox);
  }
  // An API whose starter was killed before it wrote the record.
  await endProcesses(taggedProcesses("api", sandbox.dir));
  await demandUsable(port, portBecomesFree, sandbox);
  return start(sandbox, port, token, { ...demand, hosts: demand.hosts || hasHosts(sandbox) });
}

/** Throws a Failure if the port is in use or clients refuse it. It says by whom, and how to choose another. */
export async function demandUsable(
  port: number,
  isFree: (port: number) => Promise<boolean>,
  { calls }: Sandbox,
): Promise<void> {
  const example = `${calls.variables.port}=8090 ${calls.start}`;
  if (!(await isFree(port))) {
    throw new Failure(`Port ${port} of this machine is in use by ${describePortUser(port)}`, {
      remedy: `Stop that process, or choose another port: ${example}.`,
    });
  }
  if (await isBadPort(port)) {
    throw new Failure(
      `Browsers and Node.js refuse to connect to port ${port} (a "bad port" of the Fetch standard)`,
      { remedy: `Choose another port: ${example}.` },
    );
  }
}

/** Stops the sandbox's API. Returns the process ids that it stopped. */
export async function stopApi(sandbox: Sandbox): Promise<number[]> {
  const running = runningApi(sandbox);
  const pids = new Set(taggedProcesses("api", sandbox.dir));
  if (running !== undefined) pids.add(running.pid);
  await endProcesses([...pids]);
  // Those of an API that was killed.
  await endGateways(sandbox.spacesDir);
  rmSync(sandbox.apiRecord, { force: true });
  return [...pids];
}

async function endProcesses(pids: readonly number[]): Promise<void> {
  for (const pid of pids) signalProcess(pid, "SIGTERM");
  for (const pid of await waitUntilGone(pids, STOP_WITHIN_MS)) signalProcess(pid, "SIGKILL");
  await waitUntilGone(pids, STOP_WITHIN_MS);
}

async function start(
  sandbox: Sandbox,
  port: number,
  token: string,
  demand: ApiDemand,
): Promise<BackgroundApi> {
  const hosts = demand.hosts === true;
  ensureDatadog(sandbox);
  const log = openSync(sandbox.apiLog, "a", 0o600);
  const args = [
    "--port",
    String(port),
    "--state-dir",
    sandbox.apiStateDir,
    "--token-file",
    sandbox.tokenFile,
    "--datadog",
    sandbox.datadogDir,
    "--spaces",
    "0",
    "--quiet",
    ...(hosts ? ["--hosts", sandbox.hostsDir] : []),
    ...(hosts && sandbox.npmLockFile !== undefined ? ["--npm-lock", sandbox.npmLockFile] : []),
  ];
  const child = spawn(process.execPath, ["--import", TSX, API_PROGRAM, ...args], {
    detached: true,
    stdio: ["ignore", log, log],
    env: { ...process.env, ...tagEnvironment("api", sandbox.dir) },
  });
  closeSync(log);
  const url = `http://127.0.0.1:${port}`;
  try {
    await new Promise((resolve, reject) =>
      child.once("spawn", () => resolve(undefined)).once("error", reject),
    );
    const pid = child.pid ?? 0;
    writeRecord(sandbox, { pid, identity: processIdentity(pid) ?? "", url, port, hosts });
    await waitUntilReady(child, { url, token }, sandbox, { ...demand, hosts });
    child.unref();
    return { url, token, pid, hosts, started: true };
  } catch (error) {
    child.kill("SIGKILL");
    rmSync(sandbox.apiRecord, { force: true });
    throw error;
  }
}

function writeRecord(sandbox: Sandbox, record: ApiRecord): void {
  writeFileSync(`${sandbox.apiRecord}.new`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${sandbox.apiRecord}.new`, sandbox.apiRecord);
}

async function waitUntilReady(
  child: ChildProcess,
  api: ApiAccess,
  sandbox: Sandbox,
  { hosts, signal, onProgress = () => {} }: ApiDemand,
): Promise<void> {
  const withinMs = hosts ? READY_WITH_HOSTS_WITHIN_MS : READY_WITHIN_MS;
  const started = Date.now();
  let told = false;
  while (Date.now() < started + withinMs) {
    signal?.throwIfAborted();
    if (!told && Date.now() > started + SLOW_START_MS) {
      told = true;
      onProgress("waiting for the API, which boots its hosts");
    }
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Failure(
        `The sandbox's API exited at once. The end of ${sandbox.apiLog}:
${logTail(sandbox)}`,
      );
    }
    const status = await accountStatus(api);
    if (status === 200) return;
    if (status === 401) throw tokenRefused(sandbox);
    await delay(50);
  }
  throw new Failure(
    `The sandbox's API did not answer within ${withinMs / 1000} s. The end of ${sandbox.apiLog}:\n${logTail(sandbox)}`,
  );
}

/** The status of GET /v2/account; undefined if there is no answer. */
async function accountStatus(api: ApiAccess): Promise<number | undefined> {
  try {
    return (await request(api, "GET", "/v2/account", { timeoutMs: 5000 })).status;
  } catch {
    return undefined;
  }
}

async function checkToken(api: ApiAccess, sandbox: Sandbox): Promise<void> {
  const status = await accountStatus(api);
  if (status === 200) return;
  if (status === 401) throw tokenRefused(sandbox);
  throw new Failure(
    `The sandbox's API at ${api.url} ${status === undefined ? "does not answer" : `answers ${status}`}. The end of ${sandbox.apiLog}:\n${logTail(sandbox)}`,
    { remedy: `Restart it: ${sandbox.calls.stop}, then ${sandbox.calls.start}.` },
  );
}

function tokenRefused(sandbox: Sandbox): Failure {
  return new Failure(`The sandbox's API rejects the token in ${sandbox.tokenFile} (401)`, {
    remedy: `The file has changed since the API started. Restore it, or restart the API: ${sandbox.calls.stop}, then ${sandbox.calls.start}.`,
  });
}

/** The last lines of the API's log, for an error. */
export function logTail(sandbox: Sandbox, lines = 15): string {
  try {
    return readFileSync(sandbox.apiLog, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } catch {
    return "(there is no log)";
  }
}
