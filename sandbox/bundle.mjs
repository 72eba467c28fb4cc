/** How the stand-in plugins are bundled: the engine starts each of them, and JavaScript starts twice as fast as tsx. */
import { dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** Paths are relative to this folder. */
export const pluginBundles = ["datadog", "digitalocean", "random", "tls"].map((name) => ({
  entry: `plugins/${name}/main.ts`,
  outdir: `build/plugins/${name}`,
  bundle: true,
  packages: "external",
}));

// `npm pack` and `npm publish` run this file; in this project scripts/build.mjs builds all bundles.
if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { build } = await import("esbuild");
  for (const { entry, ...options } of pluginBundles) {
    await build({
      ...options,
      entryPoints: [entry],
      absWorkingDir: dirname(fileURLToPath(import.meta.url)),
      platform: "node",
      target: "node20",
      format: "cjs",
      logLevel: "warning",
    });
  }
}
