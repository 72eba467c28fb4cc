import type { Calls } from "../calls";
import { hostsMode, hostsOption } from "../hosts/mode";
import { hasHosts, type Sandbox } from "../sandbox";
import type { OptionSpec } from "./commandLine";

/** `--hosts`, for a command whose droplets are records by default. */
export function hostsChoiceOption(calls: Calls): OptionSpec {
  return {
    ...hostsOption(calls),
    doc: "droplets boot as hosts on this machine (default: off, unless there are hosts)",
  };
}

/** True if droplets boot as hosts, because of `--hosts` or the variable, or because the sandbox already has hosts. */
export async function wantsHosts(
  sandbox: Sandbox,
  option: string | undefined,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const isSilent = option === undefined && !process.env[sandbox.calls.variables.hosts];
  const mode = isSilent && !hasHosts(sandbox) ? "off" : hostsMode(option, sandbox);
  const { prepareHosts } = await import("../hosts/prepare.ts");
  const decision = await prepareHosts(sandbox, mode, say, signal);
  if (decision.kind === "hosts") return true;
  const { reason, remedy } = decision;
  say(`droplets are records: ${reason}${remedy === undefined ? "" : `. ${remedy}`}`);
  return false;
}
