import { chmodSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** The root of the git tree. */
export const PROJECT_DIR = dirname(__dirname);

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Where a sandbox keeps everything it makes: state, Pulumi home, API, secrets. One folder, so that `npm stop` can
 * remove it whole, and so that a test or a second sandbox can have another by SECURED_WEB_HOME.
 */
export interface Home {
  readonly dir: string;
  /** Backend of the sandbox's stacks (`file://` of this). */
  readonly stateDir: string;
  readonly pulumiHome: string;
  /** Put first on PATH: executables the engine looks for. */
  readonly binDir: string;
  readonly passphraseFile: string;
  readonly tokenFile: string;
  /** Keys, address and account of the stand-in of Datadog. */
  readonly datadogDir: string;
  readonly apiStateDir: string;
  /** Disks, networks and keys of droplets that are hosts; absent where they are records. */
  readonly hostsDir: string;
  readonly apiLog: string;
  /** Which process is our API. */
  readonly apiRecord: string;
  /** Says that droplets are records because `--hosts off` was given; absent otherwise. */
  readonly hostsOff: string;
  /** Which plugins were chosen at set-up. */
  readonly pluginsRecord: string;
  /** Held by the command that changes this sandbox. */
  readonly lock: string;
}

export function homeAt(dir: string): Home {
  const inside = (...parts: string[]) => join(dir, ...parts);
  return {
    dir,
    stateDir: inside("state"),
    pulumiHome: inside("pulumi-home"),
    binDir: inside("bin"),
    passphraseFile: inside("passphrase"),
    tokenFile: inside("api-token"),
    datadogDir: inside("datadog"),
    apiStateDir: inside("api"),
    hostsDir: inside("hosts"),
    apiLog: inside("api.log"),
    apiRecord: inside("api.json"),
    hostsOff: inside("hosts-off"),
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
  mkdirSync(home.dir, { recursive: true, mode: 0o700 });
  chmodSync(home.dir, 0o700);
  mkdirSync(home.stateDir, { recursive: true, mode: 0o700 });
}

/** The stacks of this project: each has its `Pulumi.STACK.yaml` in the project's root. */
export function projectStacks(projectDir = PROJECT_DIR): string[] {
  return readdirSync(projectDir)
    .map((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1])
    .filter((stack) => stack !== undefined)
    .sort();
}
