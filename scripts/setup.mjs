// Prepares a fresh clone: checks Node's version, installs the npm packages of package-lock.json, and compiles the
// bundles. Plain JavaScript without dependencies, because nothing is installed yet. It prints only to stderr: stdout
// belongs to the command (`npm run -s outputs` prints JSON).
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { waitForLock } from "../sandbox/lock.mjs";
import { buildAll, buildIsStale } from "./build.mjs";
import { isAtLeast } from "./toolchain/find.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** The first Node 20 that can load ES modules with require() without a flag, which tsx and our .mjs files use. */
export const MINIMUM_NODE = "20.19.0";

/** The reason why this Node.js cannot run the project, or undefined. */
export function nodeProblem(version = process.versions.node) {
  if (isAtLeast(version, MINIMUM_NODE)) return undefined;
  return `Node.js ${MINIMUM_NODE} or newer is required, found ${version}. Install it from your system's packages or from nodejs.org.`;
}

/**
 * The reason why node_modules does not match package-lock.json, or undefined if it does. npm keeps its own lock file
 * in node_modules, with the packages it actually installed. Packages for other platforms are optional and can be
 * absent.
 */
export function packagesMismatch(projectDir = root) {
  const wanted = JSON.parse(readFileSync(join(projectDir, "package-lock.json"), "utf8")).packages;
  let present;
  try {
    present = JSON.parse(
      readFileSync(join(projectDir, "node_modules", ".package-lock.json"), "utf8"),
    ).packages;
  } catch {
    return "node_modules is missing";
  }
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === "" || entry.optional || entry.devOptional) continue;
    if (present[path]?.version !== entry.version) return `${path} is not the version in package-lock.json`;
  }
  return undefined;
}

const note = (line) => process.stderr.write(`set-up: ${line}\n`);

function npmCi() {
  return new Promise((resolve, reject) => {
    const npm = spawn("npm", ["ci", "--no-audit", "--no-fund"], {
      cwd: root,
      stdio: ["ignore", process.stderr, process.stderr],
    });
    npm.once("error", reject);
    npm.once("exit", (code) =>
      code === 0
        ? resolve()
        : reject(
            new Error(
              `npm ci failed with exit code ${code}; its output is above. It needs the npm registry, or a full npm cache.`,
            ),
          ),
    );
  });
}

/** Does what is missing, and takes a few milliseconds if nothing is. Throws an Error that says what to do. */
export async function setUp() {
  const problem = nodeProblem();
  if (problem !== undefined) throw new Error(problem);
  if (packagesMismatch() === undefined && !buildIsStale()) return;
  const lock = await waitForLock(join(root, "build", "setup.lock"), "set-up", {
    onWait: (owner) => note(`waiting for process ${owner.pid}, which installs or builds`),
  });
  try {
    const mismatch = packagesMismatch();
    if (mismatch !== undefined) {
      note(`${mismatch}: npm ci`);
      await npmCi();
    }
    if (buildIsStale()) {
      note("compiling the policy pack and the plugins");
      await buildAll();
    }
  } finally {
    lock.release();
  }
}
