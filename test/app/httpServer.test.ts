import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type IncomingHttpHeaders, request, type Server } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { createSiteServer } from "../../app/httpServer";
import { KeyInUse, type Note, type NoteStore, UnknownOutcome } from "../../app/notes";
import { stopServer } from "../../app/serve";

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const GROUP = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const OTHER = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

describe("app: HTTP", () => {
  const folder = mkdtempSync(join(tmpdir(), "secured-web-app-"));
  const socketPath = join(folder, "app.sock");
  let server: Server;
  let notes: Note[];
  let failure: Error | undefined;
  let isWritable: boolean;
  let stopping: boolean;
  let logged: string[];
  let gate: Promise<void>;
  let keys: string[];
  let waitedFor: (string | undefined)[];

  const store: NoteStore = {
    async list(_limit, seen) {
      waitedFor.push(seen);
      if (failure) throw failure;
      return { value: [...notes].reverse(), seen: `${GROUP}:1-${notes.length},\n${OTHER}:1` };
    },
    async add(text, key, seen) {
      await gate;
      keys.push(key);
      waitedFor.push(seen);
      if (failure) throw failure;
      const id = notes.length + 1;
      const note = {
        id,
        text,
        webHost: "web-1",
        databaseHost: "db-2",
        createdAt: "2026-01-01T00:00:00.000Z",
      };
      notes.push(note);
      return { value: note, seen: `${GROUP}:1-${id}` };
    },
    async isWritable() {
      if (failure) throw failure;
      return isWritable;
    },
  };

  beforeEach((done) => {
    [notes, failure, isWritable, stopping, logged, keys, waitedFor] = [
      [],
      undefined,
      true,
      false,
      [],
      [],
      [],
    ];
    gate = Promise.resolve();
    server = createSiteServer({
      siteName: "www.foobar.test",
      hostName: "web-1",
      notes: store,
      log: (level, event, fields) => logged.push(JSON.stringify({ level, event, ...fields })),
      isStopping: () => stopping,
    });
    server.listen(socketPath, done);
  });
  afterEach((done) => {
    server.closeAllConnections();
    server.close(() => done());
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function ask(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: string,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const sent = request({ socketPath, method, path, headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }
  const json = { "content-type": "application/json" };
  const form = { "content-type": "application/x-www-form-urlencoded" };

  it("adds a note by JSON, and lists it with the hosts that took and wrote it", async () => {
    const added = await ask("POST", "/api/notes", json, '{"text":" hello "}');
    assert.equal(added.status, 201);
    assert.deepEqual(JSON.parse(added.body).note, {
      id: 1,
      text: "hello",
      webHost: "web-1",
      databaseHost: "db-2",
      createdAt: "2026-01-01T00:00:00.000Z",
    });
    const listed = JSON.parse((await ask("GET", "/api/notes?x=1")).body);
    assert.equal(listed.servedBy, "web-1");
    assert.equal(listed.notes.length, 1);
  });

  it("adds a note by the page's form, and shows it as text", async () => {
    const added = await ask(
      "POST",
      "/notes",
      { ...form, origin: "https://www.foobar.test" },
      "text=%3Cscript%3Ex",
    );
    assert.deepEqual([added.status, added.headers.location], [303, "/"]);
    const page = await ask("GET", "/");
    assert.equal(page.headers["content-type"], "text/html; charset=utf-8");
    assert.ok(page.body.includes("&#60;script&#62;x") && !page.body.includes("<script"));
    assert.equal((await ask("GET", "/style.css")).headers["content-type"], "text/css");
  });

  for (const [what, headers] of [
    ["another site's origin", { origin: "https://evil.test" }],
    ["an origin that is hidden", { origin: "null" }],
    ["a browser that says cross-site", { origin: "https://www.foobar.test", "sec-fetch-site": "cross-site" }],
  ] as const) {
    it(`refuses a form from ${what}`, async () => {
      assert.equal((await ask("POST", "/notes", { ...form, ...headers }, "text=x")).status, 403);
      assert.equal(notes.length, 0);
    });
  }

  for (const [what, method, path, headers, body, status] of [
    ["an unknown path", "GET", "/etc/passwd", {}, undefined, 404],
    ["a path of the object's own", "GET", "/__proto__", {}, undefined, 404],
    ["a method that the page does not take", "DELETE", "/api/notes", {}, undefined, 405],
    ["a body that is not JSON", "POST", "/api/notes", json, "{", 400],
    ["another content type", "POST", "/api/notes", { "content-type": "text/plain" }, '{"text":"x"}', 415],
    ["no text", "POST", "/api/notes", json, "{}", 422],
    ["blank text", "POST", "/api/notes", json, '{"text":"  "}', 422],
    ["a text that is no string", "POST", "/api/notes", json, '{"text":{"a":1}}', 422],
    ["a text that is too long", "POST", "/api/notes", json, JSON.stringify({ text: "x".repeat(501) }), 422],
    ["null", "POST", "/api/notes", json, "null", 422],
    ["a body that is too long", "POST", "/api/notes", json, `"${"x".repeat(17_000)}"`, 413],
  ] as const) {
    it(`refuses ${what} with ${status}`, async () => {
      const answer = await ask(method, path, headers, body);
      assert.equal(answer.status, status);
      assert.ok(JSON.parse(answer.body).error.length > 5);
      assert.equal(notes.length, 0);
      assert.deepEqual(logged, []);
    });
  }

  it("tells alive from ready", async () => {
    isWritable = false;
    assert.equal((await ask("GET", "/healthz")).status, 200);
    assert.equal((await ask("GET", "/readyz")).status, 503);
    failure = new Error("down");
    assert.equal((await ask("GET", "/readyz")).status, 503);
    [failure, isWritable] = [undefined, true];
    assert.equal((await ask("GET", "/readyz")).status, 200);
    stopping = true;
    assert.equal((await ask("GET", "/readyz")).status, 503);
    assert.equal((await ask("GET", "/healthz")).status, 200);
  });

  it("answers 503 where the database fails, and logs neither what was sent nor what the server said", async () => {
    failure = Object.assign(new Error("Duplicate entry 'my secret'"), { code: "ER_DUP_ENTRY", errno: 1062 });
    const answer = await ask(
      "POST",
      "/api/notes",
      { ...json, "x-request-id": "abc" },
      '{"text":"my secret"}',
    );
    assert.deepEqual([answer.status, answer.headers["retry-after"]], [503, "2"]);
    assert.equal(logged.length, 1);
    assert.match(logged[0]!, /"requestId":"abc".*"errno":1062/);
    assert.ok(!`${answer.body}${logged}`.includes("secret"));
  });

  for (const given of ["a8f1-x", '"a8f1-x"']) {
    it(`takes the client's Idempotency-Key ${given}, and names it in the answer`, async () => {
      const answer = await ask("POST", "/api/notes", { ...json, "idempotency-key": given }, '{"text":"x"}');
      assert.deepEqual([answer.status, answer.headers["idempotency-key"]], [201, "a8f1-x"]);
      assert.deepEqual(keys, ["a8f1-x"]);
    });
  }

  it("makes a key where the client sends none, another one each time", async () => {
    const answers = [await ask("POST", "/api/notes", json, '{"text":"x"}')];
    answers.push(await ask("POST", "/api/notes", json, '{"text":"x"}'));
    assert.deepEqual(
      answers.map(({ headers }) => headers["idempotency-key"]),
      keys,
    );
    assert.equal(new Set(keys).size, 2);
  });

  for (const [what, key] of [
    ["an empty key", ""],
    ["a key that is too long", "x".repeat(65)],
    ["a key with other characters", "a b"],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const answer = await ask("POST", "/api/notes", { ...json, "idempotency-key": key }, '{"text":"x"}');
      assert.equal(answer.status, 400);
      assert.match(answer.body, /Idempotency-Key must have 1 to 64/);
      assert.deepEqual(keys, []);
    });
  }

  it("gives each page a key of its own, which its form sends", async () => {
    const pages = [await ask("GET", "/"), await ask("GET", "/")];
    const shown = pages.map(({ body }) => /name="key" value="([^"]+)"/.exec(body)?.[1] ?? "");
    assert.equal(new Set(shown).size, 2);
    await ask("POST", "/notes", form, `text=x&key=${shown[0]}`);
    assert.deepEqual(keys, [shown[0]]);
  });

  describe("a visitor's cookie", () => {
    const cookieOf = (answer: Answer) => answer.headers["set-cookie"]?.[0] ?? "";

    it("says what the visitor has seen, and the next request waits for it", async () => {
      const added = await ask("POST", "/api/notes", json, '{"text":"x"}');
      assert.equal(
        cookieOf(added),
        `__Host-seen=${GROUP}:1-1; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax`,
      );
      const listed = await ask("GET", "/api/notes", { cookie: cookieOf(added).split(";")[0] ?? "" });
      const shown = await ask("GET", "/", { cookie: `a=b; ${cookieOf(listed).split(";")[0]}` });
      assert.equal(shown.status, 200);
      await ask("POST", "/notes", { ...form, cookie: cookieOf(shown).split(";")[0] ?? "" }, "text=y");
      const both = `${GROUP}:1-1,${OTHER}:1`;
      assert.deepEqual(waitedFor, [undefined, `${GROUP}:1-1`, both, both]);
    });

    for (const [what, value] of [
      ["no GTID set", "x'; DROP TABLE notes"],
      ["a set without intervals", GROUP],
      ["more than fits into a cookie", `${GROUP}${":1-9".repeat(1000)}`],
      ["nothing", ""],
    ] as const) {
      it(`counts for nothing where it is ${what}`, async () => {
        assert.equal((await ask("GET", "/api/notes", { cookie: `__Host-seen=${value}` })).status, 200);
        assert.deepEqual(waitedFor, [undefined]);
      });
    }

    it("may have several intervals", async () => {
      const set = `${GROUP}:1-100:1000001-1000007/${OTHER}:5`;
      await ask("GET", "/api/notes", { cookie: `__Host-seen=${set}` });
      assert.deepEqual(waitedFor, [set.replace("/", ",")]);
    });
  });

  it("answers 504 without Retry-After where the outcome is unknown, and says what tells", async () => {
    failure = new UnknownOutcome(Object.assign(new Error("lost"), { code: "PROTOCOL_CONNECTION_LOST" }));
    const answer = await ask("POST", "/api/notes", { ...json, "idempotency-key": "k" }, '{"text":"x"}');
    assert.deepEqual(
      [answer.status, answer.headers["retry-after"], answer.headers["idempotency-key"]],
      [504, undefined, "k"],
    );
    assert.match(answer.body, /may have been stored.*same Idempotency-Key/);
    assert.match(logged[0] ?? "", /PROTOCOL_CONNECTION_LOST/);
  });

  it("answers 422 where the key belongs to another note", async () => {
    failure = new KeyInUse("x");
    const answer = await ask("POST", "/api/notes", { ...json, "idempotency-key": "k" }, '{"text":"x"}');
    assert.equal(answer.status, 422);
    assert.match(answer.body, /belongs to a note with another text/);
    assert.deepEqual(logged, []);
  });

  it("lets a request under way end before it stops", async () => {
    let open = () => {};
    gate = new Promise((resolve) => {
      open = resolve;
    });
    const arrived = new Promise<void>((resolve) => server.once("request", () => resolve()));
    const answer = ask("POST", "/api/notes", json, '{"text":"x"}');
    await arrived;
    const stopped = stopServer(server, 5000, () => {});
    open();
    assert.equal((await answer).status, 201);
    await stopped;
    await assert.rejects(ask("GET", "/healthz"), /ENOENT|ECONNREFUSED/);
  });

  it("serves a connection whose request arrives after the stop has begun", async () => {
    const arrived = once(server, "connection");
    const connection = connect(socketPath);
    await arrived;
    const stopped = stopServer(server, 5000, () => {});
    connection.write("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert.match(await text(connection), /^HTTP\/1.1 200 /);
    await stopped;
  });

  it("cuts what does not end within the limit", async () => {
    gate = new Promise(() => {});
    const arrived = new Promise<void>((resolve) => server.once("request", () => resolve()));
    const answer = ask("POST", "/api/notes", json, '{"text":"x"}');
    const cut = assert.rejects(answer, /socket hang up|ECONNRESET/);
    await arrived;
    await stopServer(server, 50, () => {});
    await cut;
  });
});
