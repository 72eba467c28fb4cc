// A visitor of the site as a process of its own, in the client's network namespace: writes notes and reads the list
// through the load balancer until its standard input ends, and tells each request as one line of JSON. Each writer and
// reader is a session: it keeps the site's cookies. With `readsOwn`, a writer reads the list after each note.
//
// A server may close an idle connection at the moment at which a client sends the next request over it. Such a request
// is sent once more, as HTTP clients do with idempotent requests (RFC 9110, section 9.2.2); each write has its key.
//
//   node visitor.mjs '{"site", "address", "port", "rootsFile", "name", "writers", "readers", "pauseMs", "limitMs",
//     "readsOwn", "keepsCookies"}'
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";

const order = JSON.parse(process.argv[2]);
const { site, address, port, rootsFile, name, writers, readers, pauseMs, limitMs, readsOwn, keepsCookies } =
  order;
const agent = new Agent({ keepAlive: true, ca: readFileSync(rootsFile), servername: site });
let stopping = false;
process.stdin.resume().on("end", () => {
  stopping = true;
});

/** Gives the status, 0 where there was no answer in time, and the answer's text. `session`: its cookie. */
async function ask(session, method, path, body) {
  const key = randomUUID();
  const first = await attempt(session, key, method, path, body);
  return first.wasClosed ? attempt(session, key, method, path, body) : first;
}

function attempt(session, key, method, path, body) {
  return new Promise((resolve) => {
    const headers = {
      Host: site,
      ...(session.cookie ? { Cookie: session.cookie } : {}),
      ...(body ? { "Content-Type": "application/json", "Idempotency-Key": key } : {}),
    };
    const none = (error) =>
      resolve({
        status: 0,
        text: "",
        wasClosed: sent.reusedSocket && error?.code === "ECONNRESET" && !limited,
      });
    let limited = false;
    const sent = request({ host: address, port, path, method, agent, headers }, (response) => {
      const chunks = [];
      response
        .on("data", (chunk) => chunks.push(chunk))
        .on("end", () => {
          const [cookie] = response.headers["set-cookie"] ?? [];
          if (cookie && keepsCookies) session.cookie = cookie.split(";")[0];
          resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString() });
        })
        .on("error", none);
    });
    // The whole request, not only the silence between two packets.
    const limit = setTimeout(() => {
      limited = true;
      sent.destroy();
    }, limitMs);
    sent.on("error", none).on("close", () => clearTimeout(limit));
    sent.end(body);
  });
}

async function work(kind, worker) {
  const session = {};
  const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
  const read = async (own) => {
    const start = Date.now();
    const { status, text } = await ask(session, "GET", "/api/notes");
    const missed = own !== undefined && status === 200 && !text.includes(JSON.stringify(own));
    tell({ kind: "read", start, end: Date.now(), status, ...(missed ? { missed: own } : {}) });
  };
  for (let count = 1; !stopping; count++) {
    const text = `${name}-${worker}-${count}`;
    if (kind === "write") {
      const start = Date.now();
      const { status } = await ask(session, "POST", "/api/notes", JSON.stringify({ text }));
      tell({ kind, start, end: Date.now(), status, text });
      if (readsOwn && status === 201) await read(text);
    } else await read();
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

const numbers = (count) => Array.from({ length: count }, (_, index) => index + 1);
await Promise.all([
  ...numbers(writers).map((n) => work("write", `w${n}`)),
  ...numbers(readers).map((n) => work("read", `r${n}`)),
]);
agent.destroy();
