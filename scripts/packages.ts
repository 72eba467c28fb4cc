// Debian packages that a command needs: says which are missing and why, asks, and installs them.
import {
  installPackages,
  missingPackages,
  packageAccess,
  type WantedPackage,
} from "../sandbox/hosts/packages.mjs";
import type { OptionSpec } from "../sandbox/index";
import { interruption } from "./interruption";
import type { Step } from "./progress";
import { askOnTerminal } from "./terminal";

export const YES_OPTION: OptionSpec = {
  type: "boolean",
  doc: "install missing Debian packages without asking (default if CI is set)",
};

export interface Offer {
  /** Their purpose, and what does not work without them, in whole sentences. */
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
  /** Asks the user and returns the answer; undefined without a terminal. */
  readonly ask?: ((question: string) => Promise<string>) | undefined;
}

/** The packages to install before a command continues, and with which rights. */
export interface Agreed {
  readonly packages: readonly WantedPackage[];
  readonly prefix: readonly string[];
}

const NOTHING: Agreed = { packages: [], prefix: [] };

/**
 * Finds missing packages, lists them, and asks on a terminal whether to install them. With --yes and in CI it does
 * not ask. Without a terminal, --yes and CI it installs nothing, because the user has not agreed.
 */
export async function agreeOnPackages(
  { purpose, wanted, yesCommand }: Offer,
  asking: Asking,
): Promise<Agreed> {
  const { yes, env = process.env, print = (text) => void process.stdout.write(text) } = asking;
  const ask = "ask" in asking ? asking.ask : askOnTerminal();
  const packages = missingPackages(wanted, env);
  // Optional packages are no reason to ask.
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
    print(`Installing them with apt-get; no services are started.

`);
    return { packages, prefix: access.prefix };
  }
  if (ask === undefined) {
    print(`Not installed, because there is no terminal to ask on. To install them, run ${yesCommand}.

`);
    return NOTHING;
  }
  const answer = await ask("Install them with apt-get? No services are started. [Y/n] ");
  print("\n");
  return /^(y|yes|)$/i.test(answer.trim()) ? { packages, prefix: access.prefix } : NOTHING;
}

/**
 * The step that installs the agreed packages; none if there are none. A failure is reported, and the command
 * continues.
 */
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
