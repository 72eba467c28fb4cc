/** A request as a resource sees it: authenticated, its body parsed from JSON (undefined if it is empty). */
export interface ApiRequest {
  /** The values of the path's `:names`, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** As written in the address: a repeated name has a list. `parseQuery` (validation.ts) reads it. */
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  readonly body: unknown;
  /** `http://host:port` as the client wrote it, for absolute links. */
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** The answer of a resource, with an optional body. */
export interface Answer {
  readonly status: number;
  readonly body?: object;
}

export const ok = (body: object): Answer => ({ status: 200, body });
export const created = (body: object): Answer => ({ status: 201, body });
export const accepted = (body?: object): Answer => (body ? { status: 202, body } : { status: 202 });
export const noContent = (): Answer => ({ status: 204 });

/**
 * Handles one request inside a transaction of the store, so it must not await anything. If it throws, its changes are
 * undone. An ApiError becomes the answer.
 */
export type Handler = (request: ApiRequest) => Answer;
/** The options of a single route. */
export interface RouteOptions {
  /** The fields of this route's 400 in addition to the usual ones. */
  readonly badRequestDetails?: (message: string) => object;
}
export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** The path parameter with that name. Throws if the route's pattern has none. */
export function param(request: ApiRequest, name: string): string {
  const value = request.params[name];
  if (value === undefined) throw new Error(`the route has no parameter ${name}`);
  return value;
}
