/** The real engine for the policies' tests: a stack in a folder of its own, with the bundled pack and a stub provider. */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { LocalWorkspace, PulumiCommand, type PulumiFn, Stack } from "@pulumi/pulumi/automation";
import { build } from "esbuild";
import type { Context } from "mocha";
import { separateConnections } from "../../../scripts/engine/connections";
import { cliPath } from "../../sandbox/plugins/engine";

const root = join(__dirname, "../../..");

/** Bundles the pack as the project's build does, into a folder without node_modules. */
export async function bundlePack(dir: string): Promise<void> {
  const { packBundle } = await import("../../../policy/bundle.mjs");
  mkdirSync(dir, { recursive: true });
  for (const file of ["PulumiPolicy.yaml", "package.json"])
    cpSync(join(root, "policy", file), join(dir, file));
  await build({
    platform: "node",
    target: "node20",
    format: "cjs",
    logLevel: "error",
    absWorkingDir: root,
    entryPoints: ["policy/index.ts"],
    outfile: join(dir, "build/index.js"),
    ...packBundle,
  });
}

export interface Outcome {
  readonly refused: boolean;
  /** All that the engine printed. */
  readonly output: string;
}

export class PolicyEngine {
  private readonly dir = mkdtempSync(join(tmpdir(), "secured-web-policy-"));
  readonly pack = join(this.dir, "pack");

  private constructor(private readonly cli: PulumiCommand) {}

  /** An engine, or a skip with its reason where this machine has no Pulumi CLI. */
  static async start(context: Context): Promise<PolicyEngine> {
    const path = await cliPath(context);
    separateConnections();
    const bin = mkdtempSync(join(tmpdir(), "secured-web-cli-"));
    mkdirSync(join(bin, "bin"));
    writeExecutable(join(bin, "bin", "pulumi"), `#!/bin/sh\nexec '${path}' "$@"\n`);
    const engine = new PolicyEngine(await PulumiCommand.get({ root: bin }));
    engine.cleanUps.push(bin);
    await bundlePack(engine.pack);
    engine.install();
    return engine;
  }

  private readonly cleanUps: string[] = [this.dir];

  stop(): void {
    for (const dir of this.cleanUps) {
      // An engine that was refused may still be writing its history.
      rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    }
  }

  /** The analyzer host, and the stub as the plugin of DigitalOcean's provider. */
  private install(): void {
    const quoted = `'${process.execPath}'`;
    mkdirSync(join(this.dir, "bin"));
    writeExecutable(
      join(this.dir, "bin/pulumi-analyzer-policy-nodejs"),
      `#!/bin/sh\nexec ${quoted} "$PWD/build/index.js"\n`,
    );
    const version = (
      JSON.parse(readFileSync(join(root, "node_modules/@pulumi/digitalocean/package.json"), "utf8")) as {
        version: string;
      }
    ).version;
    const plugin = join(this.dir, "home/plugins", `resource-digitalocean-v${version}`);
    mkdirSync(plugin, { recursive: true });
    const stub = join(__dirname, "stub-provider.cjs");
    writeExecutable(
      join(plugin, "pulumi-resource-digitalocean"),
      `#!/bin/sh\nexec ${quoted} '${stub}' "$@"\n`,
    );
    mkdirSync(join(this.dir, "state"));
    writeFileSync(this.log, "");
  }

  private get log(): string {
    return join(this.dir, "created.log");
  }

  /** Names of the resources that the provider has created since the last call. */
  createdNames(): readonly string[] {
    const lines = readFileSync(this.log, "utf8").split("\n").filter(Boolean);
    writeFileSync(this.log, "");
    return lines.map((urn) => urn.split("::").at(-1) ?? "");
  }

  /** Every resource that the provider has created since the log began, as `project/name`. */
  createdSoFar(): readonly string[] {
    return readFileSync(this.log, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((urn) => `${urn.split("::")[1] ?? ""}/${urn.split("::").at(-1) ?? ""}`);
  }

  async stack(
    name: string,
    program: PulumiFn,
    config: Readonly<Record<string, string>> = {},
    { policies, project = "policy-test", pack = this.pack }: StackOptions = {},
  ): Promise<EngineStack> {
    const workDir = mkdtempSync(join(this.dir, "work-"));
    const policyConfig = join(workDir, "policies.json");
    if (policies !== undefined) writeFileSync(policyConfig, JSON.stringify(policies));
    const workspace = await LocalWorkspace.create({
      workDir,
      program,
      pulumiCommand: this.cli,
      projectSettings: {
        name: project,
        runtime: "nodejs",
        backend: { url: `file://${join(this.dir, "state")}` },
      },
      envVars: {
        PATH: [join(this.dir, "bin"), process.env.PATH ?? ""].join(delimiter),
        PULUMI_HOME: join(this.dir, "home"),
        PULUMI_CONFIG_PASSPHRASE: "test",
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        STUB_PROVIDER_LOG: this.log,
      },
    });
    const stack = await Stack.createOrSelect(name, workspace);
    for (const [key, value] of Object.entries(config)) await stack.setConfig(key, { value });
    return new EngineStack(stack, pack, policies === undefined ? [] : [policyConfig]);
  }
}

export interface StackOptions {
  /** What `--policy-pack-config` gets. */
  readonly policies?: Readonly<Record<string, unknown>>;
  readonly project?: string;
  /** Another pack's folder. */
  readonly pack?: string;
}

/** Lets one policy alone judge, or several, at their own levels' strictest. */
export function only(
  names: readonly string[],
  configuration: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {},
): Readonly<Record<string, unknown>> {
  const chosen = names.map((name) => [name, { enforcementLevel: "mandatory", ...configuration[name] }]);
  return { all: "disabled", ...Object.fromEntries(chosen) };
}

export class EngineStack {
  private readonly options: { policyPacks: string[]; policyPackConfigs?: string[]; color: "never" };

  constructor(
    private readonly stack: Stack,
    pack: string,
    policyPackConfigs: string[],
  ) {
    this.options = {
      policyPacks: [pack],
      color: "never",
      ...(policyPackConfigs.length > 0 ? { policyPackConfigs } : {}),
    };
  }

  preview(): Promise<Outcome> {
    return outcomeOf((onOutput) => this.stack.preview({ ...this.options, onOutput }));
  }

  up(): Promise<Outcome> {
    return outcomeOf((onOutput) => this.stack.up({ ...this.options, onOutput }));
  }

  /** The state as `pulumi stack export --show-secrets` writes it. */
  async exported(): Promise<string> {
    return JSON.stringify(await this.stack.exportStack(), null, 2);
  }
}

async function outcomeOf(run: (onOutput: (text: string) => void) => Promise<unknown>): Promise<Outcome> {
  let output = "";
  const collect = (text: string) => {
    output += text;
  };
  try {
    await run(collect);
    return { refused: false, output };
  } catch (error) {
    return { refused: true, output: `${output}\n${error instanceof Error ? error.message : ""}` };
  }
}

function writeExecutable(path: string, text: string): void {
  writeFileSync(path, text);
  chmodSync(path, 0o755);
}

/** The version that a CLI tells, as a check that it runs at all. */
export function cliVersion(path: string): string {
  return execFileSync(path, ["version"], { encoding: "utf8" }).trim();
}
