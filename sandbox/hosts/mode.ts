import { existsSync, rmSync, writeFileSync } from "node:fs";
import type { Calls } from "../calls";
import type { OptionSpec } from "../cli/commandLine";
import { usageFailure } from "../failure";
import type { Sandbox } from "../sandbox";

/** auto: hosts if this machine can run them, otherwise records. on: hosts, or an error. off: records. */
export type HostsMode = "auto" | "on" | "off";

/** `--hosts`, for a command that starts an API. */
export function hostsOption({ variables }: Calls): OptionSpec {
  return {
    type: "string",
    value: "auto|on|off",
    doc: `droplets boot as hosts on this machine (default: ${variables.hosts}, or as this sandbox was started, or auto: if possible)`,
  };
}

/**
 * The command line, the variable, off if the sandbox was started so, or auto, in this order. Throws a Failure (exit
 * code 2) for another word.
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
  throw usageFailure(`${name}: expected auto, on or off, got "${text}"`);
}

/** Stores `off` for later commands, until one sets another mode or the sandbox is removed. */
export function keepHostsMode({ hostsOff }: Sandbox, mode: HostsMode): void {
  if (mode === "off") writeFileSync(hostsOff, "--hosts auto boots the droplets as hosts again\n");
  else rmSync(hostsOff, { force: true });
}
