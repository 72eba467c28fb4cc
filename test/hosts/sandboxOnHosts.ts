import assert from "node:assert/strict";
import { join } from "node:path";
import type { ProjectStatus } from "../../scripts/hosts/status";
import type { Ended, Running, Sandbox } from "../e2e/sandbox";
import { Visitors } from "./workloads/visitors";

const SITE = "www.dev.foobar.com";
const HOSTS = { SECURED_WEB_HOSTS: "on" };

/** A sandbox with running hosts, driven by the commands that an operator types. */
export class SandboxOnHosts {
  constructor(readonly sandbox: Sandbox) {}

  /** Starts a command without waiting for its end. */
  start(command: string, ...args: string[]): Running {
    return this.sandbox.start(command, args, HOSTS);
  }

  run(command: string, ...args: string[]): Promise<Ended> {
    return this.start(command, ...args).ended;
  }

  /** Runs a command that must succeed; returns what it printed on stdout. */
  async must(command: string, ...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(command, ...args);
    assert.equal(exitCode, 0, `${command} ${args.join(" ")}\n${stdout}\n${stderr}`);
    return stdout;
  }

  exec(host: string, ...command: string[]): Promise<string> {
    return this.must("sandbox", "exec", host, ...command);
  }

  async status(): Promise<ProjectStatus> {
    return JSON.parse(await this.must("sandbox", "status", "--json")) as ProjectStatus;
  }

  /** Visitors of the dev stack's site. Stop them in `finally`. */
  async visitors(): Promise<Visitors> {
    const port = (await this.status()).loadBalancers[0]?.published.find(
      ({ entryPort }) => entryPort === 443,
    )?.port;
    assert.ok(port);
    const rootsFile = join(this.sandbox.home.dir, "hosts", "certificates", "roots.pem");
    return Visitors.at({ site: SITE, address: "127.0.0.1", port, rootsFile });
  }
}
