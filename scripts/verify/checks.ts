import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_DIR } from "../home";
import { runProgram } from "../processes";
import { checkProse, proseFiles } from "../prose/check";
import { findOnPath } from "../toolchain/find.mjs";
import { isProduct, longFiles } from "./fileLength";
import type { GeneratedFile } from "./generated";
import { brokenLinks } from "./links";
import { repositoryFiles } from "./repositoryFiles";

/** `passed`, or why not; `skipped` if this machine lacks the tool. */
export type Verdict =
  | { readonly kind: "passed"; readonly detail: string }
  | { readonly kind: "failed"; readonly detail: string }
  | { readonly kind: "skipped"; readonly detail: string };

export interface Check {
  readonly name: string;
  run(): Promise<Verdict>;
}

/** The top-level folders that contain TypeScript. */
const CODE = ["infra", "examples", "app", "policy", "sandbox", "scripts", "test"];

/** The checks of `npm run verify`. Each is also a test (test/verify.test.ts). */
export function verifyChecks(projectDir = PROJECT_DIR): Check[] {
  const bin = (name: string) => join(PROJECT_DIR, "node_modules", ".bin", name);
  const inProject = (file: string, args: readonly string[]) => verdictOf(file, args, projectDir);
  return [
    { name: "types (tsc)", run: () => inProject(bin("tsc"), ["--noEmit", "-p", "."]) },
    { name: "lint and format (biome)", run: () => inProject(bin("biome"), ["ci", "--colors=off", "."]) },
    {
      name: "direction of imports (dependency-cruiser)",
      run: () =>
        inProject(bin("depcruise"), ["--no-progress", "--output-type", "err", ...present(CODE, projectDir)]),
    },
    { name: "shell files (shellcheck)", run: () => shellCheck(projectDir, "shellcheck", []) },
    {
      name: "form of shell files (shfmt)",
      run: () => shellCheck(projectDir, "shfmt", ["-d"]),
    },
    { name: "duplicated code (jscpd)", run: () => duplicates(projectDir) },
    {
      name: "links in Markdown",
      run: async () => {
        const pages = repositoryFiles(projectDir).filter((path) => path.endsWith(".md"));
        return verdictOn(pages, brokenLinks(projectDir, pages));
      },
    },
    {
      name: "files of the product have at most 300 lines, or say why",
      run: async () => {
        const files = repositoryFiles(projectDir).filter(isProduct);
        return verdictOn(files, longFiles(projectDir, files));
      },
    },
    { name: "English (scripts/prose)", run: async () => proseVerdict(projectDir) },
    { name: "generated pages (npm run docs)", run: async () => freshness(await pages(), projectDir) },
    {
      name: "generated pictures (npm run diagram)",
      run: async () => freshness(await drawings(), projectDir),
    },
  ];
}

/** Passed if files were checked and none has a problem. */
export function verdictOn(files: readonly string[], problems: readonly string[]): Verdict {
  if (files.length === 0) return { kind: "failed", detail: "no file to check was found, and there are some" };
  if (problems.length === 0) return { kind: "passed", detail: `${files.length} files` };
  return { kind: "failed", detail: problems.join("\n") };
}

/**
 * No passage of 80 tokens may be there twice (about ten lines). The limit is the largest round one that the code holds;
 * below it are calls that look alike.
 */
export async function duplicates(projectDir: string): Promise<Verdict> {
  const jscpd = join(PROJECT_DIR, "node_modules", ".bin", "jscpd");
  const options = ["--min-tokens", "80", "--min-lines", "5", "--format", "typescript,javascript"];
  const ignored = ["--ignore", "**/build/**,**/node_modules/**"];
  const report = ["--reporters", "console", "--no-colors", "--exit-code", "1"];
  const args = [...present(CODE, projectDir), ...options, ...ignored, ...report];
  const { exitCode, stdout, stderr } = await runProgram(jscpd, args, { cwd: projectDir });
  // jscpd is a program for each platform, and there is none for some.
  if (/Platform package .* not installed/.test(stderr)) return { kind: "skipped", detail: stderr.trim() };
  const files = Number(/Total: *│ *(\d+)/.exec(stdout)?.[1] ?? 0);
  if (exitCode === 0 && files > 0) return { kind: "passed", detail: `${files} files` };
  return { kind: "failed", detail: `${stdout}\n${stderr}`.trim() };
}

/** Loaded on demand, because the pictures run the whole program. */
async function pages(): Promise<GeneratedFile[]> {
  return (require("./generated") as typeof import("./generated")).generatedPages();
}

async function drawings(): Promise<GeneratedFile[]> {
  return (require("./generated") as typeof import("./generated")).generatedPictures();
}

function present(dirs: readonly string[], projectDir: string): string[] {
  return dirs.filter((dir) => existsSync(join(projectDir, dir)));
}

async function verdictOf(file: string, args: readonly string[], cwd: string): Promise<Verdict> {
  const { exitCode, stdout, stderr } = await runProgram(file, args, { cwd });
  const output = `${stdout}\n${stderr}`.trim();
  if (exitCode === 0) return { kind: "passed", detail: output.split("\n").at(-1) ?? "" };
  return { kind: "failed", detail: output || `ended with ${exitCode}` };
}

async function shellCheck(projectDir: string, tool: string, options: readonly string[]): Promise<Verdict> {
  const path = findOnPath(tool);
  if (path === undefined)
    return {
      kind: "skipped",
      detail: `${tool} is not on PATH. Install your system's package with that name`,
    };
  const files = shellFiles(projectDir);
  if (files.length === 0) return { kind: "failed", detail: "expected shell files, found none" };
  const verdict = await verdictOf(path, [...options, ...files], projectDir);
  return verdict.kind === "passed" ? { kind: "passed", detail: `${files.length} files` } : verdict;
}

/** The files in the repository (committed or not) that start with a shell's shebang or are named .sh. */
export function shellFiles(projectDir: string): string[] {
  return repositoryFiles(projectDir).filter(
    (file) => file.endsWith(".sh") || isShellScript(join(projectDir, file)),
  );
}

function isShellScript(file: string): boolean {
  if (/\.(ts|mjs|cjs|js|json|yaml|md|svg)$/.test(file)) return false;
  return /^#! ?\/(usr\/)?bin\/(env )?(ba|da)?sh\b/.test(
    readFileSync(file, { encoding: "latin1" }).slice(0, 80),
  );
}

export function proseVerdict(projectDir: string): Verdict {
  const files = proseFiles(projectDir);
  if (files.length === 0) return { kind: "failed", detail: "expected files with English text, found none" };
  const findings = checkProse(projectDir, files);
  if (findings.length === 0) return { kind: "passed", detail: `${files.length} files` };
  const lines = findings.map(({ path, line, message }) => `${path}:${line}: ${message}`);
  return {
    kind: "failed",
    detail: [
      ...lines,
      `${findings.length} findings. scripts/prose/rules.ts has an example of each rule.`,
    ].join("\n"),
  };
}

/** Compares generated files with the committed ones. */
export function freshness(files: readonly GeneratedFile[], projectDir: string): Verdict {
  const stale = files
    .filter(({ path, content }) => {
      const file = join(projectDir, path);
      return !existsSync(file) || readFileSync(file, "utf8") !== content;
    })
    .map(({ path }) => path);
  if (stale.length === 0) return { kind: "passed", detail: `${files.length} files` };
  return {
    kind: "failed",
    detail: `stale: ${stale.join(", ")}. To regenerate them, run npm run docs and npm run diagram.`,
  };
}
