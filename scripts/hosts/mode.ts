import { existsSync, rmSync, writeFileSync } from "node:fs";
import type { OptionSpec } from "../commandLine";
import { usageFailure } from "../failure";
import type { Home } from "../home";

/** auto: hosts where this machine can run them, else records. on: hosts, or an error. off: records. */
export type HostsMode = "auto" | "on" | "off";

export const HOSTS_OPTION: OptionSpec = {
  type: "string",
  value: "auto|on|off",
  doc: "droplets boot as hosts on this machine (default: SECURED_WEB_HOSTS, else as this sandbox was started, else auto: where it can run them)",
};

/**
 * What the command line says, else SECURED_WEB_HOSTS, else off for a sandbox that was started so, else auto.
 * Throws a Failure (exit code 2) for another word.
 */
export function hostsMode(
  option: string | undefined,
  home: Home,
  env: NodeJS.ProcessEnv = process.env,
): HostsMode {
  const kept = existsSync(home.hostsOff) ? "off" : "auto";
  const [name, text] =
    option !== undefined ? ["--hosts", option] : ["SECURED_WEB_HOSTS", env.SECURED_WEB_HOSTS || kept];
  if (text === "auto" || text === "on" || text === "off") return text;
  throw usageFailure(`${name}: must be auto, on or off, got "${text}"`);
}

/** Remembers `off` for the commands that follow, until one says otherwise or `npm stop` removes the sandbox. */
export function keepHostsMode(home: Home, mode: HostsMode): void {
  if (mode === "off") writeFileSync(home.hostsOff, "--hosts auto boots the droplets as hosts again\n");
  else rmSync(home.hostsOff, { force: true });
}
