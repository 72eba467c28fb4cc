/** Writes the generated parts of the pack: `node --import tsx policy/write-pages.ts`, and `npm run docs`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { generatedParts } from "./generated-parts";

for (const { path, content } of generatedParts()) writeFileSync(join(__dirname, path), content);
