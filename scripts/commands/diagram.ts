import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "../command";
import { PROJECT_DIR } from "../home";
import { generatedPictures } from "../verify/generated";

export const command: Command = {
  name: "diagram",
  summary:
    "Draws the architecture from the resources that the program registers: docs/architecture.svg and its variants.",
  run: async () => {
    for (const { path, content } of await generatedPictures()) {
      writeFileSync(join(PROJECT_DIR, path), content);
      process.stdout.write(`${path}\n`);
    }
    return 0;
  },
};
