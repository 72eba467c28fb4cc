// What every npm script runs: sets up, then runs the command in this same process, so that signals and exit codes are
// the command's own.
import { createRequire } from "node:module";
import { setUp } from "./setup.mjs";

try {
  await setUp();
} catch (error) {
  process.stderr.write(`Error: ${error.message}\n`);
  process.exit(1);
}

await import("tsx");
const { main } = createRequire(import.meta.url)("./main.ts");
await main(process.argv.slice(2));
