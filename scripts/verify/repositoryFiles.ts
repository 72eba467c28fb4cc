import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** The paths of the repository's files, committed or not yet, without those that git ignores. */
export function repositoryFiles(projectDir: string): string[] {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  return execFileSync("git", args, { cwd: projectDir, encoding: "utf8", maxBuffer: 64 << 20 })
    .split("\0")
    .filter((path) => path !== "" && existsSync(join(projectDir, path)));
}
