/** `npm run diagram`: draws the pictures of docs/ anew. */
import { writeFileSync } from "node:fs";
import * as path from "node:path";
import { pictures, renderPicture } from "./render";

/** Writes every picture and returns the paths, relative to the repository. */
export async function writePictures(repository: string): Promise<string[]> {
  const written: string[] = [];
  for (const [file, { stack, config }] of Object.entries(pictures)) {
    writeFileSync(path.join(repository, "docs", file), await renderPicture(stack, config));
    written.push(`docs/${file}`);
  }
  return written;
}
