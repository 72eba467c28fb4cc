/** Datadog's API v1 over HTTP: two keys in headers, JSON, errors as a list of sentences. */

export interface ClientOptions {
  /** As `https://api.datadoghq.com`, without a path. */
  readonly endpoint: string;
  readonly apiKey: string;
  readonly appKey: string;
  /** Aborted when the engine cancels. */
  readonly signal: AbortSignal;
}

const requestTimeoutMs = 60_000;

export class Client {
  constructor(private readonly options: ClientOptions) {}

  /** Throws with the API's own sentences where it refuses. `undefined` where a GET or DELETE finds nothing. */
  async request<T>(method: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: object) {
    const { endpoint, apiKey, appKey, signal } = this.options;
    const response = await fetch(`${endpoint}${path}`, {
      method,
      headers: { "dd-api-key": apiKey, "dd-application-key": appKey, "content-type": "application/json" },
      signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      throw new Error(
        `${method} ${path}: no answer from Datadog's API at ${endpoint} (${reasonOf(error)}). Is DATADOG_HOST right?`,
      );
    });
    const text = await response.text();
    if (response.status === 404 && (method === "GET" || method === "DELETE")) return undefined;
    if (!response.ok)
      throw new Error(`${method} ${path}: ${response.status} ${errorsOf(text)} (${endpoint})`);
    return JSON.parse(text === "" ? "{}" : text) as T;
  }

  /** As `request`, where an answer must come. */
  async must<T>(method: "GET" | "POST" | "PUT", path: string, body?: object): Promise<T> {
    const answer = await this.request<T>(method, path, body);
    if (answer === undefined) throw new Error(`${method} ${path}: there is no such thing`);
    return answer;
  }
}

function errorsOf(text: string): string {
  try {
    const { errors } = JSON.parse(text) as { errors?: unknown[] };
    return (errors ?? []).map(String).join("; ").slice(0, 600);
  } catch {
    return "the answer is not Datadog's JSON";
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
