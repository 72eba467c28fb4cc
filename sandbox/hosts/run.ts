import { spawn } from "node:child_process";

/** A program that ended with an error: its command line is told without secrets, so arguments must hold none. */
export class CommandFailed extends Error {
  constructor(
    readonly command: string,
    readonly code: number | null,
    readonly stdout: string,
    readonly stderr: string,
  ) {
    const how = code === null ? "was killed or took too long" : `ended with ${code}`;
    super(`${command} ${how}: ${(stderr || stdout).trim().slice(-2000)}`);
    this.name = "CommandFailed";
  }
}

export interface RunOptions {
  /** Text for standard input. */
  input?: string;
  /** Milliseconds until the program is killed; 30 s by default. */
  timeoutMs?: number;
  env?: NodeJS.ProcessEnv;
}

export interface Output {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end and gives what it wrote; throws CommandFailed where it exits with anything but 0. */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await attempt(program, args, options);
  if (code !== 0) throw new CommandFailed([program, ...args].join(" "), code, stdout, stderr);
  return stdout;
}

/** Runs a program to its end, whatever its exit code. `code` is null where it was killed or took too long. */
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
