// The preparation for every command that works on a stack: the lock, the CLI, the plugins, the API, the stack itself.

import { HOST_PACKAGES, missingPackages } from "../sandbox/hosts/packages.mjs";
import {
  type ApiAccess,
  apiPort,
  type DatadogAccess,
  decideHosts,
  ensureApi,
  ensureToken,
  type HostsDecision,
  type HostsMode,
  hasSpacesServer,
  hostParts,
  hostsMode,
  keepHostsMode,
  prepareCollector,
  prepareSpaces,
  request,
  sandboxDatadog,
  spacesUrl,
  withoutHosts,
} from "../sandbox/index";
import { type HeldLock, tryLock } from "../sandbox/lock.mjs";
import { type CommandArguments, STACK_OPTIONS, stackArgument } from "./commandLine";
import { wantsDatadog } from "./engine/datadogKeys";
import { cloudEnvironment, installPolicyHost, sandboxEnvironment } from "./engine/environment";
import { ensurePlugins } from "./engine/plugins";
import { endLeftoverEngines, needsRecovery, recoverStack, refusePendingInCloud } from "./engine/recovery";
import { EngineStack } from "./engine/stack";
import { type ConfigOverride, parseOverride, settingsOf } from "./engine/workDir";
import { EXIT_CODES, Failure, usageFailure } from "./failure";
import { findHome, type Home, makeHome } from "./home";
import { wayToHosts } from "./hosts/elsewhere.mjs";
import { interruption } from "./interruption";
import { type Agreed, agreeOnPackages } from "./packages";
import type { Step, Together } from "./progress";
import { findGo, type PulumiCli } from "./toolchain/find.mjs";
import { describePulumi, ensurePulumi, GO_PACKAGE, needsGo } from "./toolchain/pulumi";

export const SESSION_OPTIONS = {
  ...STACK_OPTIONS,
  api: {
    type: "string",
    value: "URL",
    doc: "another API instead of the sandbox's own, with the token in DIGITALOCEAN_TOKEN",
  },
} as const;

/** Options of commands that update a stack. */
export const UPDATE_OPTIONS = {
  ...SESSION_OPTIONS,
  "skip-preview": {
    type: "boolean",
    doc: "in the sandbox: update without a preview, so a policy may refuse after some changes only",
  },
} as const;

/** Locks the sandbox for one command. Throws a Failure (exit code 4) that names the command that holds the lock. */
export function lockHome(home: Home, command: string): HeldLock {
  makeHome(home);
  const lock = tryLock(home.lock, command);
  if ("release" in lock) return lock;
  const { pid, command: other, since } = lock.heldBy;
  throw new Failure(`Another command is working on this sandbox: ${other} (process ${pid}, since ${since})`, {
    exitCode: EXIT_CODES.busy,
    remedy:
      "Wait until it ends, then run the command again. To use a second sandbox at the same time, set SECURED_WEB_HOME=/some/folder.",
  });
}

/** One command's work on one stack. */
export class Session {
  readonly home: Home;
  readonly stack: string;
  readonly cloud: boolean;
  readonly skipsPreview: boolean;
  #cli: PulumiCli | undefined;
  #api: ApiAccess | undefined;
  #spaces: string | undefined;
  #standIns = false;
  #hosts: HostsDecision | undefined;
  #opened: EngineStack | undefined;
  #overrides: readonly ConfigOverride[];
  readonly #given: readonly ConfigOverride[];
  readonly #port: number | undefined;

  /** `port` is the port for the sandbox's API, unless the command line sets one. */
  constructor(
    private readonly args: CommandArguments,
    options: {
      stack?: string;
      overrides?: readonly ConfigOverride[];
      home?: Home;
      port?: number | undefined;
    } = {},
  ) {
    this.#port = options.port;
    this.home = options.home ?? findHome();
    this.cloud = args.flag("cloud");
    this.skipsPreview = args.flag("skip-preview");
    if (this.cloud && this.skipsPreview)
      throw usageFailure(
        "--skip-preview is for the sandbox: with --cloud, a preview comes before each update",
      );
    this.stack = options.stack ?? stackArgument(args.positionals[0]);
    this.#given = [...args.texts("config").map(parseOverride), ...(options.overrides ?? [])];
    this.#overrides = this.#given;
    if (this.cloud && (args.text("api") !== undefined || args.text("port") !== undefined)) {
      throw usageFailure("--cloud uses the real API, so it cannot be combined with --api and --port");
    }
  }

  /** The sandbox's API; undefined with --cloud. */
  get api(): ApiAccess | undefined {
    return this.#api;
  }

