/** What a person may get wrong: each ends with a clear error, a remedy, no change, and a repeat that works. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, request } from "../../sandbox/index";
import { stackFile } from "../../scripts/engine/stateFile";
import { Sandbox, waitForLine } from "./sandbox";

/**
 * A CIDR list that makes the packet filter of each host, and with it the user data, larger than DigitalOcean takes. It
 * does not repeat numbers in a pattern, because user data is compressed.
 */
const MANY_NETWORKS = Array.from({ length: 5500 }, (_, i) => {
  const [a = 0, b = 0] = createHash("sha256").update(String(i)).digest();
  return `${11 + (a % 80)}.${b}.${i >> 8}.${i & 255}/32`;
}).join(", ");

const SETTINGS: [what: string, config: string[], ...message: RegExp[]][] = [
  ["a missing domain", ["secured-web:domain="], /secured-web:domain: /],
  ["a domain that is none", ["secured-web:domain=foo_bar"], /secured-web:domain: .*foobar\.com.*foo_bar/],
  ["an unknown region", ["secured-web:region=mars1"], /secured-web:region: .*mars1/, /nyc3/],
  ["an unknown size", ["secured-web:database.size=s-99vcpu"], /secured-web:database\.size: .*s-99vcpu/],
  ["an unknown image", ["secured-web:image=windows-95"], /secured-web:image: .*windows-95/],
  [
    "a count out of range",
    ["secured-web:database.count=11"],
    /secured-web:database\.count: expected 1 to 9, got 11/,
  ],
  ["an even group", ["secured-web:database.count=4"], /secured-web:database\.count: .*4/],
  ["an unknown setting", ["secured-web:databse.count=3"], /secured-web:databse/],
  [
    "several at once",
    ["secured-web:web.count=0", "secured-web:topology=round", "secured-web:slices.web=x"],
    /secured-web:web\.count: expected 2 to 10, got 0/,
    /secured-web:topology: expected converged or separated, got round/,
    /secured-web:slices\.web: /,
  ],
  [
    "user data over 64 KiB",
    [`secured-web:operators.networks=[${MANY_NETWORKS}]`],
    /user data of dev-node-1 has \d{5,} bytes, and DigitalOcean accepts at most 65536/,
  ],
];

