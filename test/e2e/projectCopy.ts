/** A copy of this work tree whose files a test may change, as somebody does who develops the application. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_DIR } from "../../scripts/home";

export class ProjectCopy {
  readonly #originals = new Map<string, string>();

  private constructor(readonly dir: string) {}

  /** Its files are hard links. It lies beside the work tree, because a link cannot lead to another file system. */
  static make(): ProjectCopy {
    const dir = mkdtempSync(`${PROJECT_DIR}-copy-`);
    const copied = "find . -mindepth 1 -maxdepth 1 ! -name .git ! -name .secured-web -exec cp -al -t";
    execFileSync("bash", ["-c", `${copied} "$0" {} +`, dir], { cwd: PROJECT_DIR });
    return new ProjectCopy(dir);
  }

  /** Replaces text in a file of the copy. */
  edit(path: string, before: string, after: string): void {
    const text = readFileSync(join(this.dir, path), "utf8");
    assert.ok(text.includes(before), `${path} has: ${before}`);
    if (!this.#originals.has(path)) this.#originals.set(path, text);
    this.#write(
      path,
      text.replace(before, () => after),
    );
  }

  /** Gives every file that was changed its former text. */
  restore(): void {
    for (const [path, text] of this.#originals) this.#write(path, text);
    this.#originals.clear();
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** A rename leaves the original of the hard link as it is. */
  #write(path: string, text: string): void {
    writeFileSync(join(this.dir, `${path}.new`), text);
    renameSync(join(this.dir, `${path}.new`), join(this.dir, path));
  }
}