  /** True if the stack's hosts get the Datadog agent, or its stand-in in the sandbox. */
  get hasAgent(): boolean {
    return wantsDatadog(settingsOf(this.stack, this.#overrides), this.stack);
  }

  /** The sandbox's stand-in for Datadog, which runs next to its API; undefined with another API. */
  get datadog(): DatadogAccess | undefined {
    const isOwn = !this.cloud && this.args.text("api") === undefined;
    return isOwn ? sandboxDatadog(this.home) : undefined;
  }

  get opened(): EngineStack {
    if (this.#opened === undefined) throw new Error("the stack is not open yet");
    return this.#opened;
  }

  /** True if droplets boot as hosts; undefined before the preparation, or if it does not ask for hosts. */
  get hosts(): HostsDecision | undefined {
    return this.#hosts;
  }

  /**
   * The steps until a stack is ready for the engine. With `hosts`, droplets boot as hosts if the machine can run
   * them; without it, they do not change.
   */
  preparation(options: { hosts?: boolean } = {}): (Step | Together)[] {
    if (this.cloud) return [this.#cliStep(), this.#cloudStep()];
    // An external API manages its own droplets.
    const hosts = options.hosts === true && this.args.text("api") === undefined;
    const mode = hostsMode(this.args.text("hosts"), this.home);
    return [
      ...(hosts ? [this.#hostsStep(mode)] : []),
      {
        title: "What is made once",
        together: [
          this.#cliStep(),
          ...(this.args.text("api") === undefined ? [this.#spacesStep()] : []),
          ...(hosts ? this.#partSteps(mode) : []),
        ],
      },
      this.#apiStep(),
      this.#openStep(),
    ];
  }

  /** Asks for the Debian packages that this session needs: those for hosts, and Go if the CLI must be built. */
  async agreeOnPackages(command: string): Promise<Agreed> {
    const own = !this.cloud && this.args.text("api") === undefined;
    const mode = hostsMode(this.args.text("hosts"), this.home);
    const hosts =
      own &&
      mode !== "off" &&
      wayToHosts() === undefined &&
      missingPackages(HOST_PACKAGES).some(({ optional }) => !optional);
    const spaces = own && !(await hasSpacesServer()) && typeof (await findGo()) === "string";
    const cli = await needsGo();
    const go = spaces || cli;
    const purpose = [
      ...(hosts
        ? ["Droplets boot as hosts on this machine. Without these packages they are only records."]
        : []),
      ...(spaces ? ["The S3 server of Spaces must be built; without it Spaces do not answer."] : []),
      ...(cli ? ["The Pulumi CLI must be built, because its download site does not answer."] : []),
    ].join(" ");
    return agreeOnPackages(
      {
        purpose,
        wanted: [...(hosts ? HOST_PACKAGES : []), ...(go ? [GO_PACKAGE] : [])],
        yesCommand: command === "npm start" ? "npm start -- --yes" : `${command} -- --yes`,
      },
      { yes: this.args.flag("yes") },
    );
  }

  #hostsStep(mode: HostsMode): Step {
    return {
      title: "Droplets",
      run: async () => {
        this.#hosts = await decideHosts(this.home, mode);
        keepHostsMode(this.home, mode);
        if (this.#hosts.kind === "hosts") return "boot as hosts on this machine";
        const { reason, remedy = mode === "off" ? undefined : wayToHosts() } = this.#hosts;
        return `droplets are only records: ${reason}${remedy === undefined ? "" : `. ${remedy}`}`;
      },
    };
  }

  /** Prepares everything that hosts need. If one part is not possible, droplets are only records. */
  #partSteps(mode: HostsMode): Step[] {
    const parts = hostParts(this.home).map(
      ({ title, make }): Step => ({
        title,
        run: async (report, signal) => {
          if (this.#hosts?.kind !== "hosts") return "not needed: droplets are only records";
          try {
            return await make(report, signal);
          } catch (error) {
            signal.throwIfAborted();
            const reason = error instanceof Error ? error.message : String(error);
            this.#hosts = await withoutHosts(mode, reason);
            return `droplets are only records: ${reason}`;
          }
        },
      }),
    );
    if (!this.hasAgent) return parts;
    const collector = (report: (line: string) => void) =>
      this.#hosts?.kind === "hosts" ? prepareCollector(report) : Promise.resolve("not needed");
    return [...parts, { title: "Collector of hosts", run: collector }];
  }

  #cliStep(): Step {
    return {
      title: "Pulumi CLI",
      run: async (report, signal) => {
        this.#cli = await ensurePulumi({ onProgress: report, signal });
        return describePulumi(this.#cli);
      },
    };
  }

  #spacesStep(): Step {
    return {
      title: "S3 server of Spaces",
      run: async (report) => {
        if (await hasSpacesServer()) return "in the cache";
        await prepareSpaces(report);
        return "built";
      },
    };
  }

  #apiStep(): Step {
    return {
      title: "DigitalOcean account in the sandbox",
      run: async (report) => {
        await endLeftoverEngines(this.home, report);
        const given = this.args.text("api");
        if (given !== undefined) {
          this.#api = await foreignApi(given, this.home);
          this.#spaces = await spacesUrl(this.#api);
          return given;
        }
        const option = this.args.text("port");
        const port =
          option === undefined && this.#port !== undefined ? this.#port : apiPort(option, this.home);
        const api = await ensureApi(this.home, port, {
          hosts: this.#hosts?.kind === "hosts",
          signal: interruption.signal,
          onProgress: report,
        });
        this.#api = api;
        this.#spaces = await spacesUrl(api);
        return `${api.url}, process ${api.pid}${api.started ? "" : ", runs already"}`;
      },
    };
  }

  #openStep(): Step {
    return {
      title: `Stack ${this.stack}`,
      run: async (report) => {
        const kind = await ensurePlugins(this.home, this.#foundCli(), report);
        this.#standIns = kind === "standin";
        this.#opened = await this.open(this.stack);
        const own = this.#standIns ? "the sandbox's stand-in plugins" : "the official plugins";
        const keys = this.hasAgent
          ? "; Datadog's keys are generated, and only work at the sandbox's stand-in"
          : "";
        const plugins = `${own}${keys}`;
        if (!needsRecovery(this.home, this.stack)) return plugins;
        return `${plugins}; ${await recoverStack(this.#opened, this.#foundApi(), report)}`;
      },
    };
  }

  #cloudStep(): Step {
    return {
      title: `Stack ${this.stack} in your account`,
      run: async () => {
        this.#opened = await this.open(this.stack);
        await refusePendingInCloud(this.#opened);
        return "your login, your plugins";
      },
    };
  }

  /** Opens the stack again with settings for its next operations, next to those of the command line. */
  async reopenWith(overrides: readonly ConfigOverride[]): Promise<void> {
    this.#overrides = [...this.#given, ...overrides];
    this.#opened = await this.open(this.stack);
  }

  /** Opens a stack after the preparation, without cleaning up after a killed run. */
  async open(stack: string): Promise<EngineStack> {
    installPolicyHost(this.home);
    return EngineStack.open({
      stack,
      home: this.home,
      kind: this.cloud ? "cloud" : "sandbox",
      cli: this.#foundCli(),
      overrides: this.#overrides,
      environment: this.cloud
        ? cloudEnvironment(this.home)
        : sandboxEnvironment(this.home, this.#foundApi(), {
            standIns: this.#standIns,
            datadog: this.datadog,
            spaces: this.#spaces,
          }),
      datadog: this.datadog,
    });
  }

  #foundCli(): PulumiCli {
    if (this.#cli === undefined) throw new Error("the CLI is not installed yet");
    return this.#cli;
  }

  #foundApi(): ApiAccess {
    if (this.#api === undefined) throw new Error("the API is not running yet");
    return this.#api;
  }
}

/** Runs a command's work with the sandbox locked and signals handled. */
export async function withSession(
  command: string,
  session: Session,
  work: () => Promise<number>,
): Promise<number> {
  if (session.cloud) cloudEnvironment(session.home); // refuses before anything else is done
  const lock = lockHome(session.home, command);
  interruption.listen();
  try {
    return await work();
  } finally {
    lock.release();
  }
}

/** Checks an API at an address. Throws a Failure if it does not answer or rejects the token. */
async function foreignApi(given: string, home: Home): Promise<ApiAccess> {
  if (!/^https?:\/\/[^/]+\/?$/.test(given)) {
    throw usageFailure(`--api: expected an address such as http://127.0.0.1:8089, got "${given}"`);
  }
  const api = { url: given.replace(/\/$/, ""), token: process.env.DIGITALOCEAN_TOKEN || ensureToken(home) };
  let status: number;
  try {
    status = (await request(api, "GET", "/v2/account")).status;
  } catch (error) {
    const cause =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new Failure(`The API at ${api.url} does not answer (${cause})`, {
      remedy:
        "Check that it is running, and that the address is right. Without --api the sandbox starts its own API.",
    });
  }
  if (status === 200) return api;
  throw new Failure(`The API at ${api.url} answers ${status} to GET /v2/account`, {
    remedy:
      status === 401
        ? "It rejects the token. Set DIGITALOCEAN_TOKEN to a valid one."
        : "Check that it is a DigitalOcean API.",
  });
}
