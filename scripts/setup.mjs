// Makes a fresh clone ready to run: Node's version, the npm packages of package-lock.json, the compiled bundles.
// Plain JavaScript without dependencies, because nothing is installed yet. Says what it does on stderr alone: stdout
// belongs to the command (`npm run -s outputs` prints JSON).
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { waitForLock } from "../sandbox/lock.mjs";
import { buildAll, buildIsStale } from "./build.mjs";
import { isAtLeast } from "./toolchain/find.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** The first Node 20 that loads ES modules by require() without a flag, which tsx and our .mjs files use. */
export const MINIMUM_NODE = "20.19.0";

/** Why this Node.js cannot run the project, or undefined. */
export function nodeProblem(version = process.versions.node) {
  if (isAtLeast(version, MINIMUM_NODE)) return undefined;
  return `Node.js ${version} is too old: ${MINIMUM_NODE} or newer is needed. Get it from your system's packages or nodejs.org.`;
}

/**
 * Why node_modules does not hold what package-lock.json says, or undefined when it does. npm keeps a lock file of its
 * own in node_modules of what it really put there. Packages for other platforms are optional and may be absent.
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
    if (present[path]?.version !== entry.version) return `${path} is not the version of package-lock.json`;
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
              `npm ci ended with ${code}; what it says is above. It needs the npm registry, or a full npm cache.`,
            ),
          ),
    );
  });
}

/** Does what is missing; costs a few milliseconds when nothing is. Throws an Error that says what to do. */
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
