import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "../command";
import { PROJECT_DIR } from "../home";
import { generatedPages } from "../verify/generated";

export const command: Command = {
  name: "docs",
  summary:
    "Writes the pages that are generated from code: docs/configuration.md, and the policies' pages, index and exports.",
  run: async () => {
    for (const { path, content } of generatedPages()) {
      writeFileSync(join(PROJECT_DIR, path), content);
      process.stdout.write(`${path}\n`);
    }
    return 0;
  },
};
