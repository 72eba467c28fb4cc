import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiProcess } from "./process";

describe("sandbox api: the program", function () {
  this.timeout(30_000);
  let dir: string;
  let running: ApiProcess[];
  const start = (...args: string[]): ApiProcess => {
    const one = ApiProcess.spawn("--state-dir", join(dir, "state"), ...args);
    running.push(one);
    return one;
  };
  beforeEach(async () => {
    running = [];
    dir = await mkdtemp(join(tmpdir(), "sandbox-main-"));
  });
  afterEach(async () => {
    for (const one of running) await one.kill();
    await rm(dir, { recursive: true, force: true });
  });

  it("makes a token that only this user can read, keeps it, and does not print it into a log", async () => {
    const first = start("--port", "0");
    const url = await first.listening();
    const file = join(dir, "state", "token");
    const token = (await readFile(file, "utf8")).trim();
    assert.match(token, /^dop_v1_[0-9a-f]{64}$/);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.ok(first.stdout.includes(file));
    assert.ok(!(first.stdout + first.stderr).includes(token), "stdout is no terminal here");
    const answer = async (bearer: string) =>
      (await fetch(`${url}/v2/account`, { headers: { authorization: `Bearer ${bearer}` } })).status;
    assert.deepEqual([await answer(token), await answer("other")], [200, 401]);
    assert.equal(await first.kill("SIGTERM"), 0);
    const second = start("--port", "0");
    await second.listening();
    assert.equal((await readFile(file, "utf8")).trim(), token);
  });

  it("takes the token of a file, and refuses an empty one", async () => {
    const file = join(dir, "mine");
    await writeFile(file, "my-token\n");
    const url = await start("--port", "0", "--token-file", file).listening();
    const reply = await fetch(`${url}/v2/account`, { headers: { authorization: "Bearer my-token" } });
    assert.equal(reply.status, 200);
    await writeFile(join(dir, "empty"), "\n");
    const refused = start("--port", "0", "--token-file", join(dir, "empty"));
    assert.equal(await refused.ended(), 1);
    assert.match(refused.stderr, /empty is empty\. Delete it/);
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`ends with 0 on ${signal}, and leaves no lock`, async () => {
      const one = start("--port", "0");
      await one.listening();
      assert.equal(await one.kill(signal), 0);
      await assert.rejects(stat(join(dir, "state", "lock")));
    });
  }

  it("prints its help", async () => {
    const one = start("--help");
    assert.equal(await one.ended(), 0);
    for (const option of ["--port", "--state-dir", "--token-file", "--quiet"])
      assert.ok(one.stdout.includes(option));
  });

  it("says that the port is in use, and what to do", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as { port: number };
    const one = start("--port", String(port));
    assert.equal(await one.ended(), 1);
    assert.match(one.stderr, new RegExp(`port ${port} on 127.0.0.1 is in use.*--port`));
    other.close();
    // The failed start gave the state directory back.
    await start("--port", "0").listening();
  });

  it("says that the state directory is in use, by whom, and what to do", async () => {
    const first = start("--port", "0");
    await first.listening();
    const second = start("--port", "0");
    assert.equal(await second.ended(), 1);
    assert.match(
      second.stderr,
      new RegExp(`in use by another sandbox \\(process ${first.child.pid}\\).*--state-dir`),
    );
  });

  it("lets one in of several that find the lock of a killed one at the same time", async () => {
    const killed = start("--port", "0");
    await killed.listening();
    await killed.kill("SIGKILL");
    await stat(join(dir, "state", "lock"));
    const rivals = Array.from({ length: 4 }, () => start("--port", "0"));
    const outcomes = await Promise.all(
      rivals.map((one) =>
        one.listening().then(
          () => "listens",
          () => (/in use by another sandbox/.test(one.stderr) ? "refused" : one.stderr),
        ),
      ),
    );
    assert.deepEqual(outcomes.sort(), ["listens", "refused", "refused", "refused"]);
  });

  it("says that the state is damaged, and where", async () => {
    await mkdir(join(dir, "state"));
    await writeFile(join(dir, "state", "state.json"), "{");
    const one = start("--port", "0");
    assert.equal(await one.ended(), 1);
    assert.match(one.stderr, /state\/state\.json is not a readable state/);
  });

  const wrong: [args: string[], message: RegExp][] = [
    [["--port", "http"], /--port must be a whole number from 0 to 65535, got "http"/],
    [["--port", "65536"], /--port must be a whole number/],
    [["--action-delay", "fast"], /--action-delay must be a whole number/],
    [["--rate-limit", "-1"], /--rate-limit/],
    [["--color"], /Unknown option '--color'/],
    [["start"], /Unexpected argument 'start'/],
  ];
  for (const [args, message] of wrong) {
    it(`refuses ${args.join(" ")}`, async () => {
      const one = start(...args);
      assert.equal(await one.ended(), 1);
      assert.match(one.stderr, message);
    });
  }
});
