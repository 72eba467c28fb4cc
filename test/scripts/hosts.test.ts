import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ensureApi,
  freePort,
  hostsMode,
  keepHostsMode,
  prepareCollector,
  prepareHosts,
  runningApi,
  sandboxDatadog,
  stopApi,
} from "../../sandbox/index";
import { type Home, homeAt, makeHome, PROJECT_DIR } from "../../scripts/home";
import { curlLine, findSite } from "../../scripts/hosts/site";
import { projectStatus, projectStatusText } from "../../scripts/hosts/status";
import { failure } from "../failure";

const never = new AbortController().signal;

describe("whether droplets boot as hosts", () => {
  let home: Home;
  beforeEach(() => {
    // A space in the name: no machine can run hosts there, so that these tests boot nothing.
    home = homeAt(join(mkdtempSync(join(tmpdir(), "hosts-")), "my home"));
  });
  afterEach(() => rmSync(join(home.dir, ".."), { recursive: true, force: true }));

  it("is said by the option, else by SECURED_WEB_HOSTS, else it is where the machine can", () => {
    assert.equal(hostsMode("on", home, { SECURED_WEB_HOSTS: "off" }), "on");
    assert.equal(hostsMode(undefined, home, { SECURED_WEB_HOSTS: "off" }), "off");
    assert.equal(hostsMode(undefined, home, { SECURED_WEB_HOSTS: "" }), "auto");
    assert.equal(hostsMode(undefined, home, {}), "auto");
    const wrong = failure(/^--hosts: expected auto, on or off, got "yes"$/, 2);
    assert.throws(() => hostsMode("yes", home, {}), wrong);
    const wrongVariable = failure(/^SECURED_WEB_HOSTS: /, 2);
    assert.throws(() => hostsMode(undefined, home, { SECURED_WEB_HOSTS: "1" }), wrongVariable);
  });

  it("stays off in a sandbox that was started so, until a command says otherwise", () => {
    makeHome(home);
    keepHostsMode(home, "off");
    assert.equal(hostsMode(undefined, home, {}), "off");
    assert.equal(hostsMode("auto", home, {}), "auto");
    assert.equal(hostsMode(undefined, home, { SECURED_WEB_HOSTS: "on" }), "on");
    keepHostsMode(home, "auto");
    assert.equal(hostsMode(undefined, home, {}), "auto");
  });

  it("auto: where it cannot be, droplets are records, with the reason", async () => {
    const decision = await prepareHosts(home, "auto", assert.fail, never);
    assert.equal(decision.kind, "records");
    assert.match(decision.kind === "records" ? decision.reason : "", /my home has a space/);
  });

  it("on: where it cannot be, it is an error with the reason and the way without", async () => {
    await assert.rejects(
      prepareHosts(home, "on", assert.fail, never),
      failure(/cannot boot as hosts: .*has a space/, 1, /--hosts off/),
    );
  });

  it("off: records, unless there are hosts already, which nobody would look after", async () => {
    assert.equal((await prepareHosts(home, "off", assert.fail, never)).kind, "records");
    mkdirSync(home.hostsDir, { recursive: true });
    await assert.rejects(
      prepareHosts(home, "off", assert.fail, never),
      failure(/are already hosts/, 1, /npm stop/),
    );
  });
});

