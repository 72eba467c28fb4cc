/**
 * Builds the files of the npm package: `build/index.js` (the stand-alone pack, one file that needs no node_modules),
 * `build/library.js` and its types (for other packs to import). `npm pack` and `npm publish` run it.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { packBundle } from "./bundle.mjs";

const policyDir = dirname(fileURLToPath(import.meta.url));
const projectDir = dirname(policyDir);

const common = {
  platform: "node",
  target: "node20",
  format: "cjs",
  logLevel: "warning",
  absWorkingDir: projectDir,
};

/** Builds into `outDir` (default: `build/` in this folder). */
export async function buildPackage(outDir = join(policyDir, "build")) {
  const { build } = await import("esbuild");
  mkdirSync(outDir, { recursive: true });
  await build({
    ...common,
    ...packBundle,
    entryPoints: ["policy/index.ts"],
    outfile: join(outDir, "index.js"),
  });
  await build({
    ...common,
    bundle: true,
    // The library and the pack that imports it must share one SDK.
    packages: "external",
    entryPoints: ["policy/library.ts"],
    outfile: join(outDir, "library.js"),
  });
  await writeTypes(join(outDir, "types"));
}

/** The declarations that library.ts needs: those of this folder, without the program's. */
async function writeTypes(typesDir) {
  const { default: ts } = await import("typescript");
  const options = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    skipLibCheck: true,
    esModuleInterop: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    types: ["node"],
    typeRoots: [join(projectDir, "node_modules/@types")],
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: projectDir,
    outDir: typesDir,
  };
  rmSync(typesDir, { recursive: true, force: true });
  const program = ts.createProgram([join(policyDir, "library.ts")], options);
  const { diagnostics } = program.emit(undefined, (path, text) => {
    const below = relative(join(typesDir, "policy"), path);
    if (below.startsWith("..")) return;
    const target = join(typesDir, below);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  });
  const [first] = [...ts.getPreEmitDiagnostics(program), ...diagnostics];
  if (first !== undefined) throw new Error(ts.flattenDiagnosticMessageText(first.messageText, "\n"));
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await buildPackage();
