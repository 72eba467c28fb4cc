import { join } from "node:path";
import type { EngineEvent, PulumiFn, Stack } from "@pulumi/pulumi/automation";
import { type DatadogAccess, ensureDatadog, hasHosts } from "../../sandbox/index";
import { type Home, PROJECT_DIR } from "../home";
import { interruption } from "../interruption";
import type { PulumiCli } from "../toolchain/find.mjs";
import { separateConnections } from "./connections";
import { DATADOG, type DatadogKey, withSandboxKeys } from "./datadogKeys";
import { DiskWatch, requireDiskSpace } from "./diskSpace";
import { withEngineEnvironment } from "./environment";
import { HostTable } from "./hostTable";
import { Journal, type JournalMode } from "./journal";
import { shownOutputs } from "./outputs";
import { ensurePassphrase } from "./passphrase";
import { ProgramWatchdog } from "./programWatchdog";
import { EngineError, PulumiProcess } from "./pulumiProcess";
import { engineFailure, policyFailure } from "./report";
import {
  type Deployment,
  fromDeployment,
  readStoredStack,
  type StoredStack,
  storedStacks,
} from "./stateFile";
import { type ConfigOverride, markUpdateBegun, readKept, writeWorkDir } from "./workDir";

export interface StackTarget {
  readonly stack: string;
  readonly kind: "sandbox" | "cloud";
  readonly home: Home;
  readonly cli: PulumiCli;
  readonly environment: Record<string, string>;
  readonly overrides: readonly ConfigOverride[];
  /** The sandbox's stand-in for Datadog. With it, a stack whose hosts have the agent also creates its monitors. */
  readonly datadog?: DatadogAccess | undefined;
  /** A different program than infra/'s. */
  readonly program?: PulumiFn;
}

export interface OperationOptions {
  readonly onProgress?: (line: string) => void;
  /** Without the policy pack; only for the benchmark. */
  readonly withoutPolicies?: boolean;
  /** URNs to replace even if nothing changed. */
  readonly replace?: readonly string[];
  /** URNs of the only resources to change; default: all. */
  readonly target?: readonly string[];
}

const POLICY_PACK = join(PROJECT_DIR, "policy");

/** One stack with its engine operations. Its errors are reduced to the relevant part. */
export class EngineStack {
  /** The outputs of the last update, without secrets. */
  #shownOutputs: string | undefined;

  private constructor(
    readonly target: StackTarget,
    private readonly stack: Stack,
    private readonly pulumi: PulumiProcess,
    readonly workDir: string,
  ) {}

  /** Selects the stack, and creates it if it does not exist. */
  static async open(target: StackTarget): Promise<EngineStack> {
    const { home, stack } = target;
    const sandbox = target.kind === "sandbox";
    if (sandbox) ensurePassphrase(home, storedStacks(home).length > 0);
    const workDir = join(home.dir, "work", target.kind, stack);
    const kept = sandbox ? readKept(workDir, stack) : {};
    let missing: readonly DatadogKey[] = [];
    writeWorkDir(workDir, stack, target.overrides, kept, {
      adapt: (given) => {
        if (!sandbox) return given;
        const hasStandIn = target.datadog !== undefined;
        const adapted = withSandboxKeys(given, stack, { kept: kept.datadog ?? {}, hasStandIn });
        missing = adapted.missing;
        return adapted.config;
      },
    });
    const pulumi = new PulumiProcess(target.cli, target.environment);
    const { LocalWorkspace } =
      require("@pulumi/pulumi/automation") as typeof import("@pulumi/pulumi/automation");
    separateConnections();
    const workspace = await LocalWorkspace.create({
      workDir,
      program: withEngineEnvironment(target.environment, target.program ?? loadProgram),
      pulumiCommand: pulumi,
    });
    const opened = await openStack(target, workspace);
    const engineStack = new EngineStack(target, opened, pulumi, workDir);
    for (const name of missing) await engineStack.#setDatadogKey(name);
    return engineStack;
  }

