import { mkdirSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Calls, makeSandboxFolder, type Sandbox, sandboxAt } from "../sandbox/index";

/** The root of the git tree. */
export const PROJECT_DIR = dirname(__dirname);

type Environment = Readonly<Record<string, string | undefined>>;

/** The commands of this project that the sandbox's errors name. */
export const NPM_CALLS: Calls = {
  start: "npm start",
  startHosts: "npm start",
  startMonitored: "npm start -- --config monitoring=datadog",
  stop: "npm stop",
  remove: "npm stop",
  discard: "npm stop -- --force",
  fill: "npm start",
  examine: "npm run doctor",
  verb: "npm run sandbox --",
  variables: { dir: "SECURED_WEB_HOME", port: "SECURED_WEB_API_PORT", hosts: "SECURED_WEB_HOSTS" },
};

/**
 * The folder of the project's sandbox: the account, and the state, Pulumi home and secrets of its stacks. It is a
 * single folder, so that `npm stop` can remove it completely, and so that a test or a second sandbox can use another
 * one with SECURED_WEB_HOME.
 */
export interface Home extends Sandbox {
  /** Backend of the sandbox's stacks (`file://` URL of this folder). */
  readonly stateDir: string;
  readonly pulumiHome: string;
  /** First on PATH: executables that the engine looks for. */
  readonly binDir: string;
  readonly passphraseFile: string;
  /** The plugins selected at set-up. */
  readonly pluginsRecord: string;
  /** The lock of the command that is changing this sandbox. */
  readonly lock: string;
}

export function homeAt(dir: string): Home {
  const inside = (name: string) => join(dir, name);
  return {
    ...sandboxAt(dir, { npmLockFile: join(PROJECT_DIR, "app", "package-lock.json"), calls: NPM_CALLS }),
    stateDir: inside("state"),
    pulumiHome: inside("pulumi-home"),
    binDir: inside("bin"),
    passphraseFile: inside("passphrase"),
    pluginsRecord: inside("plugins.json"),
    lock: inside("command.lock"),
  };
}

/** SECURED_WEB_HOME, or `.secured-web` in the project. */
export function findHome(env: Environment = process.env): Home {
  const given = env.SECURED_WEB_HOME;
  return homeAt(given ? resolve(given) : join(PROJECT_DIR, ".secured-web"));
}

/** Creates the folder with access for its owner only, because it contains keys and the state of a stack. */
export function makeHome(home: Home): void {
  makeSandboxFolder(home);
  mkdirSync(home.stateDir, { recursive: true, mode: 0o700 });
}

/** The stacks of this project: each has a `Pulumi.STACK.yaml` in the project's root. */
export function projectStacks(projectDir = PROJECT_DIR): string[] {
  return readdirSync(projectDir)
    .map((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1])
    .filter((stack) => stack !== undefined)
    .sort();
}
