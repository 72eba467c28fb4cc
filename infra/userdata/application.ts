/** The application as files of a web host: one compiled program, and what names its modules by their hashes. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { HostFile } from "./types";

const application = join(__dirname, "..", "..", "app");
const target = "/usr/local/lib/secured-web/app";
let known: readonly HostFile[] | undefined;

/** Throws where the program has not been compiled. */
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
  throw new Error("app/build/main.js is missing: the application is not compiled. Run `npm run build`.");
}

/** The lock file without what `npm ci` does not read: a third of it is indentation and notes on licenses. */
function compactLock(text: string): string {
  const lock = JSON.parse(text) as { packages: Record<string, Record<string, unknown>> };
  for (const entry of Object.values(lock.packages)) {
    for (const note of ["license", "funding", "engines"]) delete entry[note];
  }
  return `${JSON.stringify(lock)}\n`;
}
