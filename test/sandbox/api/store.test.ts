import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { ApiError } from "../../../sandbox/api/core/errors";
import { lockStateDir } from "../../../sandbox/api/core/lock";
import { Store } from "../../../sandbox/api/core/store";
import { TestApi } from "./testApi";

interface Thing {
  name: string;
}

describe("sandbox api: state on disk", () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "sandbox-store-"));
  });
  const opened: Store[] = [];
  const open = async () => {
    const store = await Store.open(dir);
    opened.push(store);
    return store;
  };
  afterEach(async () => {
    // A change that no test waits for is still being written.
    await Promise.all(opened.splice(0).map((store) => store.close()));
    await rm(dir, { recursive: true, force: true });
  });

  /** Makes every write of the document fail, as a full disk would, until it is taken away again. */
  const blockWrites = () => mkdir(join(dir, "state.json.new"));
  const unblockWrites = () => rm(join(dir, "state.json.new"), { recursive: true });
  const names = (store: Store) =>
    store
      .table<Thing>("things")
      .values()
      .map(({ name }) => name);
  const put = (store: Store, id: string, name = id) =>
    store.transaction(() => store.table<Thing>("things").put(id, { name })).durable;

  it("has in a new process what was acknowledged in the old one, in the same order", async () => {
    const store = await open();
    for (const id of ["b", "a", "10", "9"]) await put(store, id);
    await store.transaction(() => store.table("things").delete("a")).durable;
    await put(store, "b", "changed");
    assert.deepEqual(names(await open()), ["changed", "10", "9"]);
  });

  it("undoes a transaction that throws, all of it", async () => {
    const store = await open();
    await put(store, "a");
    await put(store, "b");
    const things = store.table<Thing>("things");
    let effects = 0;
    assert.throws(() =>
      store.transaction(() => {
        store.afterCommit(() => effects++);
        things.put("a", { name: "changed" });
        things.delete("a");
        things.put("c", { name: "c" });
        store.nextId("thing", 1);
        store.putFile("f", "text");
        throw new Error("no");
      }),
    );
    assert.deepEqual([names(store), store.readFile("f"), effects], [["a", "b"], undefined, 0]);
    assert.equal(store.transaction(() => store.nextId("thing", 1)).result, 1);
  });

  it("refuses a change to a record that is in, and a change outside a transaction", async () => {
    const store = await open();
    const things = store.table<{ name: string; tags: string[] }>("things");
    await store.transaction(() => things.put("a", { name: "a", tags: ["x"] })).durable;
    assert.throws(() => {
      (things.get("a") as { name: string }).name = "b";
    }, TypeError);
    assert.throws(() => things.get("a")?.tags.push("y"), TypeError);
    assert.throws(() => things.put("b", { name: "b", tags: [] }), /inside a transaction/);
  });

  it("undoes and refuses with 503 what cannot be written, and goes on when it can be", async () => {
    const store = await open();
    await put(store, "a");
    await blockWrites();
    let effects = 0;
    const failing = [
      store.transaction(() => {
        store.afterCommit(() => effects++);
        return store.table<Thing>("things").put("b", { name: "b" });
      }).durable,
      put(store, "a", "changed"),
    ];
    store.transaction(() => store.putFile("f", "of a change that fails"));
    assert.deepEqual(names(store), ["changed", "b"]);
    for (const result of await Promise.allSettled(failing)) {
      assert.ok(result.status === "rejected" && result.reason instanceof ApiError);
      assert.equal(result.reason.status, 503);
      assert.match(result.reason.message, new RegExp(`nothing was changed.*${dir}`));
    }
    assert.deepEqual([names(store), effects, store.readFile("f")], [["a"], 0, undefined]);
    assert.deepEqual(await readdir(join(dir, "files")), [], "what was written of it is gone");
    await unblockWrites();
    await put(store, "c");
    assert.deepEqual(names(await open()), ["a", "c"]);
  });

  it("answers 503 over HTTP when the disk is full, and shows nothing that was not saved", async () => {
    const api = await TestApi.start({ stateDir: dir });
    const vpc = { name: "kept", region: "nyc3" };
    await api.expect(201, "POST", "/v2/vpcs", vpc);
    const before = (await api.get("/v2/vpcs")).body.meta.total;
    await blockWrites();
    const replies = await Promise.all([
      api.post("/v2/vpcs", { ...vpc, name: "lost" }),
      api.get("/v2/vpcs"),
      api.get("/v2/vpcs"),
    ]);
    assert.deepEqual(
      replies.map(({ status }) => status),
      [503, 200, 200],
    );
    assert.equal(replies[0].body.id, "service_unavailable");
    for (const { body } of replies.slice(1)) assert.equal(body.meta.total, before);
    await unblockWrites();
    await api.expect(201, "POST", "/v2/vpcs", { ...vpc, name: "lost" });
    await api.restart();
    assert.equal((await api.get("/v2/vpcs")).body.meta.total, before + 1);
    await api.close();
  });

  it("completes an action when there is room again that could not be saved before", async function () {
    this.timeout(10_000);
    const errors: unknown[] = [];
    const { error } = console;
    console.error = (...message: unknown[]) => errors.push(message);
    const api = await TestApi.start({ stateDir: dir, actionDelayMs: 60 });
    try {
      const body = { name: "d", region: "nyc3", size: "s-1vcpu-1gb", image: "debian-13-x64" };
      const { links } = await api.expect(202, "POST", "/v2/droplets", body);
      await blockWrites();
      await api.until(
        "the failed completion is told",
        async () => errors.length,
        (count) => count > 0,
      );
      await unblockWrites();
      assert.equal((await api.ended(links.actions[0])).status, "completed");
    } finally {
      console.error = error;
      await api.close();
    }
  });

  const damages: [why: string, text: string, message: RegExp][] = [
    ["cut short", '{"format": 1, "tables": {', /it is not JSON/],
    ["empty", "", /it is not JSON/],
    ["of another program", '{"version": 3}', /format is undefined, not 1/],
    ["of a later version", '{"format": 2, "tables": {}}', /format is 2, not 1/],
    ["with damaged tables", '{"format": 1, "tables": {"things": {}}}', /tables are damaged/],
    ["with damaged rows", '{"format": 1, "tables": {"things": [["a"]]}}', /tables are damaged/],
    [
      "with a file that is gone",
      '{"format": 1, "tables": {"files": [["f", {"name": "f"}]]}}',
      /files.f, which cannot be read/,
    ],
  ];
  for (const [why, text, message] of damages) {
    it(`names the file and the remedy where the state is ${why}`, async () => {
      const file = join(dir, "state.json");
      await writeFile(file, text);
      await assert.rejects(Store.open(dir), (error: Error) => {
        assert.match(error.message, message);
        assert.ok(error.message.includes(file) && error.message.includes("Restore it from a copy"));
        return true;
      });
      assert.equal(await readFile(file, "utf8"), text, "the damaged file is left for the user to look at");
    });
  }

  it("is not read as JSON by accident: the check fails when it is taken away", async () => {
    // The same file without damage opens: what the table above refuses is the damage.
    await writeFile(join(dir, "state.json"), '{"format": 1, "tables": {"things": [["a", {"name": "a"}]]}}');
    assert.deepEqual(names(await open()), ["a"]);
  });

  it("removes files that no record names, and reads files that are not saved yet", async () => {
    const store = await open();
    const saving = store.transaction(() => store.putFile("f", "text"));
    assert.equal(store.readFile("f"), "text");
    await saving.durable;
    await writeFile(join(dir, "files", "orphan"), "of a killed process");
    const again = await open();
    assert.deepEqual(await readdir(join(dir, "files")), ["f"]);
    assert.equal(again.readFile("f"), "text");
    assert.equal(again.readFile("orphan"), undefined);
  });

  it("keeps everything from other users of the machine", async () => {
    const inner = join(dir, "state");
    const store = await Store.open(inner);
    await store.transaction(() => store.putFile("f", "text")).durable;
    const mode = async (path: string) => (await stat(path)).mode & 0o777;
    assert.deepEqual(
      [
        await mode(inner),
        await mode(join(inner, "files")),
        await mode(join(inner, "state.json")),
        await mode(join(inner, "files/f")),
      ],
      [0o700, 0o700, 0o600, 0o600],
    );
  });

  it("holds after any sequence of changes, failures and restarts what was acknowledged (property)", async function () {
    this.timeout(60_000);
    const step = fc.oneof(
      fc.record({ kind: fc.constant("put" as const), id: fc.constantFrom("a", "b", "c"), name: fc.string() }),
      fc.record({ kind: fc.constant("delete" as const), id: fc.constantFrom("a", "b", "c") }),
      fc.record({ kind: fc.constantFrom("fail" as const, "throw" as const, "restart" as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        await rm(dir, { recursive: true, force: true });
        let store = await open();
        const model = new Map<string, string>();
        for (const one of steps) {
          const things = store.table<Thing>("things");
          if (one.kind === "put") {
            await put(store, one.id, one.name);
            model.set(one.id, one.name);
          } else if (one.kind === "delete") {
            await store.transaction(() => things.delete(one.id)).durable;
            model.delete(one.id);
          } else if (one.kind === "fail") {
            await blockWrites();
            await assert.rejects(put(store, "a", "never"));
            await unblockWrites();
          } else if (one.kind === "throw") {
            assert.throws(() =>
              store.transaction(() => {
                for (const id of ["a", "b", "c"]) things.delete(id);
                throw new Error("no");
              }),
            );
          } else {
            store = await open();
          }
          assert.deepEqual(names(store), [...model.values()]);
        }
        assert.deepEqual(names(await open()), [...model.values()]);
      }),
      { numRuns: 30 },
    );
  });
});