  /** Previews an update with the policies. Throws a Failure if a policy refuses or the engine fails. */
  async preview(options: OperationOptions = {}): Promise<Journal> {
    return this.#operate("Preview", "preview", options, (common) =>
      this.stack.preview({
        ...common,
        ...this.#policies(options),
        ...selection(options),
      }),
    );
  }

  /** Updates the stack. The policies run again, because values that were unknown in the preview are known now. */
  async up(options: OperationOptions = {}): Promise<Journal> {
    markUpdateBegun(this.workDir);
    this.#shownOutputs = undefined;
    return this.#operate("Update", "run", options, async (common) => {
      const { outputs } = await this.stack.up({
        ...common,
        ...this.#policies(options),
        ...selection(options),
      });
      this.#shownOutputs = shownOutputs(outputs);
    });
  }

  async destroy(options: OperationOptions = {}): Promise<Journal> {
    return this.#operate("Destroy", "run", options, (common) => this.stack.destroy(common));
  }

  /** Reads every resource. `previewOnly` shows the drift; otherwise it is written to the state. */
  async refresh(
    options: OperationOptions & { previewOnly?: boolean; clearPendingCreates?: boolean } = {},
  ): Promise<Journal> {
    const { previewOnly = false, clearPendingCreates = false } = options;
    return this.#operate("Refresh", "drift", options, (common) =>
      previewOnly
        ? this.stack.previewRefresh({ ...common, clearPendingCreates })
        : this.stack.refresh({ ...common, clearPendingCreates }),
    );
  }

  /** Allows destroy to delete protected resources. */
  async unprotectAll(): Promise<void> {
    await this.#plainCommand(["state", "unprotect", "--all", "--yes", "--stack", this.target.stack]);
  }

  async unprotect(urn: string): Promise<void> {
    await this.#plainCommand(["state", "unprotect", urn, "--yes", "--stack", this.target.stack]);
  }

  /** Protects a resource again, if the state still has it. */
  async protectIfStored(urn: string): Promise<void> {
    const { resources } = await this.storedStack();
    if (!resources.some((one) => one.urn === urn)) return;
    await this.#plainCommand(["state", "protect", urn, "--yes", "--stack", this.target.stack]);
  }

  /** Removes the locks of dead engines. */
  async cancel(): Promise<void> {
    await this.#plainCommand(["cancel", "--yes", "--stack", this.target.stack]);
  }

  /** The state's content, for any backend. */
  async storedStack(): Promise<StoredStack> {
    const exported = await this.stack.exportStack();
    return fromDeployment(exported.deployment as Deployment | undefined);
  }

  /** The size of each droplet's user data in bytes, by the droplet's name. */
  async userDataBytes(): Promise<Record<string, number>> {
    const exported = await this.#plainCommand([
      "stack",
      "export",
      "--show-secrets",
      "--stack",
      this.target.stack,
    ]);
    const { deployment } = JSON.parse(exported) as { deployment?: Deployment };
    const droplets = fromDeployment(deployment).resources.filter(({ type }) => type.endsWith(":Droplet"));
    return Object.fromEntries(
      droplets.map(({ inputs }) => [String(inputs?.name), secretBytes(inputs?.userData)]),
    );
  }

  /** Removes an empty stack and its history. */
  async remove(): Promise<void> {
    await this.#plainCommand(["stack", "rm", "--yes", "--force", "--preserve-config", this.target.stack]);
  }

  /** The outputs in the format of `pulumi stack output --json`. */
  async outputs(showSecrets: boolean): Promise<string> {
    const args = ["stack", "output", "--json", "--stack", this.target.stack];
    if (showSecrets) return await this.#plainCommand([...args, "--show-secrets"]);
    this.#shownOutputs ??= await this.#plainCommand(args);
    return this.#shownOutputs;
  }

  async #plainCommand(args: string[]): Promise<string> {
    try {
      return (await this.pulumi.run(args, this.workDir, {})).stdout;
    } catch (error) {
      throw engineFailure(error, new Journal(() => {}, "run"), `pulumi ${args[0]}`);
    }
  }

  #policies({ withoutPolicies }: OperationOptions) {
    return withoutPolicies ? {} : { policyPacks: [POLICY_PACK] };
  }

  async #operate(
    name: string,
    mode: JournalMode,
    options: OperationOptions,
    run: (common: CommonOptions) => Promise<unknown>,
  ): Promise<Journal> {
    interruption.signal.throwIfAborted();
    requireDiskSpace(this.target.home.dir);
    const journal = new Journal(options.onProgress ?? (() => {}), mode);
    const watchdog = new ProgramWatchdog(journal);
    const disk = new DiskWatch(this.target.home.dir);
    const signal = AbortSignal.any([interruption.signal, watchdog.signal, disk.signal]);
    const { observed } =
      require("../../infra/rollout/observer") as typeof import("../../infra/rollout/observer");
    const observer = {
      signal,
      environment: this.target.environment,
      onHost: new HostTable(options.onProgress ?? (() => {})).tell,
      hasHosts: this.target.kind === "cloud" || hasHosts(this.target.home),
    };
    try {
      await observed(observer, () => run({ onEvent: watchdog.record, signal, color: "never" }));
    } catch (error) {
      if (interruption.signal.aborted) throw error;
      throw (
        disk.failure() ??
        policyFailure(journal, this.target.stack, mode === "preview") ??
        engineFailure(error, journal, `${name} of ${this.target.stack}`)
      );
    } finally {
      watchdog.rest();
      disk.stop();
    }
    return journal;
  }

  /** On stdin, because every user can read process arguments. */
  async #setDatadogKey(name: DatadogKey): Promise<void> {
    const { home, stack, datadog = ensureDatadog(home) } = this.target;
    await this.pulumi.runWithInput(
      ["config", "set", "--secret", "--path", `${DATADOG}.${name}`, "--stack", stack],
      this.workDir,
      datadog[name],
    );
  }
}

