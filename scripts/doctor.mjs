// `npm run doctor`: shows what is installed, what is missing and how to install it. Plain JavaScript without
// dependencies, so that it works on a fresh clone. It only uses the network if this machine has neither the Pulumi
// CLI nor the tools to build it.
import { existsSync, readFileSync, statfsSync } from "node:fs";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { HOST_PACKAGES, missingPackages, packageAccess, readPackages } from "../sandbox/hosts/packages.mjs";
import { processIdentity } from "../sandbox/lock.mjs";
import { buildIsStale } from "./build.mjs";
import { wayToHosts } from "./hosts/elsewhere.mjs";
import { MINIMUM_NODE, nodeProblem, packagesMismatch } from "./setup.mjs";
import { cacheDir, findGo, findOnPath, findPulumi, PULUMI_VERSION } from "./toolchain/find.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const GIB = 1024 ** 3;
/** The CLI's build needs space for Go's module and build caches. A sandbox itself needs less than 100 MiB. */
const DISK_NEEDED = { run: 0.5 * GIB, build: 5 * GIB };
const REACH_TIMEOUT_MS = 3000;

const HELP = `npm run doctor

Shows what is installed, what is missing and how to install it. Changes nothing.

  ok        installed
  will get  npm start installs it
  optional  one feature needs it; the line says which
  MISSING   npm start cannot run without it

Exit codes: 0 npm start can run, 1 it cannot, 2 wrong usage.
`;

/**
 * @typedef {{ name: string, state: "ok" | "will get" | "optional" | "MISSING", detail: string }} Finding
 */

const ok = (name, detail) => ({ name, state: "ok", detail });
const missing = (name, detail) => ({ name, state: "MISSING", detail });
const willGet = (name, detail) => ({ name, state: "will get", detail });
const optional = (name, detail) => ({ name, state: "optional", detail });

/** Runs the command and returns its exit code. */
export async function doctor(args) {
  if (args.includes("--help")) {
    process.stdout.write(HELP);
    return 0;
  }
  if (args.length > 0) {
    process.stderr.write(`Error: unknown argument of doctor: ${args.join(" ")}
  Allowed: --help.
`);
    return 2;
  }
  const findings = await examine(process.env);
  process.stdout.write(`${table(findings)}\n`);
  const lacking = findings.filter(({ state }) => state === "MISSING");
  process.stdout.write(
    lacking.length === 0
      ? "\nnpm start can run.\n"
      : `\nnpm start cannot run yet: ${lacking.map(({ name }) => name).join(", ")}.\n`,
  );
  return lacking.length === 0 ? 0 : 1;
}

/**
 * All findings, the most important first.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Finding[]>}
 */
export async function examine(env) {
  const cli = await findPulumi(env);
  const go = await findGo(env);
  return [
    node(),
    npmPackages(env),
    bundles(),
    await pulumiCli(cli, go, env),
    typeof go === "string"
      ? optional(
          "Go",
          `${go}; it builds the S3 server of Spaces, the Pulumi CLI if none is installed, and the collector that sends the hosts' metrics`,
        )
      : ok("Go", `${go.version} (${go.path})`),
    plugins(env),
    await spaces(go, env),
    await apiPort(env),
    diskSpace(env, cli === undefined),
    await hosts(env),
    await testTools(env),
  ];
}

function node() {
  const problem = nodeProblem();
  return problem === undefined
    ? ok("Node.js", `${process.versions.node} (${MINIMUM_NODE} or newer)`)
    : missing("Node.js", problem);
}

function npmPackages(env) {
  const mismatch = packagesMismatch();
  if (mismatch === undefined) return ok("npm packages", "as in package-lock.json");
  if (findOnPath("npm", env.PATH) === undefined)
    return missing("npm packages", `${mismatch}, and npm is not on PATH`);
  return willGet("npm packages", `${mismatch}. Run: npm ci (it needs the npm registry)`);
}

function bundles() {
  return packagesMismatch() === undefined && !buildIsStale()
    ? ok("compiled bundles", "policy pack and plugins are up to date")
    : willGet("compiled bundles", "npm start compiles the policy pack and plugins");
}

async function pulumiCli(cli, go, env) {
  const name = "Pulumi CLI";
  if (cli !== undefined) {
    return ok(
      name,
      `${cli.version} ${cli.source === "PATH" ? "on PATH" : `cached, from ${cli.origin}`} (${cli.path})`,
    );
  }
  if (typeof go !== "string")
    return willGet(
      name,
      `${PULUMI_VERSION}: npm start uses Pulumi's installer, or builds it with Go in some minutes`,
    );
  if (await downloadSiteAnswers()) return willGet(name, `${PULUMI_VERSION}: by Pulumi's installer`);
  if ((await packageAccess(env)).problem === undefined)
    return willGet(name, `${PULUMI_VERSION}: built with Go, which npm start offers to install (${go})`);
  return missing(
    name,
    `install Pulumi ${PULUMI_VERSION} or newer, or Go 1.21 or newer (Pulumi's download site does not answer; ${go})`,
  );
}

async function downloadSiteAnswers() {
  try {
    await fetch("https://get.pulumi.com/", { method: "HEAD", signal: AbortSignal.timeout(REACH_TIMEOUT_MS) });
    return true;
  } catch {
    return false;
  }
}

