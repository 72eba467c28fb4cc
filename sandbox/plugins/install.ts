/**
 * Installs the stand-ins into a Pulumi home, where the engine finds resource plugins. This is the only module here that
 * the rest of the project imports. README.md says when the stand-ins are used.
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
 * Installs each stand-in as `<pulumiHome>/plugins/resource-NAME-vX.Y.Z/pulumi-resource-NAME`, with the version of the
 * installed SDK package, which is the version that a program requests. It is safe to repeat, also while an engine runs
 * the plugins: a rename puts each file in place.
 *
 * @throws Error if the bundles are not built, or if an SDK package is not installed
 */
export async function installPlugins(pulumiHome: string): Promise<void> {
  for (const name of pluginNames) installPlugin(pulumiHome, name);
}

/** The version of the installed SDK package, such as `4.68.0`. */
export function pluginVersion(name: PluginName): string {
  const path = require.resolve(`@pulumi/${name}/package.json`, { paths: [projectDir] });
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}

function pluginBundle(name: PluginName): string {
  return join(__dirname, "..", "build", "plugins", name, "main.js");
}

/** Like `installPlugins`, for one plugin. */
export function installPlugin(pulumiHome: string, name: PluginName): void {
  const bundle = pluginBundle(name);
  if (!existsSync(bundle)) {
    throw new Error(
      `the stand-in for the ${name} plugin is not built (${bundle} is missing): build the package with npm run build`,
    );
  }
  const version = pluginVersion(name);
  const folder = join(pulumiHome, "plugins", `resource-${name}-v${version}`);
  // The links lead to an official plugin in the user's own Pulumi home: remove them, never write through them.
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
export DIGITALOCEAN_SANDBOX_PLUGIN_VERSION=${version}
exec ${quoted(process.execPath)} ${quoted(bundle)} "$@"
`;
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", "'\\\\''")}'`;
}
