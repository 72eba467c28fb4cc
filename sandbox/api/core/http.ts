/** A request as a resource sees it: authenticated, its body parsed from JSON (undefined where it is empty). */
export interface ApiRequest {
  /** The values of the path's `:names`, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** As it is written: a name that is given twice has a list. `parseQuery` (validation.ts) reads it. */
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  readonly body: unknown;
  /** `http://host:port` as the client wrote it, for absolute links. */
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** What a resource answers; an answer without a body is sent with none. */
export interface Answer {
  readonly status: number;
  readonly body?: object;
}

export const ok = (body: object): Answer => ({ status: 200, body });
export const created = (body: object): Answer => ({ status: 201, body });
export const accepted = (body?: object): Answer => (body ? { status: 202, body } : { status: 202 });
export const noContent = (): Answer => ({ status: 204 });

/**
 * Handles one request inside a transaction of the store: it must not await anything. What it throws undoes what it
 * changed; an ApiError becomes the answer.
 */
export type Handler = (request: ApiRequest) => Answer;
/** What is special to a route. */
export interface RouteOptions {
  /** What a 400 of this route holds beside the error's usual fields. */
  readonly badRequestDetails?: (message: string) => object;
}
export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** The path parameter of that name, as the route's pattern promises it. */
export function param(request: ApiRequest, name: string): string {
  const value = request.params[name];
  if (value === undefined) throw new Error(`the route has no parameter ${name}`);
  return value;
}
