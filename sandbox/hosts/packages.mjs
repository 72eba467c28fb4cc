// Finds missing Debian packages, checks whether this user can install them, and installs them without starting their
// services. Plain JavaScript without dependencies, so that `npm run doctor` works on a fresh clone.
import { execFile, spawn } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** The packages that hosts need. */
export const HOST_PACKAGES = readPackages(join(dirname(fileURLToPath(import.meta.url)), "packages.json"));

/**
 * invoke-rc.d and deb-systemd-invoke call this program before they start a service. Exit code 101 prevents the start.
 */
const POLICY_FILE = "/usr/sbin/policy-rc.d";
const MARK = "digitalocean-sandbox: installing packages, process";
const STEP_PERCENT = 10;
const WAIT_FOR_OTHERS_MS = 10 * 60_000;

/** Reads a list of packages: [{ package, programs, why, optional?, minimum? }]. */
export function readPackages(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}

/**
 * The packages with a program that is neither on PATH nor in the folders of administrators' programs, or with a
 * missing file (an absolute path).
 */
export function missingPackages(wanted, env = process.env) {
  const folders = [...(env.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin"];
  const found = (name) =>
    isAbsolute(name)
      ? existsSync(name)
      : folders.some((dir) => isAbsolute(dir) && isProgram(join(dir, name)));
  return wanted.filter(({ programs }) => !programs.every(found));
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * How this user installs packages: `prefix` precedes a command (empty for root, otherwise sudo without a password).
 * If it is not possible, `problem` contains the reason.
 */
export async function packageAccess(env = process.env, uid = process.getuid?.()) {
  if (missingPackages([{ programs: ["apt-get"] }], env).length > 0)
    return { problem: "this system has no apt-get" };
  if (uid === 0) return { prefix: [] };
  const sudo = await run(["sudo", "-n", "true"], { env });
  return sudo.code === 0
    ? { prefix: ["sudo", "-n"] }
    : { problem: "installing packages needs root, or sudo without a password" };
}

/**
 * Installs packages with apt-get. Their services do not start, neither now nor at the next boot. It is safe to repeat,
 * and to run at the same time as another installation. Skips optional packages that are unavailable. Throws an Error
 * with the output of apt-get, or with the unavailable packages.
 *
 * @returns the names that were installed
 */
export async function installPackages(
  wanted,
  { prefix, report = () => {}, signal, env = process.env, policyFile = POLICY_FILE },
) {
  const context = {
    prefix,
    report,
    signal,
    env: { ...env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" },
  };
  const release = await holdServices(policyFile, context);
  try {
    report("reading the package lists");
    const update = await apt(["update"], context);
    const names = await available(wanted, context, update);
    if (names.length === 0) return names;
    const { code, tail } = await apt(["install", "--yes", "--no-install-recommends", ...names], context);
    signal?.throwIfAborted();
    if (code !== 0) throw new Error(`apt-get install ${names.join(" ")} ended with ${code}:\n${tail}`);
    await disableServices(names, context);
    return names;
  } finally {
    await release();
  }
}

/** The names of the packages that are available in a sufficient version. */
async function available(wanted, { env, report }, update) {
  const { stdout } = await run(["apt-cache", "policy", ...wanted.map((one) => one.package)], { env });
  const candidates = new Map(
    [...stdout.matchAll(/^(\S+):\n.*\n {2}Candidate: (?:\d+:)?(\S+)/gm)].map(([, name, version]) => [
      name,
      version,
    ]),
  );
  const unusable = (one) => {
    const version = candidates.get(one.package);
    if (version === undefined || version === "(none)")
      return `${one.package} is unknown to this system's archives`;
    if (one.minimum === undefined || isAtLeast(version, one.minimum)) return undefined;
    return `${one.package}: expected version ${one.minimum} or newer, found ${version}`;
  };
  const problems = wanted.filter((one) => !one.optional).flatMap((one) => unusable(one) ?? []);
  if (problems.length > 0) {
    const lists = update.code === 0 ? "" : `; apt-get update failed:\n${update.tail}`;
    throw new Error(`${problems.join("; ")}${lists}`);
  }
  for (const one of wanted.filter(unusable)) report(`skipped: ${unusable(one)}`);
  return wanted.filter((one) => !unusable(one)).map((one) => one.package);
}

/** Compares the leading numbers of two versions. */
function isAtLeast(version, minimum) {
  const [a, b] = [version, minimum].map((text) => (/^[\d.]+/.exec(text)?.[0] ?? "").split(".").map(Number));
  for (let i = 0; i < b.length; i++) if ((a[i] ?? 0) !== b[i]) return (a[i] ?? 0) > b[i];
  return true;
}

/**
 * Prevents services from starting. If the user has a policy-rc.d, that file stays and decides. Otherwise this function
 * creates one with its process id. Another installation waits for that process, and removes the file if the process was
 * killed.
 *
 * @returns the function that removes the file
 */
async function holdServices(file, { prefix, report, env }) {
  const deadline = Date.now() + WAIT_FOR_OTHERS_MS;
  let told = false;
  for (;;) {
    const owner = ownerOf(file);
    if (owner === "user") {
      report(`${file} already exists; it decides whether the packages' services start`);
      return async () => {};
    }
    if (owner !== undefined && !isAlive(owner)) await remove(file, { prefix, env });
    if (owner === undefined || !isAlive(owner)) {
      // noclobber: if two processes arrive at the same time, one of them continues to wait.
      const script = `set -C; umask 022; printf '#!/bin/sh\\n# ${MARK} ${process.pid}\\nexit 101\\n' >"$1" && chmod 755 "$1"`;
      const made = await run([...prefix, "sh", "-c", script, "sh", file], { env });
      if (made.code === 0) return () => remove(file, { prefix, env });
      if (!existsSync(file)) throw new Error(`could not write ${file}: ${made.stderr.trim()}`);
    }
    if (!told) report(`waiting for process ${owner ?? "?"}, which is installing packages`);
    told = true;
    if (Date.now() > deadline)
      throw new Error(`process ${owner} has been installing packages for ten minutes`);
    await delay(200);
  }
}

/** The file's creator: the id of an installing process, or "user"; undefined if there is no file. */
function ownerOf(file) {
  let text;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    return error.code === "ENOENT" ? undefined : "user";
  }
  const pid = new RegExp(`^# ${MARK} (\\d+)$`, "m").exec(text)?.[1];
  return pid === undefined ? "user" : Number(pid);
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

const remove = (file, { prefix, env }) => run([...prefix, "rm", "-f", file], { env });

/** policy-rc.d only works now. At the next boot, systemd would start the services that their packages have enabled. */
async function disableServices(names, { prefix, env }) {
  if (missingPackages([{ programs: ["systemctl"] }], env).length > 0) return;
  const { stdout } = await run(["dpkg", "--listfiles", ...names], { env });
  const units = [...stdout.matchAll(/\/systemd\/system\/([^/@\n]+\.(?:service|timer|socket))$/gm)].map(
    ([, unit]) => unit,
  );
  if (units.length === 0) return;
  const { code, stderr } = await run([...prefix, "systemctl", "disable", "--quiet", ...new Set(units)], {
    env,
  });
  if (code !== 0) throw new Error(`systemctl disable ended with ${code}: ${stderr.trim()}`);
}

/**
 * Runs apt-get and reports its progress. apt-get has its own session, so that Ctrl-C does not interrupt dpkg. If
 * `signal` aborts, only apt-get receives SIGINT: it stops a download at once, and lets dpkg finish its current work.
 */
function apt(args, { prefix, report, signal, env }) {
  const options = ["-q", "-o", "APT::Status-Fd=1", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0"];
  const [file, ...rest] = [
    ...prefix,
    "env",
    "DEBIAN_FRONTEND=noninteractive",
    "apt-get",
    ...options,
    ...args,
  ];
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const child = spawn(file, rest, { env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    const tail = [];
    let reported = -STEP_PERCENT;
    let phase = "";
    const onLine = (line) => {
      const [, kind, percent, what] = /^(dl|pm)status:[^:]*:([\d.]+):(.*)$/.exec(line) ?? [];
      if (kind === undefined) {
        tail.push(line);
        if (tail.length > 15) tail.shift();
        return;
      }
      if (kind !== phase) reported = -STEP_PERCENT;
      phase = kind;
      if (Number(percent) < reported + STEP_PERCENT) return;
      reported = Number(percent);
      report(`${kind === "dl" ? "downloading" : "installing"}, ${Math.round(reported)} % (${what})`);
    };
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", onLine);
    const stop = () => child.kill("SIGINT");
    signal?.addEventListener("abort", stop, { once: true });
    child.once("error", reject);
    child.once("close", (code) => {
      signal?.removeEventListener("abort", stop);
      resolve({ code, tail: tail.join("\n") });
    });
  });
}

/** Runs a program until it ends, with any exit code. The code is 127 if it cannot be started. */
function run([file, ...args], { env }) {
  return new Promise((resolve) => {
    execFile(file, args, { env, encoding: "utf8", maxBuffer: 16 * 1024 ** 2 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 127;
      resolve({ code, stdout, stderr: stderr || String(error?.message ?? "") });
    });
  });
}
