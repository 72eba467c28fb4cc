import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ApiAccess,
  ensureApi,
  ensureToken,
  freePort,
  listAll,
  request,
  runningApi,
  startApi,
  stopApi,
  tagEnvironment,
  taggedProcesses,
  waitUntilGone,
} from "../../sandbox/index";
import { processIdentity } from "../../sandbox/lock.mjs";
import { installPolicyHost, sandboxEnvironment } from "../../scripts/engine/environment";
import { deleteOrphans } from "../../scripts/engine/orphans";
import { ensurePassphrase } from "../../scripts/engine/passphrase";
import type { StoredStack } from "../../scripts/engine/stateFile";
import { Failure } from "../../scripts/failure";
import { type Home, homeAt, makeHome } from "../../scripts/home";

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as { port: number }).port;
}

const failure = (message: RegExp, remedy?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Failure, String(error));
  assert.match(error.message, message);
  if (remedy) assert.match(error.remedy ?? "", remedy);
  return true;
};

describe("the sandbox's API in the background", function () {
  this.timeout(60_000);
  let home: Home;
  beforeEach(() => {
    home = homeAt(mkdtempSync(join(tmpdir(), "home-")));
  });
  afterEach(async () => {
    await stopApi(home);
    rmSync(home.dir, { recursive: true, force: true });
  });

  it("is started once, found again, and ended by its process id", async () => {
    const port = await freePort();
    const first = await ensureApi(home, port);
    assert.equal(first.started, true);
    assert.equal((await request(first, "GET", "/v2/account")).status, 200);
    const second = await ensureApi(home, port);
    assert.deepEqual({ ...second, started: true }, first);
    assert.equal(statSync(home.tokenFile).mode & 0o077, 0);
    assert.doesNotMatch(readFileSync(home.apiLog, "utf8"), new RegExp(first.token));
    await stopApi(home);
    assert.equal(processIdentity(first.pid), undefined);
    assert.equal(runningApi(home), undefined);
  });

  it("keeps what it holds over kill -9 and a new start", async () => {
    const port = await freePort();
    const api = await ensureApi(home, port);
    await request(api, "POST", "/v2/tags", { body: { name: "kept" } });
    process.kill(api.pid, "SIGKILL");
    await waitUntilGone([api.pid], 5000);
    const again = await ensureApi(home, port);
    assert.equal(again.started, true);
    assert.equal((await request(again, "GET", "/v2/tags/kept")).status, 200);
  });

  it("is refused where another process has the port, which is named, with the way to another port", async () => {
    const server = createServer();
    const port = await listen(server);
    const who =
      process.platform === "linux"
        ? new RegExp(`Port ${port} .* process ${process.pid} `)
        : new RegExp(`Port ${port} `);
    await assert.rejects(ensureApi(home, port), failure(who, /SECURED_WEB_API_PORT/));
    server.close();
    assert.equal((await ensureApi(home, port)).started, true);
  });

  it("is refused on a second port while it runs on the first", async () => {
    const { port } = new URL((await ensureApi(home, await freePort())).url);
    await assert.rejects(
      ensureApi(home, await freePort()),
      failure(new RegExp(`already running on port ${port}`), /npm stop/),
    );
  });

  it("is refused with a token that is not the one it started with", async () => {
    const port = await freePort();
    await ensureApi(home, port);
    writeFileSync(home.tokenFile, `dop_v1_${"0".repeat(64)}\n`);
    await assert.rejects(ensureApi(home, port), failure(/rejects the token .*401/, /npm stop/));
  });

  it("tells the end of its log where it does not come up", async () => {
    makeHome(home);
    writeFileSync(home.apiStateDir, "a file where the folder should be");
    await assert.rejects(
      ensureApi(home, await freePort()),
      failure(/exited at once\. The end of .*api\.log/),
    );
    assert.equal(runningApi(home), undefined);
  });

  it("is found and ended without its record, by its mark; a process that is not ours is left alone", async () => {
    const { pid } = await ensureApi(home, await freePort());
    rmSync(home.apiRecord);
    assert.ok(taggedProcesses("api", home.dir).includes(pid));
    assert.deepEqual(taggedProcesses("api", `${home.dir}-other`), []);
    // A record with a reused process id, here this test's own.
    writeFileSync(
      home.apiRecord,
      JSON.stringify({ pid: process.pid, identity: "start:1", url: "", port: 1 }),
    );
    assert.equal(runningApi(home), undefined);
    const ended = await stopApi(home);
    assert.ok(ended.includes(pid));
    assert.ok(!ended.includes(process.pid));
    assert.equal(processIdentity(pid), undefined);
  });
});

