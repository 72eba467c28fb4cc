import { type CloudInitState, cloudInitState } from "../../../sandbox/hosts/host/cloudInit";
import type { Host } from "../../../sandbox/hosts/host/host";
import type { Output, RunOptions } from "../../../sandbox/hosts/run";
import { waitFor } from "../../waitFor";

export type Role = "web" | "database";

/** What the stack's output tells of a droplet, with its number in the API. */
export interface HostIdentity {
  readonly dropletId: number;
  /** The droplet's name: "dev-node-1". */
  readonly dropletName: string;
  readonly roles: readonly Role[];
  readonly publicIp: string;
  readonly privateIp: string;
}

/** A machine that runs all the tests at once is slow; nothing here is measured against a clock. */
const LIMIT = { timeoutMs: 120_000 };
const MYSQL = [
  "--no-defaults",
  "--socket=/run/mysqld/mysqld.sock",
  "--user=root",
  "--batch",
  "--skip-column-names",
  "--raw",
];

/** A host of the world, as an operator sees it who has logged in as root. */
export class WorldHost {
  /** "node-1": the droplet's name without the stack's. */
  readonly name: string;
  /** Its internal name: what certificates and MySQL know it by. */
  readonly fqdn: string;

  constructor(
    readonly identity: HostIdentity,
    stack: string,
    internalZone: string,
    /** The machine below, for what an operator could not do: its disk, its processes. */
    readonly machine: Host,
  ) {
    this.name = identity.dropletName.slice(stack.length + 1);
    this.fqdn = `${this.name}.${internalZone}`;
  }

  get privateIp(): string {
    return this.identity.privateIp;
  }

  get publicIp(): string {
    return this.identity.publicIp;
  }

  has(role: Role): boolean {
    return this.identity.roles.includes(role);
  }

  /** Runs a line of shell as root and gives what it wrote, without the last line break. Throws where it exits with not 0. */
  async run(script: string, options?: RunOptions): Promise<string> {
    const { code, stdout, stderr } = await this.attempt(script, options);
    if (code === 0) return stdout.trimEnd();
    const how = code === null ? "took too long" : `ended with ${code}`;
    throw new Error(`${this.name}: ${script} ${how}: ${(stderr || stdout).trim().slice(-2000)}`);
  }

  /** Like `run`, whatever the exit code. */
  attempt(script: string, options?: RunOptions): Promise<Output> {
    return this.machine.attempt("bash", ["--norc", "-c", script], { ...LIMIT, ...options });
  }

  /** Runs SQL as root through the socket: rows as lists of texts, NULL as "NULL". */
  async mysql(sql: string, options: RunOptions = {}): Promise<string[][]> {
    const { code, stdout, stderr } = await this.machine.attempt("mysql", MYSQL, {
      ...LIMIT,
      ...options,
      input: sql,
    });
    if (code !== 0) throw new Error(`${this.name}: mysql ended with ${code}: ${stderr.trim().slice(-2000)}`);
    return stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.split("\t"));
  }

  /** Writes a file of the host. */
  async write(path: string, text: string): Promise<void> {
    await this.machine.run("sh", ["-c", 'cat > "$1"', "sh", path], { input: text });
  }

  async isOn(): Promise<boolean> {
    return (await this.machine.init()) !== undefined;
  }

  cloudInit(): Promise<CloudInitState | undefined> {
    return cloudInitState(this.machine);
  }

  /** "active", "inactive", "activating", "failed" ... */
  async unitState(unit: string): Promise<string> {
    return (await this.attempt(`systemctl is-active ${unit}`)).stdout.trim();
  }

  /** Waits until a unit is active; its journal is part of the error where it does not become so. */
  async waitForUnit(unit: string, { within = 60 }: { within?: number } = {}): Promise<void> {
    await waitFor(`${unit} on ${this.name}`, async () => (await this.unitState(unit)) === "active", {
      within,
      explain: () => this.journal(unit),
    });
  }

  /** The last lines of a unit's journal, of all boots. */
  async journal(unit: string, lines = 40): Promise<string> {
    const { stdout } = await this.attempt(
      `journalctl --no-pager --lines=${lines} --output=short-iso --unit=${unit}`,
    );
    return `${unit} on ${this.name}:\n${stdout.trimEnd()}`;
  }

  /** What of the host is not as it should be, in the words of its own journal; "" where nothing is. */
  async complaints(): Promise<string> {
    if (!(await this.isOn())) return `${this.name} is off`;
    const failed = await this.attempt("systemctl --failed --plain --no-legend | cut -d ' ' -f 1");
    const units = failed.stdout.split("\n").filter((line) => line !== "");
    const state = await this.cloudInit();
    const parts = await Promise.all(units.map((unit) => this.journal(unit)));
    if (state && (state.status !== "done" || state.errors.length > 0)) {
      const output = (await this.attempt("tail -n 30 /var/log/cloud-init-output.log")).stdout;
      parts.push(`cloud-init on ${this.name} is ${state.status} ${state.errors.join("; ")}\n${output}`);
    }
    return parts.join("\n");
  }
}
