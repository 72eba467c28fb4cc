/**
 * A client of DigitalOcean's API v2 that behaves as the official provider's client does: bearer token, JSON, and retries
 * after transient errors (429, 5xx except 501, no answer). Its errors name the remedy.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { SpacesClient } from "./spacesClient";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface ClientOptions {
  /** Such as `http://127.0.0.1:4780`, without a path. */
  readonly endpoint: string;
  readonly token: string;
  readonly version: string;
  /** Retries after the first attempt. */
  readonly retries: number;
  readonly retryWaitMinMs: number;
  readonly retryWaitMaxMs: number;
  /** When aborted, ends the waits between retries. */
  readonly signal: AbortSignal;
}

/** An answer of the API with an error status. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly apiMessage: string,
    message: string,
  ) {
    super(message);
  }
}

const requestTimeoutMs = 60_000;
const pageSize = 200;
const longestMessage = 600;

export class Client {
  constructor(
    private readonly options: ClientOptions,
    readonly spaces: SpacesClient,
  ) {}

  get<T>(path: string): Promise<T> {
    return this.request<T>("GET", path);
  }

  post<T>(path: string, body: object): Promise<T> {
    return this.request<T>("POST", path, body);
  }

  put<T>(path: string, body: object): Promise<T> {
    return this.request<T>("PUT", path, body);
  }

  delete(path: string, body?: object): Promise<void> {
    return this.request<void>("DELETE", path, body);
  }

  /** A GET that returns `undefined` on 404. */
  async find<T>(path: string): Promise<T | undefined> {
    try {
      return await this.get<T>(path);
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  /** A DELETE that also succeeds on 404. */
  async remove(path: string): Promise<void> {
    try {
      await this.delete(path);
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
    }
  }

  /** Reads all pages of a list; `key` is the list's name in the answer. */
  async all<T>(path: string, key: string): Promise<T[]> {
    const found: T[] = [];
    for (let page = 1; ; page++) {
      const joint = path.includes("?") ? "&" : "?";
      const answer = await this.get<Page>(`${path}${joint}page=${page}&per_page=${pageSize}`);
      found.push(...((answer[key] as T[] | null) ?? []));
      if (answer.links?.pages?.next === undefined) return found;
    }
  }

  private async request<T>(method: Method, path: string, body?: object): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      const { response, cause } = await this.attempt(method, path, body);
      const retry = response ? isTransient(response.status) : isSafeToRepeat(method, cause);
      if (retry && attempt < this.options.retries && !this.options.signal.aborted) {
        await response?.body?.cancel();
        if (await this.pause(attempt, response?.headers.get("retry-after"))) continue;
      }
      if (response === undefined) throw this.unreachable(method, path, cause);
      if (!response.ok) throw await this.refused(method, path, response);
      return await readBody<T>(response);
    }
  }

  private async attempt(
    method: Method,
    path: string,
    body?: object,
  ): Promise<{ response?: Response; cause?: unknown }> {
    try {
      const response = await fetch(`${this.options.endpoint}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${this.options.token}`,
          accept: "application/json",
          "user-agent": `digitalocean-sandbox-plugin/${this.options.version}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(requestTimeoutMs),
      });
      return { response };
    } catch (cause) {
      return { cause };
    }
  }

  /** Waits before the next attempt. False if the engine cancels meanwhile. */
  private async pause(attempt: number, retryAfter: string | null | undefined): Promise<boolean> {
    const { retryWaitMinMs, retryWaitMaxMs, signal } = this.options;
    const askedMs = retryAfter && /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : undefined;
    const waitMs = Math.min(askedMs ?? retryWaitMinMs * 2 ** attempt, retryWaitMaxMs);
    return delay(waitMs, true, { signal }).catch(() => false);
  }

  private unreachable(method: Method, path: string, cause: unknown): Error {
    const { endpoint } = this.options;
    return new Error(
      `${method} ${path}: no answer from the DigitalOcean API at ${endpoint} (${reasonOf(cause)}). ` +
        "Start it (the sandbox: digitalocean-sandbox start), or correct digitalocean:apiEndpoint or DIGITALOCEAN_API_URL",
    );
  }

  private async refused(method: Method, path: string, response: Response): Promise<ApiError> {
    const { id, message, requestId } = await readError(response);
    const remedy =
      response.status === 401
        ? ". The API does not accept the token: set digitalocean:token (pulumi config set --secret digitalocean:token TOKEN) or DIGITALOCEAN_TOKEN to a token of this account"
        : "";
    const request = requestId === undefined ? "" : `, request ${requestId}`;
    const text = `${method} ${path}: ${response.status} ${id}: ${message}${remedy} (${this.options.endpoint}${request})`;
    return new ApiError(response.status, message, text);
  }
}

interface Page {
  readonly [key: string]: unknown;
  readonly links?: { readonly pages?: { readonly next?: string } };
}

/** True for an error answer of the API with one of these codes, or with any code if none is given. */
export function isStatus(error: unknown, ...codes: number[]): error is ApiError {
  return error instanceof ApiError && (codes.length === 0 || codes.includes(error.status));
}

function isTransient(code: number): boolean {
  return code === 429 || (code >= 500 && code !== 501);
}

/** After a refused connection the server has not seen the request. After other failures, only a GET is safe to repeat. */
function isSafeToRepeat(method: Method, cause: unknown): boolean {
  return method === "GET" || reasonOf(cause).includes("ECONNREFUSED");
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error.cause;
  if (inner instanceof AggregateError && inner.errors.length > 0) return reasonOf(inner.errors[0]);
  if (inner instanceof Error)
    return "code" in inner ? `${String(inner.code)}: ${inner.message}` : inner.message;
  return error.message;
}

async function readBody<T>(response: Response): Promise<T> {
  const text = await response.text();
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

async function readError(response: Response): Promise<{ id: string; message: string; requestId?: string }> {
  const text = await response.text();
  try {
    const error = JSON.parse(text) as { id?: string; message?: string; request_id?: string };
    return {
      id: error.id ?? response.statusText,
      message: (error.message ?? "no message").slice(0, longestMessage),
      ...(error.request_id === undefined ? {} : { requestId: error.request_id }),
    };
  } catch {
    return { id: response.statusText, message: "the answer is not in DigitalOcean's error format" };
  }
}
