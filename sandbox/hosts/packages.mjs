// Debian packages: which are missing, whether this user may install them, and their installation without starting a
// service. Plain JavaScript without dependencies, so that `npm run doctor` works on a fresh clone.
import { execFile, spawn } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** What hosts need. */
export const HOST_PACKAGES = readPackages(join(dirname(fileURLToPath(import.meta.url)), "packages.json"));

/** invoke-rc.d and deb-systemd-invoke ask this program whether a service may start; 101 says no. */
const POLICY_FILE = "/usr/sbin/policy-rc.d";
const MARK = "digitalocean-sandbox: installing packages, process";
const STEP_PERCENT = 10;
const WAIT_FOR_OTHERS_MS = 10 * 60_000;

/** Reads a list of packages: [{ package, programs, why, optional?, minimum? }]. */
export function readPackages(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}

/** The packages of which a program is neither on PATH nor where administrators' programs are. */
export function missingPackages(wanted, env = process.env) {
  const folders = [...(env.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin"];
  const found = (name) => folders.some((dir) => isAbsolute(dir) && isProgram(join(dir, name)));
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
 * How this user installs packages: `prefix` is what goes before a command (nothing for root, sudo without a password),
 * or `problem` says why it cannot be done.
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
 * Installs packages by apt-get. None of their services starts, now or at the next boot. Safe to repeat, and beside
 * another installation. Throws an Error that says what apt-get said, or which packages this system does not have; of
 * these, optional ones are left out.
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

/** Names of the packages that can be installed in a version that is new enough. */
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
    return `${one.package} is ${version} here, and must be ${one.minimum} or newer`;
  };
  const problems = wanted.filter((one) => !one.optional).flatMap((one) => unusable(one) ?? []);
  if (problems.length > 0) {
    const lists = update.code === 0 ? "" : `; apt-get update failed:\n${update.tail}`;
    throw new Error(`${problems.join("; ")}${lists}`);
  }
  for (const one of wanted.filter(unusable)) report(`left out: ${unusable(one)}`);
  return wanted.filter((one) => !unusable(one)).map((one) => one.package);
}

/** Compares the leading numbers of two versions. */
function isAtLeast(version, minimum) {
  const [a, b] = [version, minimum].map((text) => (/^[\d.]+/.exec(text)?.[0] ?? "").split(".").map(Number));
  for (let i = 0; i < b.length; i++) if ((a[i] ?? 0) !== b[i]) return (a[i] ?? 0) > b[i];
  return true;
}

/**
 * Keeps services from starting. A policy-rc.d of the user's stays as it is and decides by itself. Ours names the process
 * that made it: another installation waits for it, and takes over what a killed one left.
 *
 * @returns the function that removes ours
 */
async function holdServices(file, { prefix, report, env }) {
  const deadline = Date.now() + WAIT_FOR_OTHERS_MS;
  let told = false;
  for (;;) {
    const owner = ownerOf(file);
    if (owner === "user") {
      report(`${file} is yours: it decides whether the packages' services start`);
      return async () => {};
    }
    if (owner !== undefined && !isAlive(owner)) await remove(file, { prefix, env });
    if (owner === undefined || !isAlive(owner)) {
      // noclobber: of two that come here at once, one goes on waiting.
      const script = `set -C; umask 022; printf '#!/bin/sh\\n# ${MARK} ${process.pid}\\nexit 101\\n' >"$1" && chmod 755 "$1"`;
      const made = await run([...prefix, "sh", "-c", script, "sh", file], { env });
      if (made.code === 0) return () => remove(file, { prefix, env });
      if (!existsSync(file)) throw new Error(`could not write ${file}: ${made.stderr.trim()}`);
    }
    if (!told) report(`waiting for process ${owner ?? "?"}, which installs packages`);
    told = true;
    if (Date.now() > deadline)
      throw new Error(`process ${owner} has been installing packages for ten minutes`);
    await delay(200);
  }
}

/** Who made the file: a process of ours, the user, or nobody (undefined). */
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

/** policy-rc.d holds services now; at the next boot systemd would start those that their packages have enabled. */
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
 * Runs apt-get and reports how far it is. It has a session of its own, so that Ctrl-C does not end dpkg halfway: when
 * `signal` aborts, apt-get alone is told, which ends a download at once and finishes what dpkg has begun.
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

/** Runs a program to its end, whatever its exit code; one that cannot be started has code 127. */
function run([file, ...args], { env }) {
  return new Promise((resolve) => {
    execFile(file, args, { env, encoding: "utf8", maxBuffer: 16 * 1024 ** 2 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 127;
      resolve({ code, stdout, stderr: stderr || String(error?.message ?? "") });
    });
  });
}
