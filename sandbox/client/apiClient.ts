/** The address of an API, and its token. */
export interface ApiAccess {
  /** `http://127.0.0.1:8089`, without `/v2`. */
  readonly url: string;
  readonly token: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

const TIMEOUT_MS = 15_000;

/** One request to the API v2. Throws if the API does not answer; any status is an answer. */
export async function request(
  api: ApiAccess,
  method: string,
  path: string,
  options: { timeoutMs?: number; body?: unknown } = {},
): Promise<ApiAnswer> {
  const response = await fetch(`${api.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${api.token}`, "content-type": "application/json" },
    signal: AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS),
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? undefined : parse(text) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the page of another server
  }
}

/** All items of a list, from all pages. `key` is the property of the answer that contains the list. */
export async function listAll(api: ApiAccess, path: string, key: string): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  for (let page = 1; ; page++) {
    const query = `${path.includes("?") ? "&" : "?"}page=${page}&per_page=200`;
    const { status, body } = await request(api, "GET", `${path}${query}`);
    if (status !== 200) throw new Error(`GET ${path}: expected status 200, got ${status}`);
    const answer = body as Record<string, unknown> & { links?: { pages?: { next?: string } } };
    items.push(...((answer[key] ?? []) as Record<string, unknown>[]));
    if (answer.links?.pages?.next === undefined) return items;
  }
}
