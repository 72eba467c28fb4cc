import type { OptionSpec } from "../commandLine";
import { usageFailure } from "../failure";

/** auto: hosts where this machine can run them, else records. on: hosts, or an error. off: records. */
export type HostsMode = "auto" | "on" | "off";

export const HOSTS_OPTION: OptionSpec = {
  type: "string",
  value: "auto|on|off",
  doc: "droplets boot as hosts on this machine (default: SECURED_WEB_HOSTS, else auto: where it can run them)",
};

/** What the command line says, else SECURED_WEB_HOSTS, else auto. Throws a Failure (exit code 2) for another word. */
export function hostsMode(option: string | undefined, env: NodeJS.ProcessEnv = process.env): HostsMode {
  const [name, text] =
    option !== undefined ? ["--hosts", option] : ["SECURED_WEB_HOSTS", env.SECURED_WEB_HOSTS || "auto"];
  if (text === "auto" || text === "on" || text === "off") return text;
  throw usageFailure(`${name}: must be auto, on or off, got "${text}"`);
}
