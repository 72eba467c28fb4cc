/**
 * Updates a stack with the project's own program, without the preview that `npm run up` makes first, as `pulumi up
 * --skip-preview` does. Arguments: HOME STACK [KEY=VALUE...]. Ends with the failure's exit code, and its text on stderr.
 */
import { parseOverride } from "../../scripts/engine/workDir";
import { describeError, exitCodeOf } from "../../scripts/failure";
import { openSandboxStack } from "./sandboxStack";

async function main([dir = "", stack = "", ...settings]: readonly string[]): Promise<void> {
  const program = async () => {
    const run = require("../../infra/index") as typeof import("../../infra/index");
    return { ...(await run()) };
  };
  const opened = await openSandboxStack(dir, stack, program, settings.map(parseOverride));
  process.stdout.write(`${(await opened.up()).summary}\n`);
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = exitCodeOf(error);
});