describe("bad input", function () {
  this.timeout(120_000);
  let sandbox: Sandbox;
  before(async () => {
    sandbox = await Sandbox.make();
    await sandbox.must("preview", "dev");
  });
  after(() => sandbox.remove());

  for (const [what, config, ...messages] of SETTINGS) {
    it(`in the settings: ${what}`, async () => {
      const { exitCode, stdout, stderr } = await sandbox.run(
        "up",
        config.flatMap((setting) => ["--config", setting]),
      );
      assert.equal(exitCode, 1, stdout);
      for (const message of messages) assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n +at /, "no stack trace");
      assert.equal((await sandbox.census()).droplets, 0);
    });
  }

  it("on the command line: an unknown command, stack, option, and a value without its key", async () => {
    for (const [command, args, message] of [
      ["strat", [], /"strat"[\s\S]*start/],
      ["preview", ["produ"], /produ[\s\S]*dev, prod/],
      ["preview", ["--confg", "x=1"], /--confg/],
      ["preview", ["--config", "x"], /KEY=VALUE/],
      ["preview", ["--port", "99999"], /99999/],
      ["up", ["dev", "--cloud", "--skip-preview"], /--skip-preview is for the sandbox/],
      ["replace", ["dev", "node-1", "--force"], /--force requires a value: --force HOST/],
      [
        "replace",
        ["dev", "node-1", "--force", "node-2"],
        /--force: expected .* replace \(node-1\), got "node-2"/,
      ],
      ["reboot", ["dev", "--force", "node-1"], /--force: expected .* reboot \(none is given\), got "node-1"/],
    ] as const) {
      const { exitCode, stderr } = await sandbox.run(command, args);
      assert.equal(exitCode, 2, `${command} ${args.join(" ")}: ${stderr}`);
      assert.match(stderr, message);
    }
  });

  it("an API that does not answer", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { exitCode, stderr } = await sandbox.run("up", ["dev", "--api", url]);
    assert.equal(exitCode, 1);
    assert.match(stderr, new RegExp(`${url} does not answer .*ECONNREFUSED[\\s\\S]*--api`));
  });

  it("a wrong token", async () => {
    const { exitCode, stderr } = await sandbox.run("up", ["dev", "--api", sandbox.api.url], {
      DIGITALOCEAN_TOKEN: "dop_v1_wrong",
    });
    assert.equal(exitCode, 1);
    assert.match(stderr, /answers 401[\s\S]*DIGITALOCEAN_TOKEN/);
    assert.doesNotMatch(stderr, /dop_v1_wrong/);
  });

  it("a port in use, which names who has it; the other port that it proposes works", async () => {
    const other = await Sandbox.make();
    const server = createServer();
    try {
      await new Promise<void>((resolve) => server.listen(other.port, "127.0.0.1", resolve));
      const { exitCode, stderr } = await other.run("up");
      assert.equal(exitCode, 1);
      assert.match(
        stderr,
        new RegExp(`Port ${other.port} .*process ${process.pid}[\\s\\S]*SECURED_WEB_API_PORT`),
      );
      await new Promise((resolve) => server.close(resolve));
      await other.must("preview");
    } finally {
      server.close();
      await other.remove();
    }
  });

  it("a port to which browsers and Node.js refuse to connect", async () => {
    const other = await Sandbox.make();
    try {
      const { exitCode, stderr } = await other.run("up", [], { SECURED_WEB_API_PORT: "2049" });
      assert.equal(exitCode, 1);
      assert.match(stderr, /port 2049 [\s\S]*SECURED_WEB_API_PORT/);
    } finally {
      await other.remove();
    }
  });

  it("a second npm start at the same time: it names the first one, which goes on", async () => {
    const first = sandbox.start("start");
    await waitForLine(first, /- Preview with the policies/);
    const second = await sandbox.run("start");
    assert.equal(second.exitCode, 4);
    assert.match(
      second.stderr,
      new RegExp(`npm start \\(process ${first.child.pid}, [\\s\\S]*SECURED_WEB_HOME`),
    );
    assert.equal((await first.ended).exitCode, 0);
  });

  it("a droplet's name that another one has: the API takes it, as DigitalOcean does, and each keeps its own", async () => {
    const body = { name: "dev-node-1", region: "nyc3", size: "s-1vcpu-1gb", image: "ubuntu-26-04-x64" };
    const { status, body: made } = await request(sandbox.api, "POST", "/v2/droplets", { body });
    assert.equal(status, 202);
    assert.match(await sandbox.must("refresh", "dev", "--preview-only"), /No drift/);
    const { id } = (made as { droplet: { id: number } }).droplet;
    await sandbox.send("DELETE", `/v2/droplets/${id}`);
  });

  describe("a full disk", () => {
    let dir: string;
    let small: Sandbox;
    before(async function () {
      if (process.getuid?.() !== 0 || process.platform !== "linux") {
        console.log("      skipped: a small file system for it can be mounted by root on Linux alone");
        this.skip();
      }
      dir = mkdtempSync(join(tmpdir(), "secured-web-full-"));
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=128m,mode=0700", "tmpfs", dir]);
      small = await Sandbox.make(dir);
      await small.must("preview");
    });
    after(async () => {
      if (dir === undefined) return;
      empty();
      if (existsSync(small.home.dir)) await small.run("stop", ["--force"]);
      execFileSync("umount", ["--lazy", dir]);
      rmSync(dir, { recursive: true, force: true });
    });

    /** Leaves that much room, in MiB. */
    function fill(leaveMib: number): void {
      const { bavail, bsize } = statfsSync(dir);
      writeFileSync(join(dir, "filler"), Buffer.alloc(bavail * bsize - leaveMib * 1024 * 1024));
    }
    const empty = () => rmSync(join(dir, "filler"), { force: true });

    it("before an update: nothing is changed", async () => {
      fill(1);
      const { exitCode, stdout, stderr } = await small.run("up");
      empty();
      assert.equal(exitCode, 1, stdout);
      assert.match(stderr, /The disk is full: .* has \d MiB free, but needs \d+\n.*Free some space/);
      assert.equal((await small.census()).droplets, 0);
    });

    it("in the middle of an update: it stops while its state is whole, and the same command goes on", async () => {
      const running = small.start("up");
      await waitForLine(running, /created Vpc main-vpc/);
      fill(8);
      const { exitCode, stdout, stderr } = await running.ended;
      empty();
      assert.equal(exitCode, 1, stdout);
      assert.match(stderr, /The disk is almost full: .*\n.*run the command again/);
      await small.must("up");
      const census = await small.census();
      assert.equal(census.droplets, 3);
      assert.equal(census.load_balancers, 1);
    });

    it("that left a state cut off: it is named, with the way out, which works", async () => {
      const file = stackFile(small.home, "dev");
      writeFileSync(file, readFileSync(file).subarray(0, 100_000));
      const { exitCode, stderr } = await small.run("up");
      assert.equal(exitCode, 1);
      assert.match(stderr, /Could not read the state of dev: .*damaged.*\n.*npm stop -- --force/);
      await small.must("stop", "--force");
      await small.must("preview");
    });
  });
});
