import type { Command } from "../command";
import { EXIT_CODES } from "../failure";
import { verifyChecks } from "../verify/checks";

const MARKS = { passed: "✔", failed: "✖", skipped: "-" } as const;

export const command: Command = {
  name: "verify",
  summary:
    "Checks types, lint, formats, imports, duplicated code, links, English and that generated files are fresh.",
  run: async () => {
    let failures = 0;
    for (const { name, run } of verifyChecks()) {
      const { kind, detail } = await run();
      process.stdout.write(`${MARKS[kind]} ${name}${kind === "passed" ? "" : `: ${detail}`}\n`);
      if (kind === "failed") failures++;
    }
    return failures === 0 ? 0 : EXIT_CODES.error;
  },
};
