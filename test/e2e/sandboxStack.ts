/** Opens a stack of a test's sandbox for a program that is not the project's own, or not as it is. */
import type { PulumiFn } from "@pulumi/pulumi/automation";
import { ensureToken, runningApi, sandboxDatadog, spacesUrl } from "../../sandbox/index";
import { sandboxEnvironment } from "../../scripts/engine/environment";
import { EngineStack } from "../../scripts/engine/stack";
import type { ConfigOverride } from "../../scripts/engine/workDir";
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
