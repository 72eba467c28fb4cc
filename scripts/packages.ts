// Debian packages that a command needs: says what is missing and why, asks, and installs it.
import { createInterface } from "node:readline/promises";
import {
  installPackages,
  missingPackages,
  packageAccess,
  type WantedPackage,
} from "../sandbox/hosts/packages.mjs";
import type { OptionSpec } from "../sandbox/index";
import { interruption } from "./interruption";
import type { Step } from "./progress";

export const YES_OPTION: OptionSpec = {
  type: "boolean",
  doc: "install missing Debian packages without asking (also where CI is set)",
};

export interface Offer {
  /** What they are for, and what is less without them: whole sentences. */
  readonly purpose: string;
  readonly wanted: readonly WantedPackage[];
  /** Completes "... installs them". */
  readonly yesCommand: string;
}

export interface Asking {
  /** --yes was given. */
  readonly yes: boolean;
  readonly env?: NodeJS.ProcessEnv;
  readonly print?: (text: string) => void;
  /** Asks a person, and gives the answer; undefined where there is no terminal. */
  readonly ask?: ((question: string) => Promise<string>) | undefined;
}

/** What is to be installed before a command goes on, and with which rights. */
export interface Agreed {
  readonly packages: readonly WantedPackage[];
  readonly prefix: readonly string[];
}

const NOTHING: Agreed = { packages: [], prefix: [] };

/**
 * Finds what is missing, says so, and asks on a terminal whether to install it. Goes on without asking with --yes and in
 * CI. Without a terminal, --yes and CI it installs nothing: nobody has agreed to it.
 */
export async function agreeOnPackages(
  { purpose, wanted, yesCommand }: Offer,
  asking: Asking,
): Promise<Agreed> {
  const { yes, env = process.env, print = (text) => void process.stdout.write(text) } = asking;
  const ask = "ask" in asking ? asking.ask : askOnTerminal();
  const packages = missingPackages(wanted, env);
  // What is only optional is no reason to ask.
  if (packages.every(({ optional }) => optional)) return NOTHING;
  const width = Math.max(...packages.map((one) => one.package.length));
  const list = packages.map((one) => `  ${one.package.padEnd(width)}  ${one.why}\n`).join("");
  print(`${purpose} Missing Debian packages:\n${list}`);
  const access = await packageAccess(env);
  if (access.prefix === undefined) {
    print(`Not installed: ${access.problem}.\n\n`);
    return NOTHING;
  }
  if (yes || isSet(env.CI)) {
    print("Installing them with apt-get; none of their services starts.\n\n");
    return { packages, prefix: access.prefix };
  }
  if (ask === undefined) {
    print(`Not installed: there is no terminal to ask on. ${yesCommand} installs them.\n\n`);
    return NOTHING;
  }
  const answer = await ask("Install them with apt-get? None of their services starts. [Y/n] ");
  print("\n");
  return /^(y|yes|)$/i.test(answer.trim()) ? { packages, prefix: access.prefix } : NOTHING;
}

function askOnTerminal(): ((question: string) => Promise<string>) | undefined {
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

/** The step that installs what was agreed on; none where that is nothing. A failure is told, and the command goes on. */
export function packageSteps({ packages, prefix }: Agreed): Step[] {
  if (packages.length === 0) return [];
  return [
    {
      title: "Debian packages",
      run: async (report) => {
        const { signal } = interruption;
        try {
          const names = await installPackages(packages, { prefix, report, signal });
          return `installed ${names.join(", ")}`;
        } catch (error) {
          signal.throwIfAborted();
          return `not installed: ${error instanceof Error ? error.message : String(error)}`;
        }
      },
    },
  ];
}

/** As CI systems set it: CI=true, CI=1. */
export function isSet(value: string | undefined): boolean {
  return value !== undefined && !["", "0", "false"].includes(value.toLowerCase());
}
