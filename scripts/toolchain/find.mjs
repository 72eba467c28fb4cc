// Finds programs and changes nothing. It is plain JavaScript without dependencies, so that `npm run doctor` works on a
// fresh clone.
import { execFile } from "node:child_process";
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, isAbsolute, join } from "node:path";

/** The version of the SDK in package.json and of the Go module. An older engine may lack what the SDK needs. */
export const PULUMI_VERSION = "3.248.0";
/** The first Go that downloads the toolchain that a module requires (go.dev/doc/toolchain). */
const GO_WITH_TOOLCHAIN_SWITCH = "1.21.0";
/** The version in go.mod. Go itself must have it if GOTOOLCHAIN=local switches that download off. */
const GO_OF_MODULE = "1.25.11";
const VERSION_TIMEOUT_MS = 20_000;

/** The absolute path of the first executable file with this name on PATH. */
export function findOnPath(name, path = process.env.PATH) {
  return (path ?? "")
    .split(delimiter)
    .filter(isAbsolute)
    .map((dir) => join(dir, name))
    .find(isExecutableFile);
}

export function isExecutableFile(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The first `1.2.3` (or `1.2`, returned as `1.2.0`) in a text such as `go version go1.26.8 linux/amd64`. */
export function parseVersion(text) {
  const match = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return match === null ? undefined : `${match[1]}.${match[2]}.${match[3] ?? 0}`;
}

/** True when version `a` (1.2.3) is `b` or newer. */
export function isAtLeast(a, b) {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number));
  for (let i = 0; i < 3; i++) if (left[i] !== right[i]) return left[i] > right[i];
  return true;
}

/** The cache folder that sandboxes and clones share. A relative XDG_CACHE_HOME counts as unset (XDG Base Directory). */
export function cacheDir(env = process.env) {
  const xdg = env.XDG_CACHE_HOME;
  return join(xdg && isAbsolute(xdg) ? xdg : join(env.HOME || homedir(), ".cache"), "secured-web");
}

/** The folder of the cached CLI, which is `bin/pulumi` in it. */
export function pulumiInstallDir(env = process.env) {
  return join(cacheDir(env), "pulumi", `v${PULUMI_VERSION}`);
}

/** The output of a program on stdout; undefined if it fails. */
function outputOf(file, args, env) {
  return new Promise((resolve) => {
    execFile(file, args, { env, timeout: VERSION_TIMEOUT_MS, encoding: "utf8" }, (error, stdout) =>
      resolve(error ? undefined : stdout),
    );
  });
}

/** The version of a `pulumi` executable, or undefined if it does not run. */
export async function pulumiVersionOf(path, env = process.env) {
  const stdout = await outputOf(path, ["version"], { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" });
  return stdout === undefined ? undefined : parseVersion(stdout);
}

/** `pulumi` on PATH if it is new enough and has the SDK's major version, otherwise the cached one. */
export async function findPulumi(env = process.env) {
  const onPath = findOnPath("pulumi", env.PATH);
  if (onPath !== undefined) {
    const version = await pulumiVersionOf(onPath, env);
    const sameMajor = version?.split(".")[0] === PULUMI_VERSION.split(".")[0];
    if (sameMajor && isAtLeast(version, PULUMI_VERSION)) return { path: onPath, version, source: "PATH" };
  }
  const dir = pulumiInstallDir(env);
  const cached = join(dir, "bin", "pulumi");
  if (!isExecutableFile(cached)) return undefined;
  return { path: cached, version: PULUMI_VERSION, source: "cache", origin: readOrigin(dir) };
}

function readOrigin(dir) {
  try {
    return readFileSync(join(dir, "origin"), "utf8").trim();
  } catch {
    return "an earlier run";
  }
}

/** The go command on PATH, if it can build the CLI; otherwise the reason as a text. */
export async function findGo(env = process.env) {
  const path = findOnPath("go", env.PATH);
  if (path === undefined) return "Go is not on PATH";
  const stdout = await outputOf(path, ["version"], { ...env, GOTOOLCHAIN: "local" });
  const version = parseVersion(stdout ?? "");
  if (version === undefined) return `${path} version: expected a version, got none`;
  const needed = env.GOTOOLCHAIN === "local" ? GO_OF_MODULE : GO_WITH_TOOLCHAIN_SWITCH;
  return isAtLeast(version, needed)
    ? { path, version }
    : `Go ${version} is too old: ${needed} or newer is needed`;
}
