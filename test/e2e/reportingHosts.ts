/**
 * Stand-ins for the hosts of a record sandbox: they read their release objects and write status objects, as the
 * program on a host does, and behave as a test says. Nothing is applied anywhere.
 */
import { gunzipSync } from "node:zlib";
import { releaseKey, statusKey } from "../../infra/releases/objectKeys";
import { seal } from "../../infra/releases/seal";
import type { HostStatus } from "../../infra/releases/status";
import type { ReportAccess } from "../../infra/rollout/reports";
import { type ApiAccess, callSpaces, listAll } from "../../sandbox/index";

/** A host's answer to a release; default: it is well. */
export type Behaviour = (number: number) => Partial<HostStatus> | undefined;

export class ReportingHosts {
  /** Releases in the order in which hosts took them: `node-1`, `node-2`. */
  readonly taken: string[] = [];
  readonly behaviours = new Map<string, Behaviour>();
  readonly #running = new Map<string, number>();
  #ended = false;
  #loop: Promise<void> = Promise.resolve();

  constructor(
    private readonly api: ApiAccess,
    private readonly spaces: string,
    private readonly access: ReportAccess,
    private readonly releases: string,
  ) {}

  start(): void {
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#ended = true;
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      const droplets = await listAll(this.api, "/v2/droplets", "droplets");
      for (const { name, sealingKey, roles } of this.access.hosts) {
        const droplet = droplets.find((one) => one.name === `${this.access.stack}-${name}`);
        const wanted = await this.#newest(name);
        if (droplet === undefined || wanted === undefined) continue;
        const running = this.#running.get(name) ?? 0;
        const behaviour = this.behaviours.get(name)?.(wanted);
        if (behaviour === undefined && running !== wanted) {
          this.taken.push(name);
          this.#running.set(name, wanted);
        }
        const members = this.access.hosts.filter((one) => one.roles.includes("database"));
        const status: HostStatus = {
          host: name,
          dropletId: String(droplet.id),
          bootId: "one",
          time: new Date().toISOString(),
          number: behaviour === undefined ? wanted : running,
          wanted,
          outcome: "well",
          rebootRequired: false,
          version: "test",
          ...(roles.includes("database")
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
        await this.#call(
          "PUT",
          this.access.bucket,
          statusKey(name),
          seal(JSON.stringify(status), sealingKey, purpose),
        );
      }
    }
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
