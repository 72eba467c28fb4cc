import { createHash, randomUUID, timingSafeEqual } from "node:crypto";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Api } from "./api";
import { ApiError, badRequest, errorBody, methodNotAllowed, notFound } from "./errors";
import type { Answer, ApiRequest, Handler, RouteOptions } from "./http";
import { RateWindow } from "./rateWindow";
import { RoutePaths } from "./routePaths";
import type { Store } from "./store";
import { type ParserError, parserRefusal, sendOnSocket, unknownMethod } from "./unreadable";

/**
 * Far above any valid body: a droplet's user data is at most 64 KiB, and a request to create several contains it once.
 */
const MAX_BODY_BYTES = 1024 * 1024;

export interface HttpOptions {
  token: string;
  rateLimit?: number | undefined;
}

/** Serves the registered routes over HTTP, with DigitalOcean's token, rate limit, JSON, errors and headers. */
export function createHttpServer(api: Api, options: HttpOptions) {
  const window = new RateWindow(options.rateLimit);
  const paths = new RoutePaths(api.routes);
  /** The error for a missing route: the path accepts other methods, or does not exist. */
  const noRoute = (address: string): ApiError => {
    const allow = paths.allow(address);
    return allow === undefined ? notFound() : methodNotAllowed(allow);
  };
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    genReqId: () => randomUUID(),
    // python-digitalocean, certbot's plugin and others write `/v2/domains/`, which DigitalOcean accepts.
    routerOptions: { maxParamLength: 1000, ignoreTrailingSlash: true },
    forceCloseConnections: "idle",
    clientErrorHandler: (error: ParserError, socket) => {
      const unknown = unknownMethod(error);
      const refusal = (): ApiError => {
        if (unknown === undefined) return parserRefusal(error);
        return hasToken(unknown.authorization, options.token) ? noRoute(unknown.address) : unauthorized();
      };
      sendOnSocket(socket, refusal(), randomUUID(), window.count());
    },
    // The hooks do not run for an address that cannot be decoded.
    frameworkErrors: (error, request, reply) => {
      reply.header("x-request-id", request.id).headers(window.count());
      sendError(error, request, reply);
    },
  });
  // Debian's Node.js 20.19 accepts QUERY, but does not know its name: fastify would then answer without its hooks.
  app.server.prependListener("request", (request) => {
    request.method ??= "QUERY";
  });
  readJson(app);
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id).headers(window.count());
    if (!hasToken(request.headers.authorization, options.token)) throw unauthorized();
    window.enforce();
    // Before the body is read, because no handler needs it.
    if (request.is404) throw noRoute(request.url);
  });
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply));
  addRoutes(app, api, noRoute);
  return {
    listen: (port: number) => listen(app, port),
    close: () => app.close(),
  };
}

/**
 * Reads a body with the content type of JSON, or without one. An empty body is undefined: godo sends the header without
 * a body.
 */
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

function addRoutes(app: FastifyInstance, api: Api, noRoute: (address: string) => ApiError): void {
  const taken = new Map<string, string[]>();
  for (const { method, path, handler, options } of api.routes) {
    taken.set(path, [...(taken.get(path) ?? (method === "GET" ? ["HEAD"] : [])), method]);
    app.route({
      method,
      url: path,
      handler: (request, reply) => answer(api.store, handler, request, reply),
      errorHandler: (error, request, reply) => sendError(error, request, reply, options),
    });
  }
  // Each path has a route for every method. Otherwise GET /v2/droplets/actions would read a droplet with the id
  // "actions".
  for (const [path, methods] of taken) {
    app.route({
      method: app.supportedMethods.filter((method) => !methods.includes(method)),
      url: path,
      exposeHeadRoute: false,
      onRequest: async (request) => {
        throw noRoute(request.url);
      },
      handler: () => undefined,
    });
  }
}

async function answer(store: Store, handler: Handler, request: FastifyRequest, reply: FastifyReply) {
  const { status, body } = await handle(store, handler, apiRequest(request));
  reply.code(status);
  // Serialized here, because fastify rejects an empty object, and treats a frozen one as an instance of a class.
  if (body === undefined) return reply.send();
  return reply.type("application/json; charset=utf-8").send(JSON.stringify(body));
}

/** Repeats a read that saw a change which was then undone. Refuses a change that was undone. */
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
  return {
    params: request.params as Record<string, string>,
    query: request.query as ApiRequest["query"],
    body: request.body,
    origin: `http://${request.host}`,
    path: (request.url.split("?")[0] ?? request.url).replace(/(.)\/$/, "$1"),
    headers: request.headers,
  };
}

const unauthorized = () => new ApiError(401, "unauthorized", "Unable to authenticate you.");

/** Compares digests, so that the duration reveals nothing about the token. */
function hasToken(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer (.+)$/i.exec(authorization ?? "")?.[1] ?? "";
  const digest = (value: string) => createHash("sha256").update(value).digest();
  return timingSafeEqual(digest(given), digest(token));
}

function sendError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  { badRequestDetails }: RouteOptions = {},
) {
  const refusal = toApiError(error);
  const details = refusal.status === 400 ? badRequestDetails?.(refusal.message) : undefined;
  if (refusal.status === 500) console.error("sandbox: a bug in the sandbox:", error);
  return reply
    .code(refusal.status)
    .headers(refusal.headers)
    .type("application/json; charset=utf-8")
    .send(errorBody(refusal, request.id, details));
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
    // Only the IPv4 loopback address, because the token is the only other protection, and it is on disk.
    await app.listen({ host: "127.0.0.1", port });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") {
      throw new Error(
        `port ${port} on 127.0.0.1 is in use by another program. Stop that program, or choose another port with --port.`,
      );
    }
    throw error;
  }
  const address = app.server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}
