import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";

const MAIN = resolve(__dirname, "../../../sandbox/api/main.ts");

/** The program as a user starts it, in a process of its own. */
export class ApiProcess {
  stdout = "";
  stderr = "";
  private constructor(readonly child: ChildProcess) {
    child.stdout?.on("data", (chunk) => {
      this.stdout += chunk;
    });
    child.stderr?.on("data", (chunk) => {
      this.stderr += chunk;
    });
  }

  static spawn(...args: string[]): ApiProcess {
    const command = ["--import", "tsx", MAIN, ...args];
    return new ApiProcess(spawn(process.execPath, command, { stdio: ["ignore", "pipe", "pipe"] }));
  }

  /** Waits until it listens; gives its address. Fails with what it printed where it ends instead. */
  async listening(): Promise<string> {
    for (;;) {
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(this.stdout)?.[0];
      if (url && this.stdout.includes("Ctrl-C")) return url;
      if (this.child.exitCode !== null) throw new Error(`ended with ${this.child.exitCode}: ${this.stderr}`);
      await Promise.race([once(this.child.stdout!, "data"), once(this.child, "exit")]);
    }
  }

  /** Waits for the end; gives the exit code, or the signal. */
  async ended(): Promise<number | string> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, "exit");
    return this.child.exitCode ?? this.child.signalCode ?? "";
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<number | string> {
    this.child.kill(signal);
    return this.ended();
  }
}
