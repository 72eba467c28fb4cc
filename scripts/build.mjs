// Compiles what other processes load: the policy pack and the plugin stand-ins boot twice as fast from JavaScript
// as through tsx, and the sample application's JavaScript is what lands on a host.
import { existsSync } from "node:fs";
import { build } from "esbuild";

const common = { platform: "node", target: "node20", format: "cjs", logLevel: "warning" };
const bundles = [
  { entry: "policy/index.ts", outdir: "policy/build", bundle: true, packages: "external" },
  { entry: "sandbox/plugins/digitalocean/main.ts", outdir: "sandbox/build/plugins/digitalocean", bundle: true, packages: "external" },
  { entry: "sandbox/plugins/random/main.ts", outdir: "sandbox/build/plugins/random", bundle: true, packages: "external" },
  { entry: "sandbox/plugins/tls/main.ts", outdir: "sandbox/build/plugins/tls", bundle: true, packages: "external" },
];

for (const { entry, ...options } of bundles) {
  if (!existsSync(entry)) continue;
  await build({ ...common, ...options, entryPoints: [entry] });
}
