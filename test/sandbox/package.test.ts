import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { freePort } from "../../sandbox/index";

const PACKAGE = join(__dirname, "../../sandbox");
const MODULES = join(__dirname, "../../node_modules");

/** A user's own test, which has an account for itself. */
const CONSUMER = `
import { request, startApi } from "digitalocean-sandbox";

async function main() {
  const running = await startApi({ stateDir: "account", port: 0, token: "t", actionDelayMs: 0 });
  const api = { url: running.url, token: "t" };
  const { status } = await request(api, "POST", "/v2/tags", { body: { name: "mine" } });
  const { body } = await request(api, "GET", "/v2/tags");
  await running.close();
  console.log(status, (body as { tags: { name: string }[] }).tags.map(({ name }) => name).join());
}
void main();
`;

describe("the npm package digitalocean-sandbox", function () {
  this.timeout(300_000);
  const dir = mkdtempSync(join(tmpdir(), "sandbox-package-"));
  const installed = join(dir, "node_modules", "digitalocean-sandbox");
  let files: readonly string[];

  before(() => {
    // npm start has built the plugins; building them again here would disturb other tests, which use them.
    const flags = ["pack", "--json", "--ignore-scripts", "--pack-destination", dir];
    const output = execFileSync("npm", flags, {
      cwd: PACKAGE,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [packed] = JSON.parse(output.slice(output.indexOf("["))) as {
      filename: string;
      files: { path: string }[];
    }[];
    files = packed!.files.map(({ path }) => path);
    mkdirSync(installed, { recursive: true });
    const unpack = ["-xzf", join(dir, packed!.filename), "-C", installed, "--strip-components=1"];
    execFileSync("tar", unpack);
    // As npm would: beside it the packages that it asks for, and no other.
    const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    for (const name of Object.keys(manifest.dependencies)) {
      mkdirSync(dirname(join(dir, "node_modules", name)), { recursive: true });
      symlinkSync(join(MODULES, name), join(dir, "node_modules", name));
    }
  });
  after(() => {
    sandbox("remove");
    rmSync(dir, { recursive: true, force: true });
  });

  const bin = join(installed, "bin", "digitalocean-sandbox.mjs");
  const environment = () => {
    const { DIGITALOCEAN_SANDBOX_DIR: _, ...rest } = process.env;
    return rest;
  };
  const sandbox = (...args: string[]) =>
    spawnSync(process.execPath, [bin, ...args], { cwd: dir, env: environment(), encoding: "utf8" });

  it("holds the program with its plugins, and neither its tests nor this project", () => {
    for (const file of ["README.md", "LICENSE", "index.ts", "lock.mjs", "build/plugins/tls/main.js"])
      assert.ok(files.includes(file), file);
    assert.deepEqual(
      files.filter((file) => file.includes("test")),
      [],
    );
    for (const file of files.filter((path) => /\.(ts|mjs|sh|json)$/.test(path)))
      assert.doesNotMatch(readFileSync(join(installed, file), "utf8"), /secured[-_]?web/i, file);
  });

  it("starts an account in the background, looks after it, stops it and removes it", async () => {
    const port = await freePort();
    const started = sandbox("start", "--port", String(port));
    assert.equal(started.status, 0, started.stderr);
    assert.match(started.stdout, /digitalocean-sandbox stop stops it\./);
    const token = readFileSync(join(dir, ".digitalocean-sandbox", "api-token"), "utf8").trim();
    assert.ok(!started.stdout.includes(token), "a token in a log");
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const body = { name: "d-1", region: "nyc3", size: "s-1vcpu-1gb", image: "ubuntu-26-04-x64", tags: ["x"] };
    const url = `http://127.0.0.1:${port}`;
    const made = await fetch(`${url}/v2/droplets`, { method: "POST", headers, body: JSON.stringify(body) });
    assert.equal(made.status, 202);

    const again = sandbox("start");
    assert.equal(again.status, 0, again.stderr);
    assert.ok(again.stdout.includes(url), "the port that it was started on");
    assert.match(sandbox("status").stdout, /TAGS[\s\S]*d-1 .* x /);
    const entered = sandbox("exec", "d-1", "--", "true");
    assert.equal(entered.status, 1);
    assert.match(entered.stderr, /no hosts[\s\S]*digitalocean-sandbox start --hosts on/);

    assert.match(sandbox("stop").stdout, /^Ended process \d+/);
    await assert.rejects(fetch(url));
    assert.match(sandbox("stop").stdout, /was not running/);
    assert.match(sandbox("remove").stdout, /^Removed /);
    assert.ok(!existsSync(join(dir, ".digitalocean-sandbox")));
    assert.match(sandbox("remove").stdout, /^Nothing to remove/);
  });

  it("runs in the foreground until it is interrupted", async () => {
    const other = join(dir, "other");
    const args = [bin, "--dir", other, "--port", String(await freePort())];
    const child = spawn(process.execPath, args, {
      cwd: dir,
      env: environment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    let printed = "";
    child.stderr.on("data", (text) => {
      printed += text;
    });
    const ended = once(child, "close");
    await new Promise<void>((resolve, reject) => {
      child.stdout.on("data", (text) => {
        printed += text;
        if (printed.includes("Ctrl-C stops it.")) resolve();
      });
      child.once("close", () => reject(new Error(`it ended: ${printed}`)));
    });
    assert.match(printed, /\/v2\/account/);
    child.kill("SIGINT");
    assert.deepEqual(await ended, [0, null], printed);
    assert.equal(sandbox("--dir", other, "remove").status, 0);
  });

  it("tells what is wrong with a command line", () => {
    const verb = sandbox("fly");
    assert.equal(verb.status, 2);
    assert.match(verb.stderr, /unknown verb "fly"[\s\S]*start, stop, remove, requirements/);
    assert.equal(sandbox("--dir").status, 2);
    assert.equal(sandbox("start", "--port", "x").status, 2);
    assert.match(sandbox("power", "--help").stdout, /^digitalocean-sandbox power HOST on\|off\|cycle/);
  });

  it("is a module for a user's own tests", () => {
    writeFileSync(join(dir, "mine.ts"), CONSUMER);
    const { stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", "mine.ts"], {
      cwd: dir,
      encoding: "utf8",
    });
    assert.equal(stdout, "201 mine\n", stderr);
  });
});
