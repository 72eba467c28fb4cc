/** The real engine with the installed stand-ins, a Pulumi home and a state of the test's own. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalWorkspace, PulumiCommand, type PulumiFn, Stack } from "@pulumi/pulumi/automation";
import { installPlugins } from "../../../sandbox/plugins/install";
import { separateConnections } from "../../../scripts/engine/connections";
import { findPulumi } from "../../../scripts/toolchain/find.mjs";

/** The path of the Pulumi CLI; where there is none, the suite is skipped and says why. */
export async function cliPath(suite: Mocha.Context): Promise<string> {
  const given = process.env.SECURED_WEB_PULUMI;
  const path = given !== undefined && existsSync(given) ? given : (await findPulumi())?.path;
  if (path === undefined) {
    console.log(
      "      skipped: no Pulumi CLI on this machine; npm start gets one, SECURED_WEB_PULUMI names one",
    );
    suite.skip();
  }
  return path;
}

export class Engine {
  readonly dir = mkdtempSync(join(tmpdir(), "secured-web-engine-"));
  readonly home = join(this.dir, "home");

  private constructor(private readonly cli: PulumiCommand) {}

  static async start(path: string): Promise<Engine> {
    separateConnections();
    const root = mkdtempSync(join(tmpdir(), "secured-web-cli-"));
    mkdirSync(join(root, "bin"));
    const launcher = join(root, "bin", "pulumi");
    writeFileSync(launcher, `#!/bin/sh\nexec '${path}' "$@"\n`);
    chmodSync(launcher, 0o755);
    const engine = new Engine(await PulumiCommand.get({ root }));
    engine.cliRoot = root;
    execFileSync(process.execPath, [join(__dirname, "../../../scripts/build.mjs")]);
    await installPlugins(engine.home);
    mkdirSync(join(engine.dir, "state"));
    return engine;
  }

  private cliRoot = "";

  stop(): void {
    rmSync(this.dir, { recursive: true, force: true });
    rmSync(this.cliRoot, { recursive: true, force: true });
  }

  /** The state as it lies on the disk. */
  stateFile(stack: string): string {
    return readFileSync(join(this.dir, "state", ".pulumi", "stacks", "plugins", `${stack}.json`), "utf8");
  }

  async stack(
    name: string,
    config: Record<string, { value: string; secret?: boolean }>,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<Stack> {
    const workDir = mkdtempSync(join(this.dir, "work-"));
    const nothing: PulumiFn = async () => {};
    const workspace = await LocalWorkspace.create({
      workDir,
      program: nothing,
      pulumiCommand: this.cli,
      pulumiHome: this.home,
      projectSettings: {
        name: "plugins",
        runtime: "nodejs",
        backend: { url: `file://${join(this.dir, "state")}` },
      },
      envVars: {
        PULUMI_CONFIG_PASSPHRASE: "of-the-test",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        PULUMI_SKIP_UPDATE_CHECK: "true",
        // What the machine's user has set must not reach the plugins.
        DIGITALOCEAN_TOKEN: "",
        DIGITALOCEAN_ACCESS_TOKEN: "",
        DIGITALOCEAN_API_URL: "",
        ...environment,
      },
    });
    const stack = await Stack.createOrSelect(name, workspace);
    await stack.setAllConfig(config);
    return stack;
  }

  /** What a program of the tests in a process of its own finds one of the stacks by. */
  environmentOf({ workspace }: Stack): NodeJS.ProcessEnv {
    return {
      ...process.env,
      ...workspace.envVars,
      ENGINE_WORK_DIR: workspace.workDir,
      ENGINE_HOME: this.home,
      ENGINE_CLI: this.cliRoot,
    };
  }
}
