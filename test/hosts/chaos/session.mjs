// Sessions of visitors as a process of its own, in the client's network namespace: each writes a note, reads the list
// at once and again after a while, keeps cookies like a browser, and repeats a failed request once. Ends with its
// standard input. Each line that it prints is an operation of history.ts.
//
//   node session.mjs '{"site", "address", "port", "rootsFile", "name", "sessions", "pauseMs", "limitMs"}'
import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { setTimeout as delay } from "node:timers/promises";

const { site, address, port, rootsFile, name, sessions, pauseMs, limitMs } = JSON.parse(process.argv[2]);
const ca = readFileSync(rootsFile);
/** A client repeats after this time if the answer names none. */
const REPEAT_AFTER_MS = 250;
let stopping = false;
process.stdin.resume().on("end", () => {
  stopping = true;
});

/** The cookies of one session, by name. The site has one path and one host. */
class Cookies {
  #values = new Map();

  keep(lines = []) {
    for (const line of lines) {
      const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
      const equals = pair.indexOf("=");
      if (equals < 1) continue;
      const of = (wanted) =>
        attributes.find((one) => one.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1);
      const maxAge = of("max-age");
      const expires = of("expires");
      const end =
        maxAge !== undefined ? Date.now() + Number(maxAge) * 1000 : expires ? Date.parse(expires) : Infinity;
      this.#values.set(pair.slice(0, equals), { value: pair.slice(equals + 1), end });
    }
  }

  get header() {
    const now = Date.now();
    const kept = [...this.#values].filter(([, { end }]) => end > now);
    return kept.length > 0 ? { Cookie: kept.map(([key, { value }]) => `${key}=${value}`).join("; ") } : {};
  }
}

/** One attempt: times, status (0: no answer), and the body. */
function ask({ agent, cookies }, method, headers, body) {
  const start = Date.now();
  return new Promise((resolve) => {
    const end = (status, response, text = "") =>
      resolve({ start, end: Date.now(), status, retryAfter: response?.headers["retry-after"], text });
    const options = { host: address, port, path: "/api/notes", method, agent };
    const sent = request(
      { ...options, headers: { Host: site, ...cookies.header, ...headers } },
      (response) => {
        let text = "";
        response
          .setEncoding("utf8")
          .on("data", (chunk) => {
            text += chunk;
          })
          .on("end", () => {
            if (!response.complete) return end(0);
            cookies.keep(response.headers["set-cookie"]);
            end(response.statusCode, response, text);
          })
          .on("error", () => end(0));
      },
    );
    const limit = setTimeout(() => sent.destroy(), limitMs);
    sent.on("error", () => end(0)).on("close", () => clearTimeout(limit));
    sent.end(body);
  });
}

/** A refusal of the request itself is not repeated. */
function isWorthRepeating(status) {
  return status !== 200 && status !== 201 && (status < 400 || status >= 500 || [408, 429].includes(status));
}

/** The attempts of an operation, and the body of the last. */
async function operation(session, method, headers = {}, body = undefined) {
  const first = await ask(session, method, headers, body);
  if (!isWorthRepeating(first.status)) return [first];
  await delay(first.retryAfter ? Number(first.retryAfter) * 1000 : REPEAT_AFTER_MS);
  return [first, await ask(session, method, headers, body)];
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function tell(session, line, answers) {
  const attempts = answers?.map(({ start, end, status, retryAfter }) => ({
    ...{ start, end, status },
    ...(retryAfter === undefined ? {} : { retryAfter: true }),
  }));
  process.stdout.write(
    `${JSON.stringify({ ...line, session: session.name, ...(attempts ? { attempts } : {}) })}\n`,
  );
}

const noteOf = (note) =>
  typeof note?.id === "number" && typeof note.createdAt === "string" && typeof note.text === "string"
    ? { id: note.id, createdAt: note.createdAt, text: note.text }
    : undefined;

async function write(session, text) {
  tell(session, { kind: "invoke", text });
  const headers = { "Content-Type": "application/json", "Idempotency-Key": text };
  const answers = await operation(session, "POST", headers, JSON.stringify({ text }));
  const good = answers.find(({ status }) => status === 201);
  const note = good && noteOf(parsed(good.text)?.note);
  tell(session, { kind: "append", text, ...(note ? { note } : {}) }, answers);
}

async function read(session) {
  const answers = await operation(session, "GET");
  const list = answers.at(-1).status === 200 ? parsed(answers.at(-1).text)?.notes : undefined;
  const notes = Array.isArray(list) ? list.map(noteOf) : undefined;
  tell(session, { kind: "read", ...(notes?.every(Boolean) ? { notes } : {}) }, answers);
}

async function visit(number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca, servername: site });
  const session = { name: `s${number}`, agent, cookies: new Cookies() };
  for (let count = 1; !stopping; count++) {
    await write(session, `${name}-${session.name}-${count}`);
    await read(session);
    await delay(pauseMs);
    if (stopping) break;
    await read(session);
    await delay(pauseMs);
  }
  agent.destroy();
}

await Promise.all(Array.from({ length: sessions }, (_, index) => visit(index + 1)));
