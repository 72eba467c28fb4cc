/**
 * The application's files on a web host: one compiled program, and the files that pin its modules by their hashes.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { HostFile } from "./types";

const application = join(__dirname, "..", "..", "app");
const target = "/usr/local/lib/secured-web/app";
let known: readonly HostFile[] | undefined;

/** Throws if the program is not compiled. */
export function applicationFiles(): readonly HostFile[] {
  known ??= [
    file("main.js", readFileSync(compiledProgram(), "utf8")),
    file("package.json", readFileSync(join(application, "package.json"), "utf8")),
    file("package-lock.json", compactLock(readFileSync(join(application, "package-lock.json"), "utf8"))),
  ];
  return known;
}

function file(name: string, content: string): HostFile {
  return { path: `${target}/${name}`, permissions: "0644", content };
}

function compiledProgram(): string {
  const path = join(application, "build", "main.js");
  if (existsSync(path)) return path;
  throw new Error(
    "expected the compiled application at app/build/main.js, found no file. Run: npm run build",
  );
}

/**
 * The lock file without the parts that `npm ci --legacy-peer-deps` does not read: indentation and license notes are a
 * third of it, and the hashes of peer packages, which are types, cannot be compressed.
 */
function compactLock(text: string): string {
  const lock = JSON.parse(text) as { packages: Record<string, Record<string, unknown>> };
  for (const [path, entry] of Object.entries(lock.packages)) {
    for (const note of ["license", "funding", "engines", "peerDependencies"]) delete entry[note];
    if (entry.peer === true) delete lock.packages[path];
  }
  return `${JSON.stringify(lock)}\n`;
}
