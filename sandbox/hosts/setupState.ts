import { readFile } from "node:fs/promises";
import { cloudInitState } from "./host/cloudInit";
import type { NamedHost } from "./namedHosts";

export interface SetupState {
  readonly done: boolean;
  readonly failed: boolean;
  readonly off: boolean;
  /** One line, with the host's name. */
  readonly text: string;
}

/** The progress of a host's cloud-init. */
export async function setupState({ name, host }: NamedHost): Promise<SetupState> {
  const busy = { done: false, failed: false, off: false };
  if ((await host.running()) === undefined) return { ...busy, off: true, text: `${name} is off` };
  const state = await cloudInitState(host).catch(() => undefined);
  if (state === undefined) return { ...busy, text: `${name} boots` };
  if (state.status === "running") return { ...busy, text: `${name} is being set up` };
  if (state.status === "done") return { ...busy, done: true, text: `${name} is set up` };
  return { ...busy, done: true, failed: true, text: `${name}: cloud-init: ${state.errors.join("; ")}` };
}

/**
 * The host's own error messages: cloud-init's output, and failed units with the end of their journals; for a host
 * that is off, the end of its console. Empty if there are no errors.
 */
export async function complaint({ name, host }: NamedHost): Promise<string> {
  if ((await host.running()) === undefined) {
    const console = await readFile(host.consolePath, "utf8").catch(() => "");
    return section(`${name} is off; its console (${host.consolePath}) ends with`, tail(console, 10));
  }
  try {
    const parts: string[] = [];
    const { failed, text } = await setupState({ name, host });
    if (failed) {
      parts.push(text);
      const output = (await host.readFile("/var/log/cloud-init-output.log")) ?? "";
      parts.push(section(`${name}: /var/log/cloud-init-output.log ends with`, tail(output, 15)));
    }
    const list = await host.attempt("systemctl", ["--failed", "--plain", "--no-legend"]);
    for (const unit of list.stdout.split("\n").flatMap((line) => line.trim().split(" ")[0] || [])) {
      const { stdout } = await host.attempt("journalctl", [
        "--no-pager",
        "--output=cat",
        "--lines=8",
        `--unit=${unit}`,
      ]);
      parts.push(section(`${name}: ${unit} failed; its journal ends with`, stdout.trim()));
    }
    return parts.join("\n");
  } catch (error) {
    return `${name}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const tail = (text: string, lines: number): string => text.trim().split("\n").slice(-lines).join("\n");
const section = (title: string, text: string): string => `${title}:\n${text.replace(/^/gm, "  ")}`;