function plugins(env) {
  const name = "Pulumi plugins";
  const wanted = ["digitalocean", "random", "tls"].map((plugin) => pluginFolder(plugin));
  if (wanted.includes(undefined)) return willGet(name, "known after the npm packages are installed");
  const has = (dir) => wanted.every((folder) => existsSync(join(dir, "plugins", folder)));
  const sandbox = join(homeDir(env), "pulumi-home");
  const decided = readJson(join(homeDir(env), "plugins.json"))?.kind;
  if (decided !== undefined && has(sandbox)) {
    return ok(
      name,
      decided === "standin" ? "the sandbox's stand-ins" : "official, in the sandbox's Pulumi home",
    );
  }
  if (has(env.PULUMI_HOME || join(homedir(), ".pulumi"))) return ok(name, "official, in your Pulumi home");
  return willGet(
    name,
    "official plugins if they can be downloaded, otherwise the sandbox's stand-ins (--cloud requires the official ones)",
  );
}

/** The S3 server that stores the objects of Spaces, where sandbox/spaces/versitygw.ts builds it. */
async function spaces(go, env) {
  const name = "Spaces";
  const pinned = readFileSync(join(root, "sandbox", "spaces", "gateway", "go.mod"), "utf8");
  const version = /github\.com\/versity\/versitygw v(\S+)/.exec(pinned)?.[1];
  const cache = env.XDG_CACHE_HOME || join(homedir(), ".cache");
  const program = join(cache, "digitalocean-sandbox", `versitygw-${version}`, "versitygw");
  const server = `their S3 server, versitygw ${version}`;
  if (existsSync(program)) return ok(name, `${server}, is built (${program})`);
  if (typeof go !== "string") return willGet(name, `npm start builds ${server}, once (about a minute)`);
  const { problem } = await packageAccess(env);
  return problem === undefined
    ? willGet(name, `npm start offers to install Go, and builds ${server} (${go})`)
    : missing(name, `Go must build ${server}: install Go 1.21 or newer, https://go.dev/dl (${go})`);
}

function pluginFolder(plugin) {
  const version = readJson(join(root, "node_modules", "@pulumi", plugin, "package.json"))?.version;
  return version === undefined ? undefined : `resource-${plugin}-v${version}`;
}

function homeDir(env) {
  return env.SECURED_WEB_HOME ? resolve(env.SECURED_WEB_HOME) : join(root, ".secured-web");
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

async function apiPort(env) {
  const name = "port of the API";
  const text = env.SECURED_WEB_API_PORT || "8089";
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    return missing(name, `SECURED_WEB_API_PORT: expected a port from 1 to 65535, got "${text}"`);
  }
  const record = readJson(join(homeDir(env), "api.json"));
  if (record?.port === port && processIdentity(record.pid) === record.identity) {
    return ok(name, `${port}: the sandbox's API runs (process ${record.pid})`);
  }
  if (await canListen(port)) return ok(name, `${port} is free`);
  return missing(
    name,
    `another process uses ${port}. Choose another port, such as SECURED_WEB_API_PORT=8090 npm start`,
  );
}

function canListen(port) {
  return new Promise((answer) => {
    const server = createServer();
    server.once("error", () => answer(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => answer(true)));
  });
}

function diskSpace(env, cliIsMissing) {
  const name = "disk space";
  const needed = cliIsMissing ? DISK_NEEDED.build : DISK_NEEDED.run;
  const tightest = [homeDir(env), cacheDir(env)]
    .map((dir) => ({ dir, free: freeBytes(dir) }))
    .reduce((a, b) => (a.free <= b.free ? a : b));
  const text = `${(tightest.free / GIB).toFixed(1)} GiB free for ${tightest.dir}`;
  if (tightest.free >= needed) return ok(name, text);
  const what = cliIsMissing ? "building the Pulumi CLI takes" : "a sandbox takes";
  return missing(name, `${text}; ${what} up to ${(needed / GIB).toFixed(1)} GiB`);
}

/** The free space on the file system of the folder, which may not exist yet. */
function freeBytes(dir) {
  let existing = dir;
  while (!existsSync(existing)) existing = dirname(existing);
  const { bavail, bsize } = statfsSync(existing);
  return bavail * bsize;
}

async function hosts(env) {
  const name = "droplets as hosts";
  const elsewhere = wayToHosts();
  if (elsewhere !== undefined) return optional(name, `droplets are only records here. ${elsewhere}`);
  const missing = missingPackages(HOST_PACKAGES, env).filter((one) => !one.optional);
  if (missing.length === 0) return ok(name, "Linux, root, and all programs are installed");
  return installable(name, missing, "npm start", env);
}

async function testTools(env) {
  const name = "tools of the tests";
  const missing = missingPackages(readPackages(join(root, "test", "tools.json")), env);
  if (missing.length === 0) return ok(name, "all are installed");
  return installable(name, missing, "npm test", env);
}

/** Packages that a command offers to install, if this user is allowed to. */
async function installable(name, missing, command, env) {
  const { problem } = await packageAccess(env);
  const names = missing.map((one) => one.package).join(" ");
  return problem === undefined
    ? willGet(name, `${command} offers to install ${names}`)
    : optional(name, `missing: ${names} (${problem})`);
}

function table(findings) {
  const [width, states] = ["name", "state"].map((key) =>
    Math.max(...findings.map((finding) => finding[key].length)),
  );
  return findings
    .map(({ name, state, detail }) => `${state.padEnd(states)}  ${name.padEnd(width)}  ${detail}`)
    .join("\n");
}
