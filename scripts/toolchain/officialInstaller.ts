import { join } from "node:path";
import { PROJECT_DIR } from "../home";
import { runProgram } from "../processes";
import type { PulumiSource } from "./source";

const REACH_TIMEOUT_MS = 5_000;
const INSTALL_TIMEOUT_MS = 180_000;

/**
 * Installs with the Automation API's `PulumiCommand.install`, which runs Pulumi's own install script. It has no timeout,
 * so it runs in a separate process that can be stopped. A request to the download site comes first, so that without a
 * network this fails after seconds, not minutes.
 */
export const officialInstaller: PulumiSource = {
  name: "Pulumi's own installer",
  async install(dir, { onProgress, signal }) {
    const problem = await downloadSiteProblem(signal);
    if (problem !== undefined) throw new Error(problem);
    const { exitCode, stderr } = await runProgram(
      process.execPath,
      [join(PROJECT_DIR, "scripts", "toolchain", "runInstaller.mjs"), dir],
      { timeoutMs: INSTALL_TIMEOUT_MS, onLine: onProgress, ...(signal === undefined ? {} : { signal }) },
    );
    if (exitCode !== 0)
      throw new Error(
        stderr.trim().split("\n").at(-1) || `it did not finish within ${INSTALL_TIMEOUT_MS / 1000} s`,
      );
  },
};

/** The reason why Pulumi's download site cannot be reached; undefined if it answers. */
export async function downloadSiteProblem(signal?: AbortSignal): Promise<string | undefined> {
  const limit = AbortSignal.timeout(REACH_TIMEOUT_MS);
  try {
    await fetch("https://get.pulumi.com/install.sh", {
      method: "HEAD",
      signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
    });
    return undefined;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return `its download site does not answer (${cause instanceof Error ? cause.message : String(cause)})`;
  }
}
