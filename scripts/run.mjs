// The entry point of every npm script: sets up, then runs the command in this same process, so that signals and exit
// codes are the command's own.
import { createRequire } from "node:module";
import { setUp } from "./setup.mjs";

const [name, ...args] = process.argv.slice(2);

if (name === "doctor") {
  // doctor reports what is missing, so it must work without it, and it changes nothing.
  const { doctor } = await import("./doctor.mjs");
  process.exitCode = await doctor(args);
} else {
  await runCommand();
}

async function runCommand() {
  try {
    await setUp();
  } catch (error) {
    process.stderr.write(`Error: ${error.message}\n`);
    process.exit(1);
  }
  await import("tsx");
  const { main } = createRequire(import.meta.url)("./main.ts");
  await main([name, ...args]);
}
