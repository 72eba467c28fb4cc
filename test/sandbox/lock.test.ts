import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { lockOwner, processIdentity, tryLock, waitForLock } from "../../sandbox/lock.mjs";

const MODULE = pathToFileURL(join(__dirname, "../../sandbox/lock.mjs")).href;

/** Runs code in a Node.js process of its own. */
function node(code: string, ...args: string[]) {
  return spawn(process.execPath, ["--input-type=module", "-e", code, "--", ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

describe("sandbox: the lock file", function () {
  this.timeout(60_000);
  let dir: string;
  let lock: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "lock-"));
    lock = join(dir, "command.lock");
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it("names its owner to the second one, and is free again when it is released", () => {
    const first = tryLock(lock, "npm start");
    assert.ok("release" in first);
    const second = tryLock(lock, "npm stop");
    assert.ok("heldBy" in second);
    assert.equal(second.heldBy.pid, process.pid);
    assert.equal(second.heldBy.command, "npm start");
    first.release();
    assert.equal(lockOwner(lock), undefined);
    const third = tryLock(lock, "npm stop");
    assert.ok("release" in third);
    third.release();
    assert.deepEqual(readdirSync(dir), []);
  });

  it("is free when its owner was killed", async () => {
    const owner = node(
      `const { tryLock } = await import(process.argv[1]); tryLock(process.argv[2], "npm start"); console.log("held"); setInterval(() => {}, 1000);`,
      MODULE,
      lock,
    );
    await once(owner.stdout, "data");
    assert.ok("heldBy" in tryLock(lock, "second"));
    owner.kill("SIGKILL");
    await once(owner, "close");
    const taken = tryLock(lock, "second");
    assert.ok("release" in taken);
    taken.release();
  });

  it("is free when its owner's id belongs to another process now", () => {
    writeFileSync(
      lock,
      JSON.stringify({ pid: process.pid, identity: "start:1", command: "npm start", since: "" }),
    );
    const taken = tryLock(lock, "second");
    assert.ok("release" in taken);
    taken.release();
  });

  it("is free when the process that was removing a dead owner's lock was killed too, however often", () => {
    const dead = (pid: number) => JSON.stringify({ pid, identity: "start:1" });
    const claimOf = (path: string, content: string) =>
      `${path}.dead-${createHash("sha256").update(content).digest("hex").slice(0, 16)}`;
    writeFileSync(lock, dead(4194999));
    const claim = claimOf(lock, dead(4194999));
    writeFileSync(claim, dead(4194998));
    writeFileSync(claimOf(claim, dead(4194998)), "");
    const taken = tryLock(lock, "second");
    assert.ok("release" in taken);
    taken.release();
    assert.deepEqual(readdirSync(dir), []);
  });

  it("is not waited for after an interruption", async () => {
    const first = tryLock(lock, "npm start");
    assert.ok("release" in first);
    const interruption = new AbortController();
    const onWait = () => interruption.abort();
    await assert.rejects(waitForLock(lock, "second", { onWait, signal: interruption.signal }), /abort/i);
    first.release();
  });

  it("is held by one at a time, with many who want it and owners who are killed", async () => {
    const counter = join(dir, "counter");
    writeFileSync(counter, "0");
    // Reads, gives others time to do the same, writes: two holders at once would lose a count.
    const code = `
      const { waitForLock } = await import(process.argv[1]);
      const { readFileSync, writeFileSync } = await import("node:fs");
      const [, , lock, counter, die] = process.argv;
      for (let i = 0; i < 5; i++) {
        const held = await waitForLock(lock, "counting", { pollMs: 1 });
        const value = Number(readFileSync(counter, "utf8"));
        await new Promise((resolve) => setTimeout(resolve, 2));
        writeFileSync(counter, String(value + 1));
        if (die === "yes" && i === 4) process.kill(process.pid, "SIGKILL");
        held.release();
      }`;
    const processes = Array.from({ length: 8 }, (_, i) =>
      node(code, MODULE, lock, counter, i % 2 ? "yes" : "no"),
    );
    await Promise.all(processes.map((child) => once(child, "close")));
    assert.equal(readFileSync(counter, "utf8"), "40");
  });

  it("waits, and tells for whom, once", async () => {
    const first = tryLock(lock, "npm start");
    assert.ok("release" in first);
    const told: string[] = [];
    const waiting = waitForLock(lock, "second", {
      pollMs: 5,
      onWait: (owner) => {
        told.push(owner.command);
        setTimeout(() => first.release(), 30);
      },
    });
    const second = await waiting;
    assert.deepEqual(told, ["npm start"]);
    second.release();
  });

  it("tells processes apart by their start", () => {
    assert.match(processIdentity(process.pid) ?? "", /^start:/);
    assert.equal(processIdentity(0), undefined);
    assert.equal(processIdentity(2 ** 30), undefined);
  });
});
