import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CertificateAuthority } from "../../sandbox/api/certificateAuthority";
import type { Append, Operation, Read } from "./history";

const SITE = "www.example.com";

interface Asked {
  readonly method: string;
  readonly key: string | undefined;
  readonly cookie: string | undefined;
}
/** Status, headers and body; undefined closes the connection without an answer. */
type Reply = readonly [number, Record<string, string | string[]>, object] | undefined;

/** Runs one session of the program against a site that gives these answers in turn, and the last one forever. */
async function session(replies: readonly Reply[]): Promise<{ operations: Operation[]; asked: Asked[] }> {
  const dir = mkdtempSync(join(tmpdir(), "chaos-session-"));
  const asked: Asked[] = [];
  const authority = await CertificateAuthority.create();
  const { key, certificate } = await authority.issue([SITE]);
  const rootsFile = join(dir, "roots.pem");
  writeFileSync(rootsFile, authority.certificate);
  let done = () => {};
  const all = new Promise<void>((resolve) => {
    done = resolve;
  });
  const server: Server = createServer({ key, cert: certificate }, (request, response) => {
    const { method = "", headers } = request;
    const reply = replies[Math.min(asked.length, replies.length - 1)];
    asked.push({ method, key: headers["idempotency-key"]?.toString(), cookie: headers.cookie });
    request.resume().on("end", () => {
      if (!reply) response.socket?.destroy();
      else response.writeHead(reply[0], reply[1]).end(JSON.stringify(reply[2]));
      if (asked.length === replies.length) done();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const order = {
    ...{ site: SITE, address: "127.0.0.1", port: (server.address() as AddressInfo).port, rootsFile },
    ...{ name: "t", sessions: 1, pauseMs: 1, limitMs: 5000 },
  };
  const program = join(__dirname, "session.mjs");
  const child = spawn(process.execPath, [program, JSON.stringify(order)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const operations: Operation[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => operations.push(JSON.parse(line)));
  try {
    await all;
    const ended = once(child, "close");
    child.stdin.end();
    await ended;
    return { operations, asked };
  } finally {
    child.kill("SIGKILL");
    server.closeAllConnections();
    server.close();
    rmSync(dir, { recursive: true });
  }
}

const note = { id: 1, createdAt: "2026-01-01T00:00:00.000Z", text: "t-s1-1" };
const created: Reply = [
  201,
  { "set-cookie": ["seen=a:1-5; Path=/; Max-Age=600; Secure", "gone=x; Max-Age=0"] },
  { note },
];
const list: Reply = [200, { "set-cookie": "seen=a:1-6; Path=/; Max-Age=600" }, { notes: [note] }];

describe("chaos: a session", () => {
  it("writes, reads at once and again, and sends back the cookies that it got", async () => {
    const { operations, asked } = await session([created, list, list]);
    assert.deepEqual(
      asked.slice(0, 3).map(({ method, cookie }) => [method, cookie]),
      [
        ["POST", undefined],
        ["GET", "seen=a:1-5"],
        ["GET", "seen=a:1-6"],
      ],
    );
    const [invoked, appended, read] = operations as [Operation, Append, Read];
    assert.deepEqual(invoked, { kind: "invoke", session: "s1", text: "t-s1-1" });
    assert.deepEqual([appended.kind, appended.text, appended.note], ["append", "t-s1-1", note]);
    assert.deepEqual([read.kind, read.notes], ["read", [note]]);
    assert.deepEqual(
      [...appended.attempts, ...read.attempts].map(({ status }) => status),
      [201, 200],
    );
  });

  it("repeats a refused and an unanswered write once, with the same key", async () => {
    for (const first of [[503, { "retry-after": "0" }, {}] as Reply, undefined]) {
      const { operations, asked } = await session([first, created, list, list]);
      assert.deepEqual(
        asked.slice(0, 2).map(({ method, key }) => [method, key]),
        [
          ["POST", "t-s1-1"],
          ["POST", "t-s1-1"],
        ],
      );
      const { attempts, note: stored } = operations[1] as Append;
      assert.deepEqual(
        attempts.map(({ status, retryAfter }) => [status, retryAfter ?? false]),
        [
          [first ? 503 : 0, first !== undefined],
          [201, false],
        ],
      );
      assert.deepEqual(stored, note);
    }
  });

  it("gives up after one repetition, and does not repeat what was refused for good", async () => {
    const gone: Reply = [503, {}, {}];
    const twice = (await session([gone, gone, list, list])).operations[1] as Append;
    assert.deepEqual(
      twice.attempts.map(({ status }) => status),
      [503, 503],
    );
    assert.equal(twice.note, undefined);
    const once = (await session([[422, {}, {}], list, list])).operations[1] as Append;
    assert.deepEqual(
      once.attempts.map(({ status }) => status),
      [422],
    );
  });

  it("says of a list that it cannot read only that it was answered", async () => {
    const { operations } = await session([created, [200, {}, { notes: "none" }], list]);
    const { attempts, notes } = operations[2] as Read;
    assert.deepEqual([attempts[0]?.status, notes], [200, undefined]);
  });
});