describe("what a killed engine made and did not record", function () {
  this.timeout(60_000);
  let dir: string;
  let api: ApiAccess;
  let close: () => Promise<void>;
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "api-"));
    const running = await startApi({ stateDir: dir, port: 0, token: "t", actionDelayMs: 0 });
    api = { url: running.url, token: "t" };
    close = running.close;
  });
  after(async () => {
    await close();
    rmSync(dir, { recursive: true });
  });

  const urn = (type: string, name: string) => `urn:pulumi:dev::secured-web::${type}::${name}`;
  function creating(
    type: string,
    name: string,
    inputs: Record<string, unknown>,
  ): StoredStack["pending"][number] {
    return { type: "creating", resource: { urn: urn(type, name), type, inputs } };
  }
  async function create(path: string, key: string, body: object): Promise<Record<string, unknown>> {
    const answer = await request(api, "POST", path, { body });
    assert.ok(answer.status < 300, `POST ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return (answer.body as Record<string, Record<string, unknown>>)[key] ?? {};
  }
  const names = async (path: string, key: string) => (await listAll(api, path, key)).map(({ name }) => name);

  it("is deleted: one droplet of the name, and neither the one of another stack nor an older one", async () => {
    const type = "digitalocean:index/droplet:Droplet";
    const body = { region: "nyc3", size: "s-1vcpu-1gb", image: "ubuntu-26-04-x64" };
    const known = await create("/v2/droplets", "droplet", { ...body, name: "web-1" });
    const orphan = await create("/v2/droplets", "droplet", { ...body, name: "web-1" });
    await create("/v2/droplets", "droplet", { ...body, name: "web-2" });
    const state = {
      resources: [{ urn: urn(type, "other"), type, id: String(known.id) }],
      pending: [creating(type, "web-1", { name: "web-1" })],
    };
    // Began after the orphan was made: then it is not this operation's.
    assert.deepEqual(await deleteOrphans(api, { ...state, savedAt: Date.now() + 60_000 }), []);
    assert.deepEqual(await deleteOrphans(api, { ...state, savedAt: Date.now() - 5000 }), [
      `Droplet web-1 (${orphan.id})`,
    ]);
    const left = await listAll(api, "/v2/droplets", "droplets");
    assert.deepEqual(left.map(({ id }) => id).includes(orphan.id), false);
    assert.deepEqual(left.map(({ name }) => name).sort(), ["web-1", "web-2"]);
  });

  it("is deleted for each kind with a name of its own", async () => {
    const savedAt = Date.now() - 5000;
    const firewall = {
      inbound_rules: [{ protocol: "tcp", ports: "22", sources: { addresses: ["10.0.0.0/8"] } }],
    };
    const kinds: [type: string, path: string, key: string, list: string, body: { name: string }][] = [
      [
        "digitalocean:index/vpc:Vpc",
        "/v2/vpcs",
        "vpc",
        "vpcs",
        { name: "v", region: "nyc3" } as { name: string },
      ],
      [
        "digitalocean:index/firewall:Firewall",
        "/v2/firewalls",
        "firewall",
        "firewalls",
        { name: "fw", ...firewall },
      ],
      ["digitalocean:index/domain:Domain", "/v2/domains", "domain", "domains", { name: "example.com" }],
      [
        "digitalocean:index/project:Project",
        "/v2/projects",
        "project",
        "projects",
        { name: "p", purpose: "Web Application" } as { name: string },
      ],
      [
        "digitalocean:index/uptimeCheck:UptimeCheck",
        "/v2/uptime/checks",
        "check",
        "checks",
        { name: "u", type: "https", target: "https://example.com", regions: ["us_east"], enabled: true } as {
          name: string;
        },
      ],
    ];
    for (const [type, path, key, list, body] of kinds) {
      await create(path, key, body);
      const deleted = await deleteOrphans(api, {
        resources: [],
        savedAt,
        pending: [creating(type, "x", body)],
      });
      assert.equal(deleted.length, 1, type);
      assert.ok(!(await names(path, list)).includes(body.name), type);
    }
  });

  it("is looked for by the whole of a DNS record, not its name alone", async () => {
    await create("/v2/domains", "domain", { name: "example.org" });
    const record = { type: "A", name: "www", data: "192.0.2.1", ttl: 60 };
    await create("/v2/domains/example.org/records", "domain_record", record);
    await create("/v2/domains/example.org/records", "domain_record", { ...record, data: "192.0.2.2" });
    const inputs = { domain: "example.org", type: "A", name: "www", value: "192.0.2.2" };
    const pending = [creating("digitalocean:index/dnsRecord:DnsRecord", "site", inputs)];
    assert.equal((await deleteOrphans(api, { resources: [], savedAt: 0, pending })).length, 1);
    const left = await listAll(api, "/v2/domains/example.org/records", "domain_records");
    assert.deepEqual(
      left.filter(({ type }) => type === "A").map(({ data }) => data),
      ["192.0.2.1"],
    );
  });

  it("is nothing where an update was cut short, or a kind that has no trace in the API", async () => {
    await create("/v2/tags", "tag", { name: "web" });
    const update = {
      type: "updating",
      resource: creating("digitalocean:index/vpc:Vpc", "v", { name: "default-nyc3" }).resource,
    };
    const pending = [update, creating("tls:index/privateKey:PrivateKey", "ca", {})];
    assert.deepEqual(await deleteOrphans(api, { resources: [], savedAt: 0, pending }), []);
  });
});

describe("the sandbox's secrets and environment", () => {
  let home: Home;
  beforeEach(() => {
    home = homeAt(mkdtempSync(join(tmpdir(), "home-")));
    makeHome(home);
  });
  afterEach(() => rmSync(home.dir, { recursive: true, force: true }));

  it("keep the token for the owner alone, and the same token", () => {
    const token = ensureToken(home);
    assert.match(token, /^dop_v1_[0-9a-f]{64}$/);
    assert.equal(ensureToken(home), token);
    assert.equal(statSync(home.tokenFile).mode & 0o777, 0o600);
    assert.equal(statSync(home.dir).mode & 0o777, 0o700);
  });

  it("never make a new passphrase for states that an old one encrypted", () => {
    ensurePassphrase(home, false);
    const passphrase = readFileSync(home.passphraseFile, "utf8");
    ensurePassphrase(home, true);
    assert.equal(readFileSync(home.passphraseFile, "utf8"), passphrase);
    rmSync(home.passphraseFile);
    assert.throws(
      () => ensurePassphrase(home, true),
      failure(/passphrase is missing/, /npm stop -- --force/),
    );
    assert.equal(existsSync(home.passphraseFile), false);
  });

  it("hide the user's Pulumi and DigitalOcean settings from the engine", () => {
    const user = {
      PATH: "/bin",
      PULUMI_ACCESS_TOKEN: "x",
      PULUMI_HOME: "/u",
      DIGITALOCEAN_TOKEN: "real",
      DIGITALOCEAN_API_URL: "y",
      LANG: "C",
    };
    const env = sandboxEnvironment(home, { url: "http://127.0.0.1:1", token: "t" }, { standIns: true }, user);
    assert.equal(env.PULUMI_ACCESS_TOKEN, undefined);
    assert.equal(env.PULUMI_HOME, home.pulumiHome);
    assert.equal(env.DIGITALOCEAN_TOKEN, "t");
    assert.equal(env.DIGITALOCEAN_API_URL, "http://127.0.0.1:1");
    assert.equal(env.LANG, "C");
    assert.equal(JSON.stringify(env).includes("real"), false);
  });

  it("lead the engine to the sandbox's Spaces, whatever proxy the user has", () => {
    const user = {
      HTTP_PROXY: "http://proxy.example:3128",
      http_proxy: "http://proxy.example:3128",
      HTTPS_PROXY: "http://proxy.example:3128",
      NO_PROXY: "*,.digitaloceanspaces.com,digitaloceanspaces.com,intranet.example",
      SPACES_ACCESS_KEY_ID: "real",
      SPACES_ENDPOINT_URL: "https://real.example",
    };
    const api = { url: "http://127.0.0.1:1", token: "t" };
    const spaces = "http://127.0.0.1:2";
    const env = sandboxEnvironment(home, api, { standIns: true, spaces }, user);
    const names = Object.keys(env).filter((name) => /^SPACES_|proxy$/i.test(name));
    assert.deepEqual(Object.fromEntries(names.map((name) => [name, env[name]])), {
      SPACES_ENDPOINT_URL: "http://{{.Region}}.digitaloceanspaces.com",
      HTTP_PROXY: spaces,
      HTTPS_PROXY: user.HTTPS_PROXY,
      NO_PROXY: "127.0.0.1,localhost,intranet.example",
    });
    const without = sandboxEnvironment(home, api, { standIns: true }, user);
    assert.equal(without.HTTP_PROXY, "http://127.0.0.1:9", "nothing answers there");
  });

  it("run the policy host with this Node.js, also from a folder with a quote in its name", () => {
    const odd = homeAt(join(home.dir, "it's here"));
    mkdirSync(odd.dir);
    installPolicyHost(odd);
    const { stderr, status } = spawnSync(join(odd.binDir, "pulumi-analyzer-policy-nodejs"), [], {
      encoding: "utf8",
    });
    assert.notEqual(status, 0);
    assert.match(stderr, /run-policy-pack|No pack|argument|engine/i);
  });

  it("find processes by their mark, theirs alone", async () => {
    const child = spawn(process.execPath, ["-e", "console.log(1); setInterval(() => {}, 1000)"], {
      env: { ...process.env, ...tagEnvironment("engine", home.dir) },
      stdio: ["ignore", "pipe", "ignore"],
    });
    await once(child.stdout, "data");
    assert.deepEqual(taggedProcesses("engine", home.dir), [child.pid]);
    assert.deepEqual(taggedProcesses("api", home.dir), []);
    child.kill("SIGKILL");
    await once(child, "close");
    assert.deepEqual(taggedProcesses("engine", home.dir), []);
  });
});