/** The part of the stack that an operation is about; default: all of it. */
function selection({ target, replace }: OperationOptions): { target?: string[]; replace?: string[] } {
  return {
    ...(target === undefined ? {} : { target: [...target] }),
    ...(replace === undefined ? {} : { replace: [...replace] }),
  };
}

/** An exported secret is an object whose `plaintext` is the JSON of the value. */
function secretBytes(value: unknown): number {
  const text =
    typeof value === "object" && value !== null && "plaintext" in value
      ? String(JSON.parse(String(value.plaintext)))
      : String(value ?? "");
  return Buffer.byteLength(text);
}

interface CommonOptions {
  readonly onEvent: (event: EngineEvent) => void;
  readonly signal: AbortSignal;
  readonly color: "never";
}

/** Loaded by the first operation that runs it, because the provider SDKs are large. */
const loadProgram: PulumiFn = async () => {
  const program = require("../../infra/index") as typeof import("../../infra/index");
  return { ...(await program()) };
};

async function openStack(
  { kind, home, stack }: StackTarget,
  workspace: Awaited<ReturnType<typeof import("@pulumi/pulumi/automation").LocalWorkspace.create>>,
): Promise<Stack> {
  const { Stack } = require("@pulumi/pulumi/automation") as typeof import("@pulumi/pulumi/automation");
  if (kind === "sandbox") {
    const exists = readStoredStack(home, stack) !== undefined;
    return exists ? Stack.select(stack, workspace) : Stack.create(stack, workspace);
  }
  try {
    return await Stack.select(stack, workspace);
  } catch (error) {
    if (error instanceof EngineError && /no stack named/.test(error.stderr))
      return Stack.create(stack, workspace);
    throw error;
  }
}
