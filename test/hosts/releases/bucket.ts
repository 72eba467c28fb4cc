/** The objects of releases for running hosts: a test makes them itself, and reads what the hosts report. */
import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { envelope } from "../../../infra/releases/envelope";
import { seal } from "../../../infra/releases/seal";
import { type HostStatus, openStatus } from "../../../infra/releases/status";
import { comesLater } from "../../../infra/userdata/firstRelease";
import type { ReleaseFile } from "../../../infra/userdata/releaseForm";
import { callSpaces } from "../../../sandbox/spaces/client";
import { Spaces } from "../../../sandbox/spaces/server";
import { ensureVersitygw } from "../../../sandbox/spaces/versitygw";
import { waitFor } from "../../waitFor";
import type { WorldHost } from "../world/worldHost";
import { SpacesFront } from "./front";

const STACK = "dev";
const REGION = "nyc3";
const OWNER = { accessKey: "DO00OWNER", secretKey: "owner-secret" };
const HOSTS = { accessKey: "DO00HOSTS", secretKey: randomBytes(24).toString("base64") };
const BUCKETS = { releases: "test-releases", status: "test-status" };
const STATE = "/var/lib/secured-web/release";

/** What a test may make otherwise than the program does. */
export interface Forgery {
  readonly number?: number;
  readonly host?: string;
  readonly stack?: string;
  readonly signedBy?: string;
  readonly change?: (object: string) => string;
  /** false: the next release begins with the files before this one. */
  readonly keep?: boolean;
}

export type Files = ReadonlyMap<string, ReleaseFile>;

const newKey = () => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  return {
    publicPem: publicKey.export({ type: "spki", format: "pem" }) as string,
    privatePem: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
  };
};

/** A key that no host trusts. */
export const strangersKey = newKey().privatePem;

export class ReleaseBucket {
  private readonly key = newKey();
  private readonly sealingKeys = new Map<string, string>();
  /** The files of the newest release of each host. */
  private readonly files = new Map<string, Files>();
  private last = Date.now();

  private constructor(
    private readonly dir: string,
    private readonly spaces: Spaces,
    readonly front: SpacesFront,
  ) {}

  static async open(): Promise<ReleaseBucket> {
    const dir = await mkdtemp(join(tmpdir(), "sw-releases-"));
    const spaces = await Spaces.start({ dir, program: await ensureVersitygw(), port: 0 });
    spaces.setAccounts([
      { ...OWNER, grants: [{ bucket: "", permission: "fullaccess" }] },
      {
        ...HOSTS,
        grants: [
          { bucket: BUCKETS.releases, permission: "read" },
          { bucket: BUCKETS.status, permission: "readwrite" },
        ],
      },
    ]);
    const bucket = new ReleaseBucket(
      dir,
      spaces,
      await SpacesFront.start(spaces.url, Object.values(BUCKETS)),
    );
    for (const name of Object.values(BUCKETS)) await bucket.call({ method: "PUT", bucket: name });
    return bucket;
  }

  async close(): Promise<void> {
    await this.front.close();
    await this.spaces.close();
    await rm(this.dir, { recursive: true, force: true });
  }

  private async call(call: { method: string; bucket: string; key?: string; body?: string }) {
    return callSpaces(this.spaces.url, REGION, OWNER, call);
  }

  /**
   * Makes a host follow this bucket, as user data will: with the program's first part, its keys and what it runs. Gives
   * the number of its first object, which has the same files and the rest of the program.
   */
  async adopt(host: WorldHost): Promise<number> {
    const sealingKey = randomBytes(64).toString("base64");
    this.sealingKeys.set(host.name, sealingKey);
    const at = (bucket: string) => `https://${bucket}.${REGION}.digitaloceanspaces.com/hosts/${host.name}`;
    const names = { stack: STACK, host: host.name };
    const settings = {
      ...names,
      releases: `${at(BUCKETS.releases)}.json`,
      status: at(BUCKETS.status),
      region: REGION,
    };
    const keys = { accessKeyId: HOSTS.accessKey, secretAccessKey: HOSTS.secretKey, sealingKey };
    // As its own stack has made it: complete, and a member of its group.
    const running = await waitFor(
      "the host's complete release",
      async () => {
        const { code, stdout } = await host.attempt(`cat ${STATE}/running.json`);
        if (code !== 0) return undefined;
        const { files } = JSON.parse(stdout) as { files: ReleaseFile[] };
        return files.some(({ path }) => path.endsWith("/release/poll.py")) ? files : undefined;
      },
      { within: 120 },
    );
    const settingFiles: ReleaseFile[] = [
      { path: "/etc/secured-web/release.json", mode: "0644", content: JSON.stringify(settings) },
      { path: "/etc/secured-web/release.pem", mode: "0644", content: this.key.publicPem },
      { path: "/etc/secured-web/secrets/release.json", mode: "0600", content: JSON.stringify(keys) },
    ];
    const whole = new Map([...running, ...settingFiles].map((file) => [file.path, file]));
    const inUserData = [...whole.values()].filter(({ path }) => !comesLater(path));
    const document = { ...names, number: 0, version: "first", files: inUserData };
    await host.run("systemctl stop secured-web-release.service");
    // As on a new host, the rest of the program is not there yet.
    await host.run(`rm -r ${STATE} /usr/local/lib/secured-web/release/poll.py`);
    for (const { path, mode, content } of settingFiles) {
      await host.write(path, content);
      await host.run(`chmod ${mode} ${path}`);
    }
    await host.run(`install -d -m 0700 ${STATE}`);
    await host.write(`${STATE}/running.json`, JSON.stringify(document));
    await host.run("systemctl daemon-reload; systemctl enable secured-web-release.service");
    await host.run("systemctl start --no-block secured-web-release.service");
    this.files.set(host.name, whole);
    return this.publish(host, () => {});
  }

