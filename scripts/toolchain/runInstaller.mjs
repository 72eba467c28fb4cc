// Installs the CLI of the SDK's version into the folder that is given. A process of its own: see officialInstaller.ts.
import { createRequire } from "node:module";

const { PulumiCommand } = createRequire(import.meta.url)("@pulumi/pulumi/automation");
try {
  await PulumiCommand.install({ root: process.argv[2] });
} catch (error) {
  process.stderr.write(`${String(error.message).trim().split("\n").at(-1)}\n`);
  process.exitCode = 1;
}
