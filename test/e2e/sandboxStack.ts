/** Opens a stack of a test's sandbox for a program that is not the project's own, or not as it is. */
import type { PulumiFn } from "@pulumi/pulumi/automation";
import { ensureToken, runningApi, sandboxDatadog, spacesUrl } from "../../sandbox/index";
import { sandboxEnvironment } from "../../scripts/engine/environment";
import { EngineStack } from "../../scripts/engine/stack";
import { type ConfigOverride, parseOverride } from "../../scripts/engine/workDir";
import { describeError, exitCodeOf } from "../../scripts/failure";
import { homeAt } from "../../scripts/home";
import { ensurePulumi } from "../../scripts/toolchain/pulumi";

/** Throws where no API runs in the sandbox's folder. */
export async function openSandboxStack(
  dir: string,
  stack: string,
  program: PulumiFn,
  overrides: readonly ConfigOverride[] = [],
): Promise<EngineStack> {
  const home = homeAt(dir);
  const url = runningApi(home)?.url;
  if (url === undefined) throw new Error(`no API runs in ${dir}`);
  const datadog = sandboxDatadog(home);
  const api = { url, token: ensureToken(home) };
  const spaces = await spacesUrl(api);
  return EngineStack.open({
    stack,
    kind: "sandbox",
    home,
    cli: await ensurePulumi({ onProgress: () => {} }),
    environment: sandboxEnvironment(home, api, { standIns: true, datadog, spaces }),
    datadog,
    overrides,
    program,
  });
}

/**
 * The whole of a test's program that updates a stack with the project's own program, without a preview. It ends with
 * the failure's exit code, and its text on stderr.
 *
 * @param settings KEY=VALUE
 * @param prepare runs in the program, before it registers anything
 */
export async function updateSandboxStack(
  { dir, stack, settings }: { dir: string; stack: string; settings: readonly string[] },
  prepare: () => void = () => {},
): Promise<void> {
  const program = async () => {
    prepare();
    const run = require("../../infra/index") as typeof import("../../infra/index");
    return { ...(await run()) };
  };
  try {
    const opened = await openSandboxStack(dir, stack, program, settings.map(parseOverride));
    process.stdout.write(`${(await opened.up()).summary}\n`);
  } catch (error) {
    process.stderr.write(`${describeError(error)}\n`);
    process.exitCode = exitCodeOf(error);
  }
}
