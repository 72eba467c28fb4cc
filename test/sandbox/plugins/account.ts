/** The sandbox's API on a free port, with a fresh account. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SpacesBackend } from "../../../sandbox/api/core/spaces";
import { type RunningApi, startApi } from "../../../sandbox/api/server";

export const token = "t0ken-of-the-test";

export class Account {
  private constructor(
    private readonly api: RunningApi,
    private readonly stateDir: string,
  ) {}

  /**
   * @param actionDelayMs how long the API's asynchronous actions take
   * @param vpcLingerMs how long a VPC keeps a deleted member
   * @param spaces opens buckets to the account's Spaces keys
   */
  static async open(actionDelayMs = 20, vpcLingerMs = 0, spaces?: SpacesBackend): Promise<Account> {
    const stateDir = mkdtempSync(join(tmpdir(), "secured-web-plugins-"));
    const options = { stateDir, port: 0, token, actionDelayMs, vpcLingerMs, ...(spaces && { spaces }) };
    return new Account(await startApi(options), stateDir);
  }

  get url(): string {
    return this.api.url;
  }

  /** A request behind the plugin's back. @throws Error where the API refuses it */
  async ask<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.api.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === "" ? {} : JSON.parse(text)) as T;
  }

  async close(): Promise<void> {
    await this.api.close();
    rmSync(this.stateDir, { recursive: true, force: true });
  }
}
