/** A client of Datadog's API v1: two keys in headers, JSON, errors as a list of messages. */

export interface ClientOptions {
  /** Such as `https://api.datadoghq.com`, without a path. */
  readonly endpoint: string;
  readonly apiKey: string;
  readonly appKey: string;
  /** Aborted when the engine cancels. */
  readonly signal: AbortSignal;
}

const requestTimeoutMs = 60_000;

export class Client {
  constructor(private readonly options: ClientOptions) {}

  /** Returns `undefined` if a GET or DELETE finds nothing. @throws Error with the API's own messages if it refuses */
  async request<T>(method: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: object) {
    const { endpoint, apiKey, appKey, signal } = this.options;
    const response = await fetch(`${endpoint}${path}`, {
      method,
      headers: { "dd-api-key": apiKey, "dd-application-key": appKey, "content-type": "application/json" },
      signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      throw new Error(
        `${method} ${path}: no answer from Datadog's API at ${endpoint} (${reasonOf(error)}). Check datadog:apiUrl and DATADOG_HOST`,
      );
    });
    const text = await response.text();
    if (response.status === 404 && (method === "GET" || method === "DELETE")) return undefined;
    if (!response.ok)
      throw new Error(`${method} ${path}: ${response.status} ${errorsOf(text)} (${endpoint})`);
    return JSON.parse(text === "" ? "{}" : text) as T;
  }

  /** Like `request`, for requests that always have an answer. */
  async requireAnswer<T>(method: "GET" | "POST" | "PUT", path: string, body?: object): Promise<T> {
    const answer = await this.request<T>(method, path, body);
    if (answer === undefined) throw new Error(`${method} ${path}: expected an answer, got none`);
    return answer;
  }
}

function errorsOf(text: string): string {
  try {
    const { errors } = JSON.parse(text) as { errors?: unknown[] };
    return (errors ?? []).map(String).join("; ").slice(0, 600);
  } catch {
    return "the answer is not in Datadog's error format";
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
