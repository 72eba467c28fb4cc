import { spawn } from "node:child_process";
import { constants } from "node:os";

/** Runs a program with this terminal and returns its exit code. */
export function inherit(program: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: "inherit" });
    // The terminal sends Ctrl-C to the program, which decides what to do: a shell continues.
    const ignore = () => {};
    const end = () => child.kill("SIGTERM");
    process.on("SIGINT", ignore).on("SIGTERM", end);
    const rest = () => process.off("SIGINT", ignore).off("SIGTERM", end);
    child.on("error", (error) => {
      rest();
      reject(error);
    });
    child.on("close", (code, signal) => {
      rest();
      resolve(code ?? (signal === null ? 1 : 128 + constants.signals[signal]));
    });
  });
}
