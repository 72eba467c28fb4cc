import { mkdirSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Calls, makeSandboxFolder, type Sandbox, sandboxAt } from "../sandbox/index";

/** The root of the git tree. */
export const PROJECT_DIR = dirname(__dirname);

type Environment = Readonly<Record<string, string | undefined>>;

/** This project's commands, which the sandbox's errors name. */
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
 * Where the project's sandbox keeps everything it makes: the account, and the state, Pulumi home and secrets of its
 * stacks. One folder, so that `npm stop` can remove it whole, and so that a test or a second sandbox can have another
 * by SECURED_WEB_HOME.
 */
export interface Home extends Sandbox {
  /** Backend of the sandbox's stacks (`file://` of this). */
  readonly stateDir: string;
  readonly pulumiHome: string;
  /** Put first on PATH: executables the engine looks for. */
  readonly binDir: string;
  readonly passphraseFile: string;
  /** Which plugins were chosen at set-up. */
  readonly pluginsRecord: string;
  /** Held by the command that changes this sandbox. */
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

/** Creates the folder for its owner alone: it holds keys and the state of a stack. */
export function makeHome(home: Home): void {
  makeSandboxFolder(home);
  mkdirSync(home.stateDir, { recursive: true, mode: 0o700 });
}

/** The stacks of this project: each has its `Pulumi.STACK.yaml` in the project's root. */
export function projectStacks(projectDir = PROJECT_DIR): string[] {
  return readdirSync(projectDir)
    .map((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1])
    .filter((stack) => stack !== undefined)
    .sort();
}
