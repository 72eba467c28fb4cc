import { existsSync, rmSync, writeFileSync } from "node:fs";
import type { Calls } from "../calls";
import type { OptionSpec } from "../cli/commandLine";
import { usageFailure } from "../failure";
import type { Sandbox } from "../sandbox";

/** auto: hosts where this machine can run them, else records. on: hosts, or an error. off: records. */
export type HostsMode = "auto" | "on" | "off";

/** `--hosts`, for a command that starts an API. */
export function hostsOption({ variables }: Calls): OptionSpec {
  return {
    type: "string",
    value: "auto|on|off",
    doc: `droplets boot as hosts on this machine (default: ${variables.hosts}, else as this sandbox was started, else auto: where it can run them)`,
  };
}

/**
 * What the command line says, else the variable, else off for a sandbox that was started so, else auto.
 * Throws a Failure (exit code 2) for another word.
 */
export function hostsMode(
  option: string | undefined,
  { calls, hostsOff }: Sandbox,
  env: NodeJS.ProcessEnv = process.env,
): HostsMode {
  const variable = calls.variables.hosts;
  const kept = existsSync(hostsOff) ? "off" : "auto";
  const [name, text] = option !== undefined ? ["--hosts", option] : [variable, env[variable] || kept];
  if (text === "auto" || text === "on" || text === "off") return text;
  throw usageFailure(`${name}: must be auto, on or off, got "${text}"`);
}

/** Remembers `off` for the commands that follow, until one says otherwise or the sandbox is removed. */
export function keepHostsMode({ hostsOff }: Sandbox, mode: HostsMode): void {
  if (mode === "off") writeFileSync(hostsOff, "--hosts auto boots the droplets as hosts again\n");
  else rmSync(hostsOff, { force: true });
}
