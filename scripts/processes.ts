import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";

export interface Finished {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions extends Pick<SpawnOptions, "cwd" | "env"> {
  /** Written to the child's stdin. Use it for secrets, which must not be in the arguments. */
  readonly input?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Called with each complete line of stdout and stderr. */
  readonly onLine?: (line: string) => void;
}

/**
 * Runs a program in its own process group until it ends, and returns its output and exit code. After the time limit,
 * or when `signal` aborts, it ends the whole group. Throws if the program cannot be started.
 */
export function runProgram(
  file: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      detached: true,
    });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      const onChunk = splitLines(options.onLine ?? (() => {}));
      child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
        output[name] += chunk;
        onChunk(chunk);
      });
    }
    const end = () => signalGroup(child, "SIGKILL");
    const timer = options.timeoutMs === undefined ? undefined : setTimeout(end, options.timeoutMs);
    options.signal?.addEventListener("abort", end, { once: true });
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", end);
      resolve({ ...output, exitCode: code ?? 128 + (signal === "SIGKILL" ? 9 : 15) });
    });
    // A program that ends without reading its input closes the pipe. Its exit code says what happened.
    child.stdin?.on("error", () => {}).end(options.input);
  });
}

/** Signals a child that leads its own process group, and all processes that it started in the group. */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Returns a function that takes chunks of text and calls `onLine` with each complete line. */
export function splitLines(onLine: (line: string) => void): (chunk: string) => void {
  let rest = "";
  return (chunk) => {
    const lines = (rest + chunk).split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  };
}
