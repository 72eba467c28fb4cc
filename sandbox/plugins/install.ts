/**
 * Puts the stand-ins where the engine looks for resource plugins: in a Pulumi home of the sandbox's own. Their
 * versions are those of the installed SDK packages, which are what a program asks for.
 */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";

const projectDir = resolve(__dirname, "..", "..");
export const pluginNames = ["datadog", "digitalocean", "random", "tls"] as const;
export type PluginName = (typeof pluginNames)[number];

/**
 * Installs the stand-ins, each as `<pulumiHome>/plugins/resource-NAME-vX.Y.Z/pulumi-resource-NAME`. Safe to
 * repeat, and safe while an engine runs them: files are put in place by a rename.
 *
 * @throws Error where the bundles have not been built, or an SDK package is not installed
 */
export async function installPlugins(pulumiHome: string): Promise<void> {
  for (const name of pluginNames) installPlugin(pulumiHome, name);
}

/** The version of the installed SDK package, such as `4.68.0`. */
export function pluginVersion(name: PluginName): string {
  const path = require.resolve(`@pulumi/${name}/package.json`, { paths: [projectDir] });
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}

export function pluginBundle(name: PluginName): string {
  return join(projectDir, "sandbox", "build", "plugins", name, "main.js");
}

/** As `installPlugins`, one of them. */
export function installPlugin(pulumiHome: string, name: PluginName): void {
  const bundle = pluginBundle(name);
  if (!existsSync(bundle)) {
    throw new Error(
      `the stand-in for the ${name} plugin is not built (${bundle} is missing): run npm run build`,
    );
  }
  const version = pluginVersion(name);
  const folder = join(pulumiHome, "plugins", `resource-${name}-v${version}`);
  // Links lead to an official plugin in the user's own Pulumi home: removed, never written through.
  if (hasLinks(folder)) rmSync(folder, { recursive: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  put(join(folder, `pulumi-resource-${name}`), launcher(bundle, version), 0o700);
}

function hasLinks(folder: string): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (!found?.isDirectory()) return found !== undefined;
  return readdirSync(folder, { withFileTypes: true }).some((entry) => entry.isSymbolicLink());
}

function put(path: string, content: string, mode: number): void {
  if (existsSync(path) && readFileSync(path, "utf8") === content) return;
  const fresh = `${path}.${process.pid}.new`;
  writeFileSync(fresh, content, { mode });
  chmodSync(fresh, mode);
  renameSync(fresh, path);
}

function launcher(bundle: string, version: string): string {
  return `#!/bin/sh
# The sandbox's stand-in for an official Pulumi plugin.
export SECURED_WEB_PLUGIN_VERSION=${version}
exec ${quoted(process.execPath)} ${quoted(bundle)} "$@"
`;
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", "'\\\\''")}'`;
}
