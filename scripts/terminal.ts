import { createInterface } from "node:readline/promises";
import { interruption } from "./interruption";

/** A function that asks a question on the terminal; undefined if there is no terminal. */
export function askOnTerminal(): ((question: string) => Promise<string>) | undefined {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return undefined;
  return async (question) => {
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    terminal.once("SIGINT", () => process.kill(process.pid, "SIGINT"));
    try {
      return await terminal.question(question, { signal: interruption.signal });
    } finally {
      terminal.close();
    }
  };
}
