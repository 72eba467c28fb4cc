// Compiles code that other processes load: the policy pack and the stand-in plugins, which start twice as fast from
// JavaScript as through tsx, and the sample application, whose JavaScript is installed on hosts.
//
// `node scripts/build.mjs` always builds. scripts/setup.mjs calls buildIsStale() first, so that a command with
// nothing to build only costs a few stat calls.
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { packBundle } from "../policy/bundle.mjs";
import { pluginBundles } from "../sandbox/bundle.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const record = join(root, "build", "bundles.json");

const common = { platform: "node", target: "node20", format: "cjs", logLevel: "warning" };
const bundles = [
  // It is part of user data, where every byte counts.
  { entry: "app/main.ts", outdir: "app/build", bundle: true, packages: "external", minify: true },
  { entry: "policy/index.ts", outdir: "policy/build", ...packBundle },
  ...pluginBundles.map(({ entry, outdir, ...options }) => ({
    entry: `sandbox/${entry}`,
    outdir: `sandbox/${outdir}`,
    ...options,
  })),
];

const presentBundles = () => bundles.filter(({ entry }) => existsSync(join(root, entry)));

/** A file's size and modification time: enough to detect a change, at the cost of one stat. */
function fingerprint(path) {
  const stat = statSync(join(root, path), { throwIfNoEntry: false });
  return stat ? `${stat.size}:${stat.mtimeMs}` : "absent";
}

/** True if a bundle is missing, or an input of the last build has changed. */
export function buildIsStale() {
  let last;
  try {
    last = JSON.parse(readFileSync(record, "utf8"));
  } catch {
    return true;
  }
  if (presentBundles().some(({ entry }) => !(entry in last.files))) return true;
  return Object.entries(last.files).some(([path, was]) => fingerprint(path) !== was);
}

/**
 * Builds every bundle. Each output is moved into place with a rename, so a plugin that starts during the build reads
 * either the old or the new file.
 */
export async function buildAll() {
  const { build } = await import("esbuild");
  const files = new Set(["scripts/build.mjs", "policy/bundle.mjs", "sandbox/bundle.mjs"]);
  for (const { entry, ...options } of presentBundles()) {
    const result = await build({
      ...common,
      ...options,
      absWorkingDir: root,
      entryPoints: [entry],
      write: false,
      metafile: true,
    });
    for (const input of Object.keys(result.metafile.inputs)) files.add(input);
    for (const output of result.outputFiles) {
      mkdirSync(dirname(output.path), { recursive: true });
      writeFileSync(`${output.path}.new`, output.contents);
      renameSync(`${output.path}.new`, output.path);
      files.add(relative(root, output.path));
    }
  }
  mkdirSync(dirname(record), { recursive: true });
  const fingerprints = Object.fromEntries([...files].sort().map((path) => [path, fingerprint(path)]));
  writeFileSync(`${record}.new`, JSON.stringify({ files: fingerprints }));
  renameSync(`${record}.new`, record);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await buildAll();
