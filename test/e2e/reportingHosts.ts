/**
 * Stand-ins for the hosts of a record sandbox: they read their release objects and write status objects, as the
 * program on a host does, and behave as a test says. Nothing is applied anywhere.
 */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { gunzipSync } from "node:zlib";
import { noReportYet, releaseKey, statusKey } from "../../infra/releases/objectKeys";
import { seal } from "../../infra/releases/seal";
import type { HostStatus } from "../../infra/releases/status";
import type { ReportAccess } from "../../infra/rollout/reports";
import {
  type ApiAccess,
  callSpaces,
  ensureApi,
  listAll,
  prepareSpaces,
  spacesUrl,
} from "../../sandbox/index";
import { waitFor } from "../waitFor";
import { Sandbox } from "./sandbox";

/** Between two looks of the hosts; a real host looks every ten seconds. */
const LOOK_EVERY_MS = 300;

/** A host's answer to a release; default: it is well. */
export type Behaviour = (number: number) => Partial<HostStatus> | undefined;

export class ReportingHosts {
  /** Releases in the order in which hosts took them: `node-1`, `node-2`. */
  readonly taken: string[] = [];
  /** The hosts whose newest release does not run on them yet, each time that this has changed. */
  readonly behind: (readonly string[])[] = [];
  /** The droplets of each host, each time that they have changed: two while a new one replaces an old one. */
  readonly droplets: Readonly<Record<string, readonly number[]>>[] = [];
  readonly behaviours = new Map<string, Behaviour>();
  readonly #running = new Map<string, number>();
  /** By the host's name and the release's number. */
  readonly #failed = new Map<string, Partial<HostStatus>>();
  readonly #reported = new Set<string>();
  #ended = false;
  #loop: Promise<void> = Promise.resolve();

  private constructor(
    private readonly api: ApiAccess,
    private readonly spaces: string,
    private readonly access: ReportAccess,
    private readonly releases: string,
  ) {}

  /**
   * Starts the hosts of a stack that is up in a sandbox.
   *
   * @param outputs what `npm run outputs` prints with --show-secrets
   */
  static async start(sandbox: Sandbox, outputs: string): Promise<ReportingHosts> {
    const { rollout } = JSON.parse(outputs) as { rollout: ReportAccess };
    const url = await spacesUrl(sandbox.api);
    assert.ok(url, "Spaces run");
    const releases = rollout.bucket.replace("-status-", "-releases-");
    const hosts = new ReportingHosts(sandbox.api, url, rollout, releases);
    hosts.#loop = hosts.#run();
    return hosts;
  }

  /** A sandbox for them: its API runs, and its Spaces. */
  static async makeSandbox(): Promise<Sandbox> {
    await prepareSpaces(() => {});
    const sandbox = await Sandbox.make();
    await ensureApi(sandbox.home, sandbox.port);
    return sandbox;
  }

  /** Waits until each host has reported once. */
  async haveReported(): Promise<void> {
    const { hosts } = this.access;
    await waitFor("a report of each host", async () => hosts.every(({ name }) => this.#reported.has(name)));
  }

  async stop(): Promise<void> {
    this.#ended = true;
    await this.#loop;
  }

  /** Stops them, and leaves no report of one of them: nobody waits for it then. */
  async stopWithout(name: string): Promise<void> {
    await this.stop();
    await this.#call("PUT", this.access.bucket, statusKey(name), noReportYet);
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      const all = await listAll(this.api, "/v2/droplets", "droplets");
      const droplets = Object.fromEntries(
        this.access.hosts.map(({ name }) => [
          name,
          all
            .filter((one) => one.name === `${this.access.stack}-${name}`)
            .map(({ id }) => Number(id))
            .sort((a, b) => a - b),
        ]),
      );
      if (!isDeepStrictEqual(droplets, this.droplets.at(-1))) this.droplets.push(droplets);
      const newest = new Map<string, number | undefined>();
      for (const { name } of this.access.hosts) newest.set(name, await this.#newest(name));
      const behind = [...newest].flatMap(([name, wanted]) =>
        wanted === undefined || wanted === this.#running.get(name) ? [] : [name],
      );
      if (!isDeepStrictEqual(behind, this.behind.at(-1))) this.behind.push(behind);
      for (const { name, sealingKey, roles } of this.access.hosts) {
        // The successor reports, not the droplet that it replaces.
        const droplet = droplets[name]?.at(-1);
        const wanted = newest.get(name);
        if (droplet === undefined || wanted === undefined) continue;
        const running = this.#running.get(name) ?? 0;
        const behaviour = this.#failed.get(`${name} ${wanted}`) ?? this.behaviours.get(name)?.(wanted);
        // A host does not try a number again that has failed on it.
        if (behaviour?.outcome === "undone" || behaviour?.outcome === "refused")
          this.#failed.set(`${name} ${wanted}`, behaviour);
        if (behaviour === undefined && running !== wanted) {
          this.taken.push(name);
          this.#running.set(name, wanted);
        }
        const members = this.access.hosts.filter((one) => one.roles.includes("database"));
        const status: HostStatus = {
          host: name,
          dropletId: String(droplet),
          bootId: await this.#boot(droplet),
          time: new Date().toISOString(),
          number: behaviour === undefined ? wanted : running,
          wanted,
          outcome: "well",
          rebootRequired: false,
          version: "test",
          ...(roles.includes("database") && this.access.replication === "group"
            ? {
                group: {
                  online: members.length,
                  members: members.map((one) => ({ host: one.name, state: "ONLINE" })),
                  queue: 0,
                  writable: true,
                },
              }
            : {}),
          ...behaviour,
        };
        const purpose = { stack: this.access.stack, host: name, use: "status" } as const;
        const answer = await this.#call(
          "PUT",
          this.access.bucket,
          statusKey(name),
          seal(JSON.stringify(status), sealingKey, purpose),
        );
        if (answer.status === 200) this.#reported.add(name);
      }
      await delay(LOOK_EVERY_MS);
    }
  }

  /** Another value after each reboot. */
  async #boot(droplet: number): Promise<string> {
    // Not the droplet's own list, which is gone with a droplet that the engine deletes meanwhile.
    const actions = await listAll(this.api, "/v2/actions", "actions");
    const reboots = actions.filter(({ type, resource_id }) => type === "reboot" && resource_id === droplet);
    return `boot ${reboots.length}`;
  }

  /** The number of a host's release object. */
  async #newest(name: string): Promise<number | undefined> {
    const { status, body } = await this.#call("GET", this.releases, releaseKey(name));
    if (status !== 200) return undefined;
    const { payload } = JSON.parse(body.toString("utf8")) as { payload: string };
    return (JSON.parse(gunzipSync(Buffer.from(payload, "base64")).toString("utf8")) as { number: number })
      .number;
  }

  #call(method: string, bucket: string, key: string, body?: string) {
    const { accessKeyId, secretAccessKey } = this.access.credentials;
    return callSpaces(
      this.spaces,
      this.access.region,
      { accessKey: accessKeyId, secretKey: secretAccessKey },
      { method, bucket, key, ...(body === undefined ? {} : { body }) },
    );
  }
}
