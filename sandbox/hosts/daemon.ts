import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { open, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { end, isAlive, type KnownProcess } from "./process";

const LAUNCH = join(__dirname, "launch.sh");
const LAUNCH_LIMIT_MS = 10_000;

export interface LaunchFiles {
  /** The file into which the process writes its identity. */
  readonly processFile: string;
  /** The file for its output; mode 0600. */
  readonly logFile: string;
}

/** Starts a process that outlives this program, and returns when its identity is known. */
export async function launch(
  command: readonly string[],
  { processFile, logFile }: LaunchFiles,
): Promise<KnownProcess> {
  await rm(processFile, { force: true });
  const log = await open(logFile, "a", 0o600);
  const child = spawn(LAUNCH, [processFile, ...command], {
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
    cwd: "/",
    env: environment(),
  });
  let failure: Error | undefined;
  child.on("error", (error) => {
    failure = error;
  });
  child.unref();
  await log.close();
  const deadline = Date.now() + LAUNCH_LIMIT_MS;
  for (;;) {
    const known = await readProcess(processFile);
    if (known) return known;
    if (failure ?? Date.now() > deadline)
      throw new Error(`${command[0]} did not start: ${failure?.message ?? "too slow"}`);
    await delay(10);
  }
}

/**
 * The environment of a process that outlives this one, without this process's other variables: commands that find
 * this program's own processes by their environment must not find (and end) the hosts.
 */
function environment(): NodeJS.ProcessEnv {
  const { PATH = "/usr/sbin:/usr/bin:/sbin:/bin", HOME = "/root", LANG = "C.UTF-8" } = process.env;
  return { PATH, HOME, LANG };
}

/** The process that wrote its identity into a file, if it still runs. */
export async function launched(processFile: string): Promise<KnownProcess | undefined> {
  const known = await readProcess(processFile);
  return (await isAlive(known)) ? known : undefined;
}

async function readProcess(processFile: string): Promise<KnownProcess | undefined> {
  const text = await readFile(processFile, "utf8").catch(() => "");
  const [pid = "", start = ""] = text.trim().split(" ");
  return start === "" ? undefined : { pid: Number(pid), start };
}

/** A long-running helper of the sandbox, identified by its name in a folder. */
export class Daemon {
  constructor(
    private readonly dir: string,
    private readonly name: string,
  ) {}

  get #processFile(): string {
    return join(this.dir, `${this.name}.process`);
  }
  get logFile(): string {
    return join(this.dir, `${this.name}.log`);
  }

  running(): Promise<KnownProcess | undefined> {
    return launched(this.#processFile);
  }

  /** Starts it if it is not running. Replaces it if it was started with another command or version. */
  async ensure(command: readonly string[], version = ""): Promise<{ started: boolean }> {
    const signature = createHash("sha256")
      .update(JSON.stringify([command, version]))
      .digest("hex");
    const signatureFile = join(this.dir, `${this.name}.signature`);
    const same = (await readFile(signatureFile, "utf8").catch(() => "")) === signature;
    if (same && (await this.running())) return { started: false };
    await this.stop();
    await launch(command, { processFile: this.#processFile, logFile: this.logFile });
    await writeFile(signatureFile, signature);
    return { started: true };
  }

  async stop(): Promise<void> {
    const known = await this.running();
    if (known) await end(known);
    await rm(this.#processFile, { force: true });
  }

  /** The end of its output, for an error. */
  async lastWords(): Promise<string> {
    const text = await readFile(this.logFile, "utf8").catch(() => "");
    return text.trim().split("\n").slice(-8).join("\n");
  }
}
