// The main job on real hosts, by the commands that a user types: one start for all of these tests.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openInstance } from "../../sandbox/hosts/instance";
import { attempt } from "../../sandbox/hosts/run";
import { freePort } from "../../sandbox/index";
import type { ProjectStatus } from "../../scripts/hosts/status";
import { inOrder } from "../inOrder";
import { waitFor } from "../waitFor";
import { skipWithoutHosts } from "./requirement";
import { traces } from "./world/leftovers";

const ROOT = join(__dirname, "..", "..");
const START_WITHIN_MS = 15 * 60_000;

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe("npm start with hosts", function () {
  this.timeout(START_WITHIN_MS);
  // Each test goes on with what the one before it has made.
  inOrder();
  let dir: string;
  let home: string;
  let env: NodeJS.ProcessEnv;
  let running: ChildProcess | undefined;

  /** Runs a command of the project as npm does; `watch` sees what it has printed so far. */
  function npm(args: readonly string[], watch: (stdout: string, child: ChildProcess) => void = () => {}) {
    const child = spawn(process.execPath, [join(ROOT, "scripts", "run.mjs"), ...args], {
      cwd: ROOT,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    running = child;
    let [stdout, stderr] = ["", ""];
    child.stdout?.setEncoding("utf8").on("data", (text) => {
      stdout += text;
      watch(stdout, child);
    });
    child.stderr?.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    return new Promise<Run>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve({ code, stdout, stderr }));
    });
  }
  async function succeed(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await npm(args);
    assert.equal(code, 0, `${args.join(" ")}:\n${stdout}\n${stderr}`);
    return stdout;
  }
  const sandbox = (...args: string[]) => npm(["sandbox", ...args]);
  const status = async () => JSON.parse(await succeed("sandbox", "status", "--json")) as ProjectStatus;
  const isWhole = ({ groups }: ProjectStatus) =>
    groups.length === 3 &&
    groups.every(({ members }) => members?.filter(({ state }) => state === "ONLINE").length === 3);
  const apiPid = () => (JSON.parse(readFileSync(join(home, "api.json"), "utf8")) as { pid: number }).pid;
  /** Who runs each host: another process after every boot. */
  const machines = async () =>
    (await attempt("sh", ["-c", `cat '${home}'/hosts/droplets/*/process`])).stdout.trim().split("\n").sort();

  before(async function () {
    await skipWithoutHosts(this);
    dir = mkdtempSync(join(tmpdir(), "sw-start-"));
    home = join(dir, "home");
    env = {
      ...process.env,
      SECURED_WEB_HOME: home,
      SECURED_WEB_HOSTS: "on",
      SECURED_WEB_API_PORT: String(await freePort()),
    };
  });
  after(async () => {
    if (dir === undefined) return;
    running?.kill("SIGKILL");
    if (existsSync(home)) await npm(["stop", "--force"]);
    rmSync(dir, { recursive: true, force: true });
  });

  it("goes on from a kill -9 in the middle of the update, and from Ctrl-C", async () => {
    const killed = await npm(["start"], (stdout, child) => {
      if (/created .*Droplet/.test(stdout)) child.kill("SIGKILL");
    });
    assert.equal(killed.code, null, killed.stdout + killed.stderr);
    let asked = false;
    const interrupted = await npm(["start"], (stdout, child) => {
      if (!asked && stdout.includes("- Site")) asked = child.kill("SIGINT");
    });
    assert.equal(interrupted.code, 130, interrupted.stdout + interrupted.stderr);
    assert.match(interrupted.stderr, /To continue, run `npm start`\./);
  });

  it("ends when the site answers, and prints an address and a curl line that works as printed", async () => {
    const stdout = await succeed("start");
    assert.match(stdout, /✔ Site: the site answers 200; 3 of 3 database members ONLINE/);
    const line = /^ +(curl .*)$/m.exec(stdout)?.[1] ?? "";
    const page = await attempt("bash", ["--norc", "-c", `${line} --silent --show-error --fail`]);
    assert.equal(page.code, 0, `${line}: ${page.stderr}`);
    assert.match(page.stdout, /www\.dev\.foobar\.com/);
    const address = /^ +(https:\/\/\S+)$/m.exec(stdout)?.[1] ?? "";
    assert.ok(line.endsWith(address) && address !== "", `${address} is not what the line asks for`);
    // Without TLS it is sent to the published port of the site, by a redirect that leads there.
    const http = (await status()).loadBalancers[0]?.published.find(({ entryPort }) => entryPort === 80)?.port;
    const where = ["--silent", "--output", "/dev/null", "--write-out", "%{redirect_url}"];
    const redirect = await attempt("curl", [...where, `http://127.0.0.1:${http}/a`]);
    assert.equal(redirect.stdout, `https://127.0.0.1:${new URL(address).port}/a`);
    const unverified = await attempt("bash", ["--norc", "-c", line.replace(/--cacert \S+/, "--silent")]);
    assert.equal(unverified.code, 60, "without its root the certificate must not be trusted");
  });

  it("tells the state of hosts, groups, backends and certificates", async () => {
    const { api, droplets, groups, loadBalancers, certificates } = await status();
    assert.equal(api?.pid, apiPid());
    for (const { name, roles, status: recorded, host } of droplets) {
      assert.match(name, /^dev-node-[123]$/);
      assert.deepEqual([roles, recorded, host?.cloudInit?.status], [["web", "database"], "active", "done"]);
      assert.ok((host?.memoryBytes ?? 0) > 50 * 1024 ** 2);
    }
    assert.equal(droplets.length, 3);
    assert.ok(isWhole({ groups } as ProjectStatus), JSON.stringify(groups));
    const [balancer] = loadBalancers;
    assert.deepEqual(balancer?.published.map(({ entryPort }) => entryPort).sort(), [443, 80]);
    assert.deepEqual(
      balancer?.backends?.map(({ droplet }) => droplet).sort(),
      droplets.map(({ name }) => name),
    );
    assert.match(certificates[0]?.issuer ?? "", /Pebble|not a public authority/);
    const text = await succeed("sandbox", "status");
    for (const word of ["dev-node-2", "ONLINE PRIMARY", "443 at ", "lets_encrypt"])
      assert.ok(text.includes(word), text);
  });

  it("exec, logs, curl and capture work on the running hosts", async () => {
    const ran = await sandbox("exec", "node-1", "--", "sh", "-c", "hostname; exit 7");
    assert.deepEqual([ran.code, ran.stdout.trim()], [7, "dev-node-1"]);
    const unknown = await sandbox("exec", "node-9", "--", "true");
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /Unknown host "node-9"[\s\S]*dev-node-1 .*dev-node-2 .*dev-node-3/);
    assert.match(await succeed("sandbox", "logs", "node-2", "nginx.service"), /nginx/);
    const page = await sandbox(
      "curl",
      "-sS",
      "-w",
      "%{http_code}",
      "-o",
      "/dev/null",
      "https://www.dev.foobar.com/",
    );
    assert.equal(page.stdout, "200", page.stderr);
    const redirect = await sandbox(
      "curl",
      "-sS",
      "-w",
      "%{redirect_url}",
      "-o",
      "/dev/null",
      "http://www.dev.foobar.com/a",
    );
    assert.equal(redirect.stdout, "https://www.dev.foobar.com/a", redirect.stderr);
    const refused = await sandbox(
      "curl",
      "-sS",
      "--max-time",
      "3",
      "https://node-1.internal.dev.foobar.com/",
    );
    assert.notEqual(refused.code, 0, "curl's own exit code");
    // The members talk all the time.
    const packets = await sandbox("capture", "node-3", "-c", "3", "tcp port 3306");
    assert.equal(packets.code, 0, packets.stderr);
    assert.match(packets.stdout, /\.3306/);
  });

  it("shell is a login shell on this terminal: Ctrl-C ends what runs in it, and its exit code is the command's", async () => {
    const command = `'${process.execPath}' '${join(ROOT, "scripts", "run.mjs")}' sandbox shell node-1`;
    // script(1) gives it a terminal.
    const args = ["--quiet", "--return", "--command", command, "/dev/null"];
    const child = spawn("script", args, { cwd: ROOT, env, stdio: ["pipe", "pipe", "inherit"] });
    running = child;
    const ended = new Promise((resolve) => child.once("close", resolve));
    let seen = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      seen += text;
    });
    const shows = (what: RegExp) => waitFor(String(what), async () => what.test(seen));
    const type = (keys: string) => child.stdin.write(keys);
    await shows(/root@dev-node-1:/);
    type('[ -t 0 ] && echo "a terminal on $(hostname)"\r');
    await shows(/a terminal on dev-node-1/);
    type("sleep 4711\r");
    const sleeps = async () =>
      (await sandbox("exec", "node-1", "--", "pgrep", "-xf", "sleep 4711")).code === 0;
    await waitFor("what runs in it", sleeps);
    type("\x03");
    type("echo it ended with $?\r");
    await shows(/it ended with 130/);
    assert.equal(await sleeps(), false);
    type("exit 7\r");
    assert.equal(await ended, 7, seen);
  });

  it("fails with the host's name while one is off, and mends when it is on again", async () => {
    assert.match(await succeed("sandbox", "power", "node-3", "cycle"), /power_cycle is done/);
    assert.match(await succeed("sandbox", "power", "node-3", "off"), /power_off is done/);
    assert.match(await succeed("sandbox", "power", "node-3", "off"), /dev-node-3 is already off/);
    const off = (await status()).droplets.find(({ name }) => name === "dev-node-3");
    assert.deepEqual([off?.status, off?.host?.power], ["off", "off"]);
    const entered = await sandbox("exec", "node-3", "--", "true");
    assert.equal(entered.code, 1);
    assert.match(entered.stderr, /dev-node-3 is off[\s\S]*power dev-node-3 on/);
    const started = await npm(["start"]);
    assert.equal(started.code, 1, started.stdout);
    assert.match(
      started.stderr,
      /The site is incomplete: dev-node-3 is off[\s\S]*console[\s\S]*power HOST on/,
    );
    await succeed("sandbox", "power", "node-3", "on");
    await waitFor("the member that was off", async () => isWhole(await status()), { within: 180 });
  });

  it("adopts the hosts after kill -9 of the API, and changes nothing", async () => {
    const before = await machines();
    process.kill(apiPid(), "SIGKILL");
    // Hosts and load balancer go on meanwhile, and what needs no account works.
    assert.equal((await sandbox("exec", "node-1", "--", "true")).code, 0);
    assert.match(await succeed("sandbox", "status"), /API: not running/);
    const refused = await sandbox("power", "node-1", "off");
    assert.match(refused.stderr, /API is not running[\s\S]*npm start/);
    const stdout = await succeed("start");
    assert.match(stdout, /✔ Update: \d+ unchanged\n/);
    assert.deepEqual(await machines(), before);
  });

  it("npm stop leaves nothing, also after kill -9 of the API", async () => {
    const { id } = await openInstance(join(home, "hosts"));
    const there = (await traces(id, home)).join("\n");
    for (const kind of ["netns", "cgroup", "systemd-nspawn", "haproxy"])
      assert.ok(there.includes(kind), `the look for traces would miss ${kind}:\n${there}`);
    process.kill(apiPid(), "SIGKILL");
    await succeed("stop");
    assert.deepEqual(await traces(id, home), []);
    assert.equal(existsSync(home), false);
  });
});