describe("sandbox api: one server to a state directory", () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "sandbox-lock-"));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it("refuses the second, and lets it in when the first has ended", async () => {
    const release = lockStateDir(dir);
    assert.throws(
      () => lockStateDir(dir),
      new RegExp(`in use by another sandbox \\(process ${process.pid}\\).*--state-dir`),
    );
    release();
    lockStateDir(dir)();
    assert.deepEqual(await readdir(dir), []);
  });

  const stale: [why: string, content: string][] = [
    ["of a process that is gone", JSON.stringify({ pid: 4194999, identity: "start:123" })],
    [
      "of a process number that somebody else has now",
      JSON.stringify({ pid: process.ppid, identity: "start:1" }),
    ],
    ["that is empty", ""],
    ["that is nonsense", "hello\n"],
  ];
  for (const [why, content] of stale) {
    it(`takes over a lock ${why}`, async () => {
      await writeFile(join(dir, "lock"), content);
      lockStateDir(dir)();
      assert.deepEqual(await readdir(dir), []);
    });
  }

  it("takes over a lock of a process that was killed and that its parent has not asked for yet", async function () {
    if (process.platform !== "linux") {
      console.log("      skipped: it takes /proc to see such a process");
      this.skip();
    }
    // The shell becomes sleep, which never waits for its child; that ends when it has become so.
    const child = 'until [ "$(cat /proc/$$/comm)" = sleep ]; do sleep 0.05; done';
    const parent = spawn("sh", ["-c", `(${child}) & echo $!; exec sleep 60`], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    try {
      const [line] = (await once(parent.stdout, "data")) as [Buffer];
      const pid = Number(line.toString());
      const fields = async () => {
        const text = await readFile(`/proc/${pid}/stat`, "utf8");
        return text.slice(text.lastIndexOf(")") + 2).split(" ");
      };
      const deadline = Date.now() + 10_000;
      while ((await fields())[0] !== "Z") assert.ok(Date.now() < deadline, "the child has not ended");
      await writeFile(join(dir, "lock"), JSON.stringify({ pid, identity: `start:${(await fields())[19]}` }));
      lockStateDir(dir)();
    } finally {
      parent.kill("SIGKILL");
      await once(parent, "close");
    }
  });

  it("does not release a lock that another has taken meanwhile", async () => {
    const release = lockStateDir(dir);
    await writeFile(join(dir, "lock"), "another\n");
    release();
    assert.equal(await readFile(join(dir, "lock"), "utf8"), "another\n");
  });

  it("is what startApi uses, and a failed start gives the lock up", async () => {
    const api = await TestApi.start({ stateDir: dir });
    await assert.rejects(TestApi.start({ stateDir: dir }), /in use by another sandbox/);
    await api.close();
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, "state.json"), "damaged");
    await assert.rejects(TestApi.start({ stateDir: dir }), /not a readable state/);
    await rm(join(dir, "state.json"));
    await (await TestApi.start({ stateDir: dir })).close();
  });

  it("says that it is a directory that cannot be written", async function () {
    if (process.getuid?.() === 0) {
      console.log("      skipped: root may write everywhere");
      this.skip();
    }
    await chmod(dir, 0o500);
    await assert.rejects(TestApi.start({ stateDir: dir }), /EACCES/);
  });
});