  /** Gives a host a release: its newest files with a change. The number of the release. */
  async publish(
    host: WorldHost,
    change: (files: Map<string, ReleaseFile>) => void,
    forgery: Forgery = {},
  ): Promise<number> {
    const files = new Map(this.files.get(host.name));
    change(files);
    const number = forgery.number ?? this.nextNumber();
    await this.put(host, this.object(host, files, number, forgery));
    if (Object.keys(forgery).length === 0) this.files.set(host.name, files);
    return number;
  }

  filesOf(host: WorldHost): Files {
    return this.files.get(host.name) ?? new Map();
  }

  /** What sha256sum prints for files. */
  sumsOf(files: readonly ReleaseFile[]): string[] {
    return files.map(({ path, content }) => `${createHash("sha256").update(content).digest("hex")}  ${path}`);
  }

  private nextNumber(): number {
    this.last = Math.max(this.last + 1, Date.now());
    return this.last;
  }

  private object(host: WorldHost, files: Files, number: number, forgery: Forgery): string {
    const all = [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
    const isSecret = ({ mode }: ReleaseFile) => mode === "0600";
    const names = { stack: forgery.stack ?? STACK, host: forgery.host ?? host.name };
    const sealingKey = this.sealingKeys.get(host.name) ?? "";
    const sealed = seal(JSON.stringify(all.filter(isSecret)), sealingKey, { ...names, use: "release" });
    const document = {
      ...names,
      version: `v${number}`,
      files: all.filter((file) => !isSecret(file)),
      sealed,
    };
    const text = envelope(document, number, forgery.signedBy ?? this.key.privatePem);
    return forgery.change?.(text) ?? text;
  }

  async put(host: WorldHost, body: string): Promise<void> {
    const key = `hosts/${host.name}.json`;
    const { status } = await this.call({ method: "PUT", bucket: BUCKETS.releases, key, body });
    if (status !== 200) throw new Error(`Spaces answered ${status} to a release`);
  }

  async status(host: WorldHost): Promise<HostStatus | undefined> {
    const key = `hosts/${host.name}`;
    const { status, body } = await this.call({ method: "GET", bucket: BUCKETS.status, key });
    if (status !== 200) return undefined;
    return openStatus(body.toString("utf8"), STACK, host.name, this.sealingKeys.get(host.name) ?? "");
  }

  /** Waits until a host reports an outcome for a release. */
  async reported(
    host: WorldHost,
    wanted: number,
    outcome: HostStatus["outcome"],
    within = 180,
  ): Promise<HostStatus> {
    let seen: HostStatus | undefined;
    return waitFor(
      `${outcome} for the release ${wanted} from ${host.name}`,
      async () => {
        seen = await this.status(host);
        return seen?.wanted === wanted && seen.outcome === outcome ? seen : undefined;
      },
      {
        within,
        explain: async () =>
          [
            JSON.stringify(seen, undefined, 1),
            await host.journal("secured-web-release.service", 15),
            await host.journal("secured-web-apply.service", 40),
          ].join("\n"),
      },
    );
  }
}

/** Replaces a text in a file of a release. */
export function edit(path: string, from: string | RegExp, to: string) {
  return (files: Map<string, ReleaseFile>): void => {
    const file = files.get(path);
    if (!file) throw new Error(`the release has no file ${path}`);
    const content = file.content.replace(from, to);
    if (content === file.content) throw new Error(`${path} does not contain ${from}`);
    files.set(path, { ...file, content });
  };
}
