import { createHash, randomUUID, timingSafeEqual } from "node:crypto";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Api } from "./api";
import { ApiError, badRequest, notFound } from "./errors";
import type { Answer, ApiRequest, Handler, Method } from "./http";
import { RateWindow } from "./rateWindow";
import type { Store } from "./store";

/** A droplet's user data is at most 64 KiB, and a multi-create holds one; nothing in the API comes near this. */
const MAX_BODY_BYTES = 1024 * 1024;
const METHODS: readonly Method[] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

export interface HttpOptions {
  token: string;
  rateLimit?: number | undefined;
}

/** Puts the registered routes behind HTTP: token, rate limit, JSON, errors and headers as DigitalOcean has them. */
export function createHttpServer(api: Api, options: HttpOptions) {
  const window = new RateWindow(options.rateLimit);
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    genReqId: () => randomUUID(),
    routerOptions: { maxParamLength: 1000 },
    forceCloseConnections: "idle",
    // An address that cannot be decoded never gets as far as the hooks.
    frameworkErrors: (error, request, reply) => {
      reply.header("x-request-id", request.id).headers(window.count());
      sendError(error, request, reply);
    },
  });
  readJson(app);
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id).headers(window.count());
    if (!hasToken(request, options.token))
      throw new ApiError(401, "unauthorized", "Unable to authenticate you.");
    window.enforce();
  });
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply));
  app.setNotFoundHandler((request, reply) => sendError(notFound(), request, reply));
  addRoutes(app, api);
  return {
    listen: (port: number) => listen(app, port),
    close: () => app.close(),
  };
}

/** Any JSON that says it is JSON, or says nothing; an empty body is none (godo sends the header without a body). */
function readJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const parse = (
    _request: FastifyRequest,
    body: string,
    done: (error: Error | null, body?: unknown) => void,
  ) => {
    if (body.trim() === "") return done(null, undefined);
    try {
      done(null, JSON.parse(body));
    } catch (error) {
      done(
        badRequest(`error parsing request body: ${error instanceof Error ? error.message : String(error)}`),
      );
    }
  };
  app.addContentTypeParser(/^application\/(json|merge-patch\+json)/, { parseAs: "string" }, parse);
  app.addContentTypeParser("*", { parseAs: "string" }, (request, body: string, done) => {
    if (body.trim() === "") return done(null, undefined);
    if (request.headers["content-type"] === undefined) return parse(request, body, done);
    done(
      new ApiError(
        415,
        "unsupported_media_type",
        "The body must be JSON: send it with the header Content-Type: application/json.",
      ),
    );
  });
}

function addRoutes(app: FastifyInstance, api: Api): void {
  const allowed = new Map<string, Method[]>();
  for (const { method, path, handler } of api.routes) {
    allowed.set(path, [...(allowed.get(path) ?? []), method]);
    app.route({ method, url: path, handler: (request, reply) => answer(api.store, handler, request, reply) });
  }
  for (const [path, methods] of allowed) {
    const Allow = (methods.includes("GET") ? ["HEAD", ...methods] : methods).join(", ");
    const refused: string[] = METHODS.filter((method) => !methods.includes(method));
    app.route({
      method: methods.includes("GET") ? refused : ["HEAD", ...refused],
      url: path,
      exposeHeadRoute: false,
      handler: () => {
        throw new ApiError(405, "method_not_allowed", "The method is not allowed for the requested URL.", {
          Allow,
        });
      },
    });
  }
}

async function answer(store: Store, handler: Handler, request: FastifyRequest, reply: FastifyReply) {
  const { status, body } = await handle(store, handler, apiRequest(request));
  reply.code(status);
  // Serialized here: fastify would take an empty object for a mistake of ours and a frozen one for a class.
  if (body === undefined) return reply.send();
  return reply.type("application/json; charset=utf-8").send(JSON.stringify(body));
}

/** A read that saw a change which was then undone is done again; a change that was undone is refused. */
async function handle(store: Store, handler: Handler, request: ApiRequest): Promise<Answer> {
  for (;;) {
    const { result, changed, durable } = store.transaction(() => handler(request));
    try {
      await durable;
      return result;
    } catch (error) {
      if (changed) throw error;
    }
  }
}

function apiRequest(request: FastifyRequest): ApiRequest {
  const query: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.query as Record<string, string | string[]>)) {
    query[name] = Array.isArray(value) ? value[0] : value;
  }
  return {
    params: request.params as Record<string, string>,
    query,
    body: request.body,
    origin: `http://${request.host}`,
    path: request.url.split("?")[0] ?? request.url,
    headers: request.headers,
  };
}

/** Compares digests, so that the time taken says nothing of the token. */
function hasToken(request: FastifyRequest, token: string): boolean {
  const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
  const digest = (value: string) => createHash("sha256").update(value).digest();
  return timingSafeEqual(digest(given), digest(token));
}

function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply) {
  const refusal = toApiError(error);
  if (refusal.status === 500) console.error("sandbox: a fault of the sandbox itself:", error);
  return reply
    .code(refusal.status)
    .headers(refusal.headers)
    .type("application/json; charset=utf-8")
    .send(
      JSON.stringify({
        id: refusal.id,
        message: refusal.message,
        request_id: request.id,
        ...refusal.details,
      }),
    );
}

function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE") {
    return new ApiError(413, "request_entity_too_large", `The body is larger than ${MAX_BODY_BYTES} bytes.`);
  }
  const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
  if (status >= 400 && status < 500) return new ApiError(status, "bad_request", (error as Error).message);
  return new ApiError(500, "server_error", "Unexpected server-side error");
}

async function listen(app: FastifyInstance, port: number): Promise<number> {
  try {
    // IPv4 loopback alone: the token is the only other protection, and it is on disk.
    await app.listen({ host: "127.0.0.1", port });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") {
      throw new Error(
        `port ${port} on 127.0.0.1 is in use by another program. Stop that program, or choose another with --port.`,
      );
    }
    throw error;
  }
  const address = app.server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}
