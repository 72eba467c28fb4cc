import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { errorFields, type Log } from "./log";
import type { Metrics } from "./metrics";
import { KeyInUse, longestNote, type Note, type NoteStore, type Seen, UnknownOutcome } from "./notes";
import { notesPage, styleSheet } from "./page";
import { seenBy, seenCookie } from "./session";

export interface Site {
  readonly siteName: string;
  readonly hostName: string;
  readonly notes: NoteStore;
  readonly log: Log;
  /** True once the process is stopping: it is alive, but not ready. */
  readonly isStopping: () => boolean;
  readonly metrics?: Metrics;
}

const keyHeader = "Idempotency-Key";
const unknown = `the note may have been stored: repeat the request with the same ${keyHeader}, which stores it at most once`;
const longestBodyBytes = 16 * 1024;
const notesShown = 50;

/** The response to a request that cannot be served. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

type Handler = (site: Site, request: IncomingMessage, response: ServerResponse) => Promise<void>;

const routes: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
  "/": { GET: showPage },
  "/style.css": { GET: async (_site, _request, response) => send(response, 200, "text/css", styleSheet) },
  "/notes": { POST: addFromForm },
  "/api/notes": { GET: listNotes, POST: addFromJson },
  "/healthz": { GET: async (_site, _request, response) => sendJson(response, 200, { status: "alive" }) },
  "/readyz": { GET: showReadiness },
};

/** The application's HTTP server. From a request it only logs the method, the path and nginx's request id. */
export function createSiteServer(site: Site): Server {
  const server = createServer((request, response) => {
    if (site.metrics && !isCheck(request)) count(site.metrics, response);
    answer(site, request, response).catch((error) => fail(site, request, response, error));
  });
  server.requestTimeout = 15_000;
  server.headersTimeout = 10_000;
  // Longer than nginx keeps an idle connection to the application (60 s), so that this side never closes first.
  server.keepAliveTimeout = 75_000;
  return server;
}

/** The load balancer's health checks are not requests of visitors. */
function isCheck(request: IncomingMessage): boolean {
  return ["/healthz", "/readyz"].includes(pathOf(request));
}

function count(metrics: Metrics, response: ServerResponse): void {
  const began = performance.now();
  // "close" is emitted once, even if the client disconnects before the response.
  response.once("close", () => metrics.request(response.statusCode, (performance.now() - began) / 1000));
}

async function answer(site: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const methods = routes[pathOf(request)];
  if (!methods) throw new Refusal(404, "no such page");
  const method = request.method === "HEAD" ? "GET" : (request.method ?? "");
  const handler = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (!handler) {
    response.setHeader("Allow", Object.keys(methods).join(", "));
    throw new Refusal(405, "this page does not take that method");
  }
  await handler(site, request, response);
}

function fail(site: Site, request: IncomingMessage, response: ServerResponse, error: unknown): void {
  const refusal = refusalOf(error);
  if (!refusal || error instanceof UnknownOutcome) {
    site.log("error", "request failed", {
      method: request.method,
      path: pathOf(request),
      requestId: request.headers["x-request-id"],
      ...errorFields(error instanceof UnknownOutcome ? error.last : error),
    });
  }
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (!refusal) response.setHeader("Retry-After", "2");
  sendJson(response, refusal?.status ?? 503, {
    error: refusal?.message ?? "the database does not answer now; nothing was stored",
  });
}

function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (error instanceof UnknownOutcome) return new Refusal(504, unknown);
  if (error instanceof KeyInUse) return new Refusal(422, `${keyHeader} belongs to a note with another text`);
  return undefined;
}

/** The cookie lets the visitor's next request wait for what this one has shown. */
function remembered<T>(response: ServerResponse, { value, seen }: Seen<T>): T {
  response.setHeader("Set-Cookie", seenCookie(seen));
  return value;
}

async function showPage(site: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const notes = remembered(response, await site.notes.list(notesShown, seenBy(request)));
  send(
    response,
    200,
    "text/html; charset=utf-8",
    notesPage(site.siteName, site.hostName, notes, randomUUID()),
  );
}

async function listNotes(site: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const notes = remembered(response, await site.notes.list(notesShown, seenBy(request)));
  sendJson(response, 200, { servedBy: site.hostName, notes });
}

async function addFromForm(site: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  requireOwnPage(site, request);
  requireType(request, "application/x-www-form-urlencoded");
  const fields = new URLSearchParams(await readBody(request));
  await add(site, request, response, fields.get("text"), fields.get("key") ?? undefined);
  response.writeHead(303, { Location: "/" }).end();
}

async function addFromJson(site: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // A page of another site can send a form without a preflight request, but not this content type.
  requireType(request, "application/json");
  const body = parseJson(await readBody(request));
  const text = typeof body === "object" && body !== null && "text" in body ? body.text : undefined;
  const note = await add(site, request, response, text, request.headers["idempotency-key"]);
  sendJson(response, 201, { servedBy: site.hostName, note });
}

/** Every answer names the key, so that a client which sent none can repeat the request, too. */
async function add(
  site: Site,
  request: IncomingMessage,
  response: ServerResponse,
  text: unknown,
  given: unknown,
): Promise<Note> {
  const key = given === undefined ? randomUUID() : keyOf(given);
  response.setHeader(keyHeader, key);
  return remembered(response, await site.notes.add(noteText(text), key, seenBy(request)));
}

/** The header's draft (draft-ietf-httpapi-idempotency-key-header) has the key in quotes; most clients send it bare. */
function keyOf(given: unknown): string {
  const key = /^"?([\w.:~+/=-]{1,64})"?$/.exec(String(given))?.[1];
  if (!key) throw new Refusal(400, `${keyHeader} must have 1 to 64 letters, digits or . : ~ + / = - _`);
  return key;
}

/** Ready: a database host that accepts writes answers through HAProxy. The load balancer's health check uses it. */
async function showReadiness(site: Site, _request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (site.isStopping()) return sendJson(response, 503, { status: "stopping" });
  const isWritable = await site.notes.isWritable().catch((error) => {
    site.log("warn", "not ready", errorFields(error));
    return false;
  });
  sendJson(response, isWritable ? 200 : 503, { status: isWritable ? "ready" : "no writable database host" });
}

function requireOwnPage(site: Site, request: IncomingMessage): void {
  const from = request.headers["sec-fetch-site"];
  const origin = request.headers.origin;
  const isOwn =
    from === undefined
      ? origin === undefined || origin === `https://${site.siteName}`
      : from === "same-origin";
  if (!isOwn) throw new Refusal(403, "this form is for the site's own page");
}

function requireType(request: IncomingMessage, type: string): void {
  const given = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (given !== type) throw new Refusal(415, `the body must be ${type}`);
}

function noteText(value: unknown): string {
  const text = typeof value === "string" ? value.trim() : "";
  if (text === "" || [...text].length > longestNote) {
    throw new Refusal(422, `text must be a string of 1 to ${longestNote} characters`);
  }
  return text;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, "the body is not JSON");
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > longestBodyBytes)
      throw new Refusal(413, `the body must be ${longestBodyBytes} bytes or less`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? "/").split("?")[0] ?? "/";
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  send(response, status, "application/json", `${JSON.stringify(body)}\n`);
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response
    .writeHead(status, {
      "Content-Type": type,
      "Content-Length": Buffer.byteLength(body),
      "Cache-Control": "no-store",
    })
    .end(body);
}
