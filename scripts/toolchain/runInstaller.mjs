// Installs the CLI, in the SDK's version, into the folder in its argument. officialInstaller.ts runs this as a process.
import { createRequire } from "node:module";

const { PulumiCommand } = createRequire(import.meta.url)("@pulumi/pulumi/automation");
try {
  await PulumiCommand.install({ root: process.argv[2] });
} catch (error) {
  process.stderr.write(`${String(error.message).trim().split("\n").at(-1)}\n`);
  process.exitCode = 1;
}
