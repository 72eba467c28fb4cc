/**
 * Runs one operation on the program of examples/typescript, with the policy pack, as a process of its own: a user's
 * program is one too. Arguments: HOME STACK preview|up|destroy. Prints the engine's summary; ends with the failure's
 * exit code, and its text on stderr.
 */
import { join } from "node:path";
import { describeError, exitCodeOf } from "../../scripts/failure";
import { openSandboxStack } from "./sandboxStack";

const example = join(__dirname, "../../examples/typescript/index.ts");

async function main([dir = "", stack = "", operation = ""]: readonly string[]): Promise<void> {
  const opened = await openSandboxStack(dir, stack, async () => ({ ...require(example) }));
  if (operation !== "preview" && operation !== "up" && operation !== "destroy")
    throw new Error(`no operation is called ${operation}`);
  process.stdout.write(`${(await opened[operation]()).summary}\n`);
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = exitCodeOf(error);
});
