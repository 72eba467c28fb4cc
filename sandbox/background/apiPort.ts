import { usageFailure } from "../failure";
import type { Sandbox } from "../sandbox";

/** The port of the sandbox's API: the option, the variable, or 8089. */
export function apiPort(
  option: string | undefined,
  { calls }: Sandbox,
  env: NodeJS.ProcessEnv = process.env,
): number {
  const variable = calls.variables.port;
  const [name, text] = option !== undefined ? ["--port", option] : [variable, env[variable] || "8089"];
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port >= 1 && port <= 65535) return port;
  throw usageFailure(`${name}: expected a port from 1 to 65535, got "${text}"`);
}
