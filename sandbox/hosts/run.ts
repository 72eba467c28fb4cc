import { spawn } from "node:child_process";

/** A program that failed. The error contains its command line, so arguments must not contain secrets. */
export class CommandFailed extends Error {
  constructor(
    readonly command: string,
    readonly code: number | null,
    readonly stdout: string,
    readonly stderr: string,
  ) {
    const how = code === null ? "was killed or took too long" : `failed with exit code ${code}`;
    super(`${command} ${how}: ${(stderr || stdout).trim().slice(-2000)}`);
    this.name = "CommandFailed";
  }
}

export interface RunOptions {
  /** Text for standard input. */
  input?: string;
  /** Milliseconds until the program is killed; default 30 s. */
  timeoutMs?: number;
  env?: NodeJS.ProcessEnv;
}

export interface Output {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program until it ends and returns its output. Throws CommandFailed if the exit code is not 0. */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await attempt(program, args, options);
  if (code !== 0) throw new CommandFailed([program, ...args].join(" "), code, stdout, stderr);
  return stdout;
}

/** Runs a program until it ends, with any exit code. `code` is null if it was killed or took too long. */
export async function attempt(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Output> {
  const child = spawn(program, args, {
    stdio: ["pipe", "pipe", "pipe"],
    timeout: options.timeoutMs ?? 30_000,
    killSignal: "SIGKILL",
    ...(options.env ? { env: options.env } : {}),
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  child.stdin.on("error", () => {}); // a program that ends early does not read its input
  child.stdin.end(options.input ?? "");
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}
