import { spawn } from "node:child_process";
import { delimiter, dirname } from "node:path";
import type { PulumiCommand } from "@pulumi/pulumi/automation";
import { SemVer } from "semver";
import { interruption } from "../interruption";
import { runProgram } from "../processes";
import type { PulumiCli } from "../toolchain/find.mjs";

/** A pulumi command that failed. */
export class EngineError extends Error {
  constructor(
    readonly args: readonly string[],
    readonly exitCode: number,
    readonly stdout: string,
    readonly stderr: string,
  ) {
    super(`pulumi ${args[0]} ended with ${exitCode}: ${stderr.trim() || stdout.trim()}`);
    this.name = "EngineError";
  }
}

interface Result {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

type OnText = ((text: string) => void) | undefined;

/**
 * Runs the CLI for the Automation API instead of its own PulumiCommand, for two reasons. First, the engine gets its
 * own process group: Ctrl-C in the terminal only reaches this process, which forwards it once (the engine treats a
 * second one, such as the terminal's own, as a request to stop immediately and leaves its state incomplete). Second,
 * the environment is exactly the one passed here, because the sandbox must not see the user's login or tokens.
 */
export class PulumiProcess {
  readonly command: string;
  readonly version: PulumiCommand["version"];

  constructor(
    cli: PulumiCli,
    private readonly environment: Readonly<Record<string, string>>,
  ) {
    this.command = cli.path;
    this.version = new SemVer(cli.version);
  }

  /** The method that the Automation API calls (PulumiCommand.run of @pulumi/pulumi 3.248.0, automation/cmd.js). */
  run(
    args: string[],
    cwd: string,
    additional: Record<string, string>,
    onOutput?: OnText,
    onError?: OnText,
    signal?: AbortSignal,
  ): Promise<Result> {
    const given = args.includes("--non-interactive") ? args : [...args, "--non-interactive"];
    const child = spawn(this.command, given, {
      cwd,
      env: this.#environment(additional),
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const interrupt = () => child.kill("SIGINT");
    if (signal?.aborted) interrupt();
    signal?.addEventListener("abort", interrupt, { once: true });
    const forget = interruption.onSecondSignal(interrupt);
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      onOutput?.(text);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      onError?.(text);
    });
    return new Promise<Result>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, killedBy) => {
        if (code === 0) resolve({ stdout, stderr, code });
        else
          reject(
            new EngineError(args, code ?? -1, stdout, killedBy ? `${stderr}\nended by ${killedBy}` : stderr),
          );
      });
    }).finally(() => {
      signal?.removeEventListener("abort", interrupt);
      forget();
    });
  }

  /** Runs one pulumi command that needs text on its stdin, such as a secret. */
  async runWithInput(args: string[], cwd: string, input: string): Promise<void> {
    const options = { cwd, input, env: this.#environment({}) };
    const result = await runProgram(this.command, [...args, "--non-interactive"], options);
    if (result.exitCode !== 0) throw new EngineError(args, result.exitCode, result.stdout, result.stderr);
  }

  #environment(additional: Record<string, string>): Record<string, string> {
    const all: Record<string, string> = { ...this.environment, ...additional, PULUMI_AUTOMATION_API: "true" };
    // The official distribution has language hosts in the CLI's folder. Ours come first on PATH.
    return { ...all, PATH: [all.PATH ?? "", dirname(this.command)].join(delimiter) };
  }
}
