import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HostDriver } from "../../../sandbox/api/core/host";
import type { Store } from "../../../sandbox/api/core/store";
import { type RunningApi, startApi } from "../../../sandbox/api/server";
import { Driver } from "../../../sandbox/hosts/driver";
import { type ApiAccess, ensureToken, request } from "../../../sandbox/index";
import { installPlugins } from "../../../sandbox/plugins/install";
import { Spaces } from "../../../sandbox/spaces/server";
import { ensureVersitygw } from "../../../sandbox/spaces/versitygw";
import { sandboxEnvironment } from "../../../scripts/engine/environment";
import { PulumiProcess } from "../../../scripts/engine/pulumiProcess";
import { EngineStack } from "../../../scripts/engine/stack";
import { parseOverride } from "../../../scripts/engine/workDir";
import { type Home, homeAt, makeHome, PROJECT_DIR } from "../../../scripts/home";
import { ensurePulumi } from "../../../scripts/toolchain/pulumi";
import { waitFor } from "../../waitFor";
import type { Issued } from "../proofs/pki";

const REQUEST_LIMIT_MS = 60_000;

/** A DigitalOcean account of the test's own with hosts behind it, in a folder of its own. */
export class Account {
  #export: (() => Promise<string>) | undefined;

  private constructor(
    private readonly home: Home,
    readonly driver: Driver,
    private readonly running: RunningApi,
    readonly spaces: Spaces,
    /** The account's records, for what reads them beside the API: the watcher of alerts. */
    readonly store: Store,
    /** What the driver had to say to the operator. */
    readonly log: readonly string[],
  ) {}

  /** @param spacesPort loopback port that hosts reach as Spaces */
  static async open(onProgress: (line: string) => void, spacesPort?: number): Promise<Account> {
    const home = homeAt(await mkdtemp(join(tmpdir(), `sw-hosts-world-${process.pid}-`)));
    makeHome(home);
    const log: string[] = [];
    // The S3 server starts with the first request, so a world without buckets pays nothing for it.
    const spaces = await Spaces.start({
      dir: home.spacesDir,
      program: () => ensureVersitygw(onProgress),
      port: 0,
    });
    const driver = await Driver.open({
      dir: join(home.dir, "hosts"),
      spacesPort: Number(new URL(spaces.url).port),
      log: (line) => log.push(line),
      npmLockFile: join(PROJECT_DIR, "app", "package-lock.json"),
      onProgress,
      ...(spacesPort === undefined ? {} : { spacesPort }),
    });
    const options = { stateDir: home.apiStateDir, port: 0, token: ensureToken(home), actionDelayMs: 20 };
    let store: Store | undefined;
    const host: HostDriver = {
      start: (records) => {
        store = records;
        return driver.start(records);
      },
      apply: (change, records) => driver.apply(change, records),
    };
    const running = await startApi({ ...options, host, spaces });
    if (!store) throw new Error("the API has not given its driver the account's records");
    return new Account(home, driver, running, spaces, store, log);
  }

  get api(): ApiAccess {
    return { url: this.running.url, token: ensureToken(this.home) };
  }

  /** Runs the project's own program in the real engine: `pulumi up` as `npm start` does it. */
  async up(
    stack: string,
    config: Readonly<Record<string, string>>,
    secrets: Readonly<Record<string, string>> = {},
  ): Promise<StackOutputs> {
    execFileSync(process.execPath, [join(PROJECT_DIR, "scripts", "build.mjs")]);
    await installPlugins(this.home.pulumiHome);
    const cli = await ensurePulumi({});
    const services = { standIns: true, spaces: this.spaces.url };
    const environment = sandboxEnvironment(this.home, this.api, services);
    const opened = await EngineStack.open({
      stack,
      kind: "sandbox",
      home: this.home,
      cli,
      environment,
      overrides: Object.entries(config).map(([path, value]) => parseOverride(`secured-web:${path}=${value}`)),
    });
    const pulumi = new PulumiProcess(cli, environment);
    for (const [path, value] of Object.entries(secrets)) {
      const set = ["config", "set", "--secret", "--path", `secured-web:${path}`, "--stack", stack];
      await pulumi.runWithInput(set, opened.workDir, value);
    }
    await opened.up({ withoutPolicies: true });
    this.#export = async () => {
      const args = ["stack", "export", "--show-secrets", "--stack", stack];
      return (await pulumi.run(args, opened.workDir, {})).stdout;
    };
    return JSON.parse(await opened.outputs(false)) as StackOutputs;
  }

  /** The certificate and the key of the stack's internal CA, for certificates that the program would never issue. */
  async internalCa(): Promise<Issued> {
    const { deployment } = JSON.parse((await this.#export?.()) ?? "{}") as {
      deployment: { resources: { urn: string; outputs?: Record<string, unknown> }[] };
    };
    const output = (type: string, name: string): string => {
      const found = deployment.resources.find(({ urn }) => urn.endsWith(`${type}::main-ca-0`))?.outputs?.[
        name
      ];
      // A secret is an object with the value's JSON in it.
      const { plaintext } = (found ?? {}) as { plaintext?: string };
      return plaintext === undefined ? String(found) : (JSON.parse(plaintext) as string);
    };
    return {
      certificate: output("tls:index/selfSignedCert:SelfSignedCert", "certPem"),
      privateKey: output("tls:index/privateKey:PrivateKey", "privateKeyPemPkcs8"),
    };
  }

  /** One request to the API. Throws where it is refused. */
  async call<T>(method: string, path: string, body?: object): Promise<T> {
    const options = { timeoutMs: REQUEST_LIMIT_MS, ...(body ? { body } : {}) };
    const answer = await request(this.api, method, `/v2/${path}`, options);
    if (answer.status >= 300)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body as T;
  }

  async droplets(): Promise<readonly ApiDroplet[]> {
    return (await this.call<{ droplets: ApiDroplet[] }>("GET", "droplets?per_page=200")).droplets;
  }

  /** An action of a droplet, until it has completed. Throws where it has not. */
  async act(dropletId: number, type: string, parameters: object = {}, within = 180): Promise<void> {
    const { action } = await this.call<{ action: Action }>("POST", `droplets/${dropletId}/actions`, {
      type,
      ...parameters,
    });
    const end = await waitFor(
      `${type} of droplet ${dropletId}`,
      async () => {
        const now = (await this.call<{ action: Action }>("GET", `actions/${action.id}`)).action;
        return now.status === "in-progress" ? undefined : now;
      },
      { within, every: 0.05 },
    );
    if (end.status !== "completed") throw new Error(`${type} of droplet ${dropletId} ${end.status}`);
  }

  /** Removes the account and everything of it from this machine. */
  async close(): Promise<void> {
    await this.running.close();
    await this.spaces.close();
    await this.driver.provider.destroy();
    await rm(this.home.dir, { recursive: true, force: true });
  }
}

export interface StackOutputs {
  readonly url: string;
  readonly loadBalancerIp: string;
  readonly droplets: readonly {
    readonly name: string;
    readonly roles: readonly ("web" | "database")[];
    readonly publicIp: string;
    readonly privateIp: string;
  }[];
}

export interface ApiDroplet {
  readonly id: number;
  readonly name: string;
  readonly status: string;
}

interface Action {
  readonly id: number;
  readonly status: string;
}
