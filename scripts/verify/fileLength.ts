import { readFileSync } from "node:fs";
import { join } from "node:path";

const limit = 300;
const reason = /over 300 lines because \S+/i;

/** The files of the product: what a stack or a host is made of. Lock files are npm's. */
export function isProduct(path: string): boolean {
  return /^(infra|app)\//.test(path) && !path.endsWith("package-lock.json");
}

/** The files with more than 300 lines that do not say why ("Over 300 lines because ..."). */
export function longFiles(projectDir: string, paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const text = readFileSync(join(projectDir, path), "utf8");
    const lines = text.split("\n").length - 1;
    if (lines <= limit || reason.test(text)) return [];
    return [`${path} has ${lines} lines: split it, or write "Over 300 lines because ..." into it`];
  });
}
