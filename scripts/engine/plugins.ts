// Selects the official plugins if they are available, otherwise the sandbox's stand-ins. The choice is made once for
// a sandbox, because a stack must not change its provider between two runs.
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { installStandIns } from "../../sandbox/index";
import { Failure, usageFailure } from "../failure";
import { type Home, PROJECT_DIR } from "../home";
import { runProgram } from "../processes";
import type { PulumiCli } from "../toolchain/find.mjs";

export type PluginKind = "official" | "standin";

export interface PluginVersion {
  readonly name: string;
  readonly version: string;
}

const PACKAGES = ["digitalocean", "random", "tls"];
/** Only stacks with monitors need it, and in a sandbox these are created at a stand-in, so it is not downloaded. */
const DATADOG = "datadog";
/** For one plugin, some tens of megabytes. */
const DOWNLOAD_TIMEOUT_MS = 120_000;
const REACH_TIMEOUT_MS = 4_000;

/** The required plugins, in the versions of the SDK packages. */
export function neededPlugins(): PluginVersion[] {
  return PACKAGES.map(pluginOf);
}

function pluginOf(name: string): PluginVersion {
  const manifest = join(PROJECT_DIR, "node_modules", "@pulumi", name, "package.json");
  return { name, version: (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version };
}

/** The folder of a plugin in a Pulumi home. */
export function pluginFolder({ name, version }: PluginVersion): string {
  return `resource-${name}-v${version}`;
}

/** True if the user's own Pulumi home has every required plugin. */
export function userHasPlugins(env: NodeJS.ProcessEnv = process.env): boolean {
  return neededPlugins().every((plugin) => isInstalled(join(userPluginDir(env), pluginFolder(plugin))));
}

/** The engine creates a file with this name next to a folder that is not complete (workspace.GetPluginPath). */
function isInstalled(folder: string): boolean {
  return isFolder(folder) && !existsSync(`${folder}.partial`);
}

/**
 * The engine only accepts a real folder for a plugin: it skips symbolic links (pulumi 3.248.0, workspace/plugins.go).
 */
function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Creates a folder of links to the user's files, which do not change. */
function linkContents(users: string, folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o700 });
  for (const entry of readdirSync(users)) symlinkSync(join(users, entry), join(folder, entry));
}

function userPluginDir(env: NodeJS.ProcessEnv): string {
  return join(env.PULUMI_HOME || join(homedir(), ".pulumi"), "plugins");
}

/** The recorded choice for this sandbox, if any. */
export function decidedPlugins(home: Home): PluginKind | undefined {
  try {
    const { kind } = JSON.parse(readFileSync(home.pluginsRecord, "utf8")) as { kind: unknown };
    return kind === "official" || kind === "standin" ? kind : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Installs the plugins into the sandbox's own Pulumi home. SECURED_WEB_PLUGINS=official|standin selects them.
 * Otherwise it uses the official ones from the user's home, or downloads them if that works within seconds; if not,
 * the stand-ins.
 */
export async function ensurePlugins(
  home: Home,
  cli: PulumiCli,
  onProgress: (line: string) => void,
  env: NodeJS.ProcessEnv = process.env,
): Promise<PluginKind> {
  const kind =
    forcedKind(env) ?? decidedPlugins(home) ?? ((await officialCanBeHad(env)) ? "official" : "standin");
  if (kind === "official") {
    try {
      await installOfficial(home, cli, onProgress, env);
    } catch (error) {
      if (forcedKind(env) === "official") throw error;
      onProgress(`${(error as Error).message}: stand-ins instead`);
      return useStandIns(home);
    }
    return remember(home, "official");
  }
  return useStandIns(home);
}

function forcedKind(env: NodeJS.ProcessEnv): PluginKind | undefined {
  const forced = env.SECURED_WEB_PLUGINS;
  if (!forced) return undefined;
  if (forced === "official" || forced === "standin") return forced;
  throw usageFailure(`SECURED_WEB_PLUGINS: expected official or standin, got "${forced}"`);
}

async function officialCanBeHad(env: NodeJS.ProcessEnv): Promise<boolean> {
  if (userHasPlugins(env)) return true;
  try {
    await fetch("https://get.pulumi.com/", { method: "HEAD", signal: AbortSignal.timeout(REACH_TIMEOUT_MS) });
    return true;
  } catch {
    return false;
  }
}

async function installOfficial(
  home: Home,
  cli: PulumiCli,
  onProgress: (line: string) => void,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const dir = join(home.pulumiHome, "plugins");
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  for (const plugin of neededPlugins()) {
    const folder = pluginFolder(plugin);
    if (isInstalled(join(dir, folder))) continue;
    const users = join(userPluginDir(env), folder);
    if (isInstalled(users)) linkContents(users, join(dir, folder));
    else await download(home, cli, plugin, onProgress, env);
  }
  const datadog = pluginFolder(pluginOf(DATADOG));
  const users = join(userPluginDir(env), datadog);
  if (!isInstalled(users)) await installStandIns(home.pulumiHome, DATADOG);
  else if (!isInstalled(join(dir, datadog))) linkContents(users, join(dir, datadog));
}

async function download(
  home: Home,
  cli: PulumiCli,
  { name, version }: PluginVersion,
  onProgress: (line: string) => void,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  onProgress(`downloading the plugin ${name} ${version}`);
  const { exitCode, stderr } = await runProgram(cli.path, ["plugin", "install", "resource", name, version], {
    timeoutMs: DOWNLOAD_TIMEOUT_MS,
    env: { ...env, PULUMI_HOME: home.pulumiHome, PULUMI_SKIP_UPDATE_CHECK: "true" },
  });
  if (exitCode !== 0) {
    throw new Failure(
      `Could not download the plugin ${name} ${version} (${stderr.trim().split("\n").at(-1) || "no answer in time"})`,
      {
        remedy: "To use the sandbox's stand-ins, set SECURED_WEB_PLUGINS=standin.",
      },
    );
  }
}

async function useStandIns(home: Home): Promise<PluginKind> {
  await installStandIns(home.pulumiHome);
  return remember(home, "standin");
}

function remember(home: Home, kind: PluginKind): PluginKind {
  if (decidedPlugins(home) === kind) return kind;
  writeFileSync(`${home.pluginsRecord}.new`, JSON.stringify({ kind }));
  renameSync(`${home.pluginsRecord}.new`, home.pluginsRecord);
  return kind;
}