describe("what stands in for the Datadog agent", () => {
  it("is left out with the reason where it cannot be built", async () => {
    const dir = mkdtempSync(join(tmpdir(), "collector-"));
    const { PATH, XDG_CACHE_HOME } = process.env;
    writeFileSync(join(dir, "go"), "#!/bin/sh\necho 'no way to the module proxy' >&2\nexit 1\n", {
      mode: 0o755,
    });
    process.env.PATH = `${dir}:${PATH}`;
    process.env.XDG_CACHE_HOME = dir;
    try {
      const told: string[] = [];
      const reason = await prepareCollector((line) => told.push(line));
      assert.equal(reason, "no collector: building Telegraf failed (no way to the module proxy)");
      assert.match(told.join("\n"), /^building Telegraf .* once/);
    } finally {
      process.env.PATH = PATH;
      if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME;
      else process.env.XDG_CACHE_HOME = XDG_CACHE_HOME;
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

describe("the curl line", () => {
  const site = { name: "www.a.test", loadBalancerIp: "203.0.113.2", port: 8443, roots: "/x/roots.pem" };
  it("resolves the name to the loopback and trusts the root", () => {
    assert.equal(
      curlLine(site),
      "curl --cacert /x/roots.pem --resolve www.a.test:8443:127.0.0.1 https://www.a.test:8443/",
    );
  });
  it("is one word for a shell whatever the folder's name", () => {
    const { stdout } = spawnSync(
      "sh",
      ["-c", `printf '%s\\n' ${curlLine({ ...site, roots: "/it's $HOME/r" })}`],
      {
        encoding: "utf8",
      },
    );
    assert.equal(stdout.split("\n")[2], "/it's $HOME/r");
  });
  it("does not verify a certificate that was brought", () => {
    assert.match(curlLine({ ...site, roots: undefined }), /^curl --insecure /);
  });
});

describe("npm run sandbox", function () {
  this.timeout(60_000);
  let home: Home;
  let port: number;
  beforeEach(async () => {
    home = homeAt(mkdtempSync(join(tmpdir(), "hosts-")));
    port = await freePort();
  });
  afterEach(async () => {
    await stopApi(home);
    rmSync(home.dir, { recursive: true, force: true });
  });
  const sandbox = (...args: string[]) =>
    spawnSync(process.execPath, [join(PROJECT_DIR, "scripts", "run.mjs"), "sandbox", ...args], {
      env: { ...process.env, SECURED_WEB_HOME: home.dir, SECURED_WEB_API_PORT: String(port) },
      encoding: "utf8",
    });

  it("status of records: droplets without machines, and none to enter", async () => {
    await assert.rejects(projectStatus(home), failure(/There is no sandbox/, 1, /npm start/));
    const api = await ensureApi(home, port);
    await fetch(`${api.url}/v2/droplets`, {
      method: "POST",
      headers: { authorization: `Bearer ${api.token}`, "content-type": "application/json" },
      body: JSON.stringify({
        name: "d-1",
        region: "nyc3",
        size: "s-1vcpu-1gb",
        image: "ubuntu-26-04-x64",
        tags: ["secured-web-dev-web", "x"],
      }),
    });
    const status = await projectStatus(home);
    assert.deepEqual(
      status.droplets.map(({ name, roles, host }) => ({ name, roles, host })),
      [{ name: "d-1", roles: ["web"], host: undefined }],
    );
    assert.match(await projectStatusText(status, home), /^ {2}d-1 +\d+ +web +(new|active) .* record /m);
    const entered = sandbox("exec", "d-1", "--", "true");
    assert.equal(entered.status, 1);
    assert.match(entered.stderr, /no hosts: its droplets are only records[\s\S]*npm start/);
    const outputs = {
      url: "https://www.a.test",
      loadBalancerIp: "203.0.113.9",
      droplets: [],
      databaseWriters: [],
    };
    assert.equal(await findSite(home, api, outputs), undefined);
  });

  it("metrics: metrics that the Datadog stand-in has received, and why there is nothing", async () => {
    const without = sandbox("metrics");
    assert.equal(without.status, 1);
    assert.match(without.stderr, /API is not running[\s\S]*npm start -- --config monitoring=datadog/);
    await ensureApi(home, port);
    const empty = sandbox("metrics");
    assert.equal(empty.status, 1);
    assert.match(empty.stderr, /No metrics were received[\s\S]*Droplets are only records/);
    assert.equal(sandbox("metrics", "--json").stdout, "[]\n");
    const { url, apiKey } = sandboxDatadog(home) ?? assert.fail("no stand-in");
    const point = { timestamp: 1_700_000_000, value: 2.5 };
    const series = [{ metric: "web.qps", points: [point], type: 3, tags: ["stack:dev"] }];
    const sent = await fetch(`${url}/api/v2/series`, {
      method: "POST",
      headers: { "dd-api-key": apiKey },
      body: JSON.stringify({ series }),
    });
    assert.equal(sent.status, 202);
    assert.match(sandbox("metrics").stdout, /^1 metrics\n {2}NAME +SERIES +VALUES\n {2}web\.qps +1 +1\n$/);
    assert.match(
      sandbox("metrics", "web.qps").stdout,
      /^ {2}2\.50000 .*2023-11-14T22:13:20\.000Z .* stack:dev$/m,
    );
    const unknown = sandbox("metrics", "web.qsp");
    assert.equal(unknown.status, 1);
    assert.match(unknown.stderr, /No metric web\.qsp has been received[\s\S]*run npm run sandbox -- metrics/);
  });

  it("refuses a verb that it does not have, and names those that it has; each has a help", () => {
    const unknown = sandbox("fly");
    assert.equal(unknown.status, 2);
    const verbs = /Verbs: (.*)\./.exec(unknown.stderr)?.[1]?.split(", ") ?? [];
    assert.deepEqual(verbs, ["status", "exec", "shell", "logs", "power", "curl", "capture", "metrics"]);
    const help = sandbox("--help").stdout;
    for (const verb of verbs) assert.match(help, new RegExp(`^ {2}${verb} `, "m"));
    for (const verb of ["exec", "power"])
      assert.match(sandbox(verb, "--help").stdout, new RegExp(`^npm run sandbox -- ${verb} HOST`));
    assert.match(sandbox("power", "node-1", "sideways").stderr, /expected on, off or cycle, got "sideways"/);
    assert.match(sandbox("exec", "node-1").stderr, /needs HOST and CMD[\s\S]*exec HOST -- CMD/);
  });

  it("in the foreground prints no token into a log, is found by other commands, and takes its record along", async () => {
    const child = spawn(process.execPath, [join(PROJECT_DIR, "scripts", "run.mjs"), "sandbox"], {
      env: { ...process.env, SECURED_WEB_HOME: home.dir, SECURED_WEB_API_PORT: String(port) },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let printed = "";
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    await new Promise<void>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (text) => {
          printed += text;
          if (printed.includes("Ctrl-C stops it")) resolve();
        });
      child.once("close", () => reject(new Error(`it ended: ${printed}`)));
    });
    const token = readFileSync(home.tokenFile, "utf8").trim();
    assert.ok(printed.includes(home.tokenFile), printed);
    assert.ok(!printed.includes(token), "the token is in a log now");
    assert.ok(sandbox("status").stdout.includes(`API: http://127.0.0.1:${port}, process ${child.pid}\n`));
    assert.equal((await ensureApi(home, port)).started, false);
    await assert.rejects(
      ensureApi(home, port, { hosts: true }),
      failure(new RegExp(`in a terminal \\(process ${child.pid}\\)`), 1, /Ctrl-C[\s\S]*--hosts off/),
    );
    child.kill("SIGTERM");
    assert.equal(await ended, 0);
    assert.equal(runningApi(home), undefined);
  });
});
