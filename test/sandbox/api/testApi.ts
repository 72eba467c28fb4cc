import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiOptions, type RunningApi, startApi } from "../../../sandbox/api/server";
import { checkAnswer } from "./openapi";

export const TOKEN = "test-token";

// biome-ignore lint/suspicious/noExplicitAny: a test reads what a JSON answer holds and fails where it does not
export type Json = any;

export interface Reply {
  status: number;
  body: Json;
  headers: Headers;
}

/** A server on a free port with a state directory of its own, and a client that checks every answer it gets. */
export class TestApi {
  private constructor(
    readonly stateDir: string,
    private running: RunningApi,
    private readonly options: Partial<ApiOptions>,
  ) {}

  static async start(options: Partial<ApiOptions> = {}): Promise<TestApi> {
    const stateDir = options.stateDir ?? (await mkdtemp(join(tmpdir(), "sandbox-api-")));
    return new TestApi(stateDir, await TestApi.run(stateDir, options), options);
  }

  private static run(stateDir: string, options: Partial<ApiOptions>): Promise<RunningApi> {
    return startApi({ actionDelayMs: 5, ...options, stateDir, port: 0, token: TOKEN });
  }

  get url(): string {
    return this.running.url;
  }

  /** Stops the server and starts one on the same state. */
  async restart(options: Partial<ApiOptions> = {}): Promise<void> {
    await this.running.close();
    this.running = await TestApi.run(this.stateDir, { ...this.options, ...options });
  }

  async close(): Promise<void> {
    await this.running.close();
    await rm(this.stateDir, { recursive: true, force: true });
  }

  get = (path: string) => this.send("GET", path);
  post = (path: string, body?: unknown) => this.send("POST", path, body);
  put = (path: string, body?: unknown) => this.send("PUT", path, body);
  patch = (path: string, body?: unknown) => this.send("PATCH", path, body);
  delete = (path: string, body?: unknown, headers?: Record<string, string>) =>
    this.send("DELETE", path, body, headers);

  async send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    const response = await fetch(this.url + path, {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json", ...headers },
      ...(body === undefined || method === "GET"
        ? {}
        : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const json: Json = text === "" ? undefined : JSON.parse(text);
    assert.match(
      response.headers.get("x-request-id") ?? "",
      /^[0-9a-f-]{36}$/,
      "every answer has a request id",
    );
    assert.ok(response.headers.get("ratelimit-remaining"), "every answer has rate-limit headers");
    checkAnswer(method, path.split("?")[0]!.replace(/\/$/, ""), response.status, json);
    return { status: response.status, body: json, headers: response.headers };
  }

  /** Sends a request that must be refused; gives the message. */
  async refuse(status: number, method: string, path: string, body?: unknown): Promise<string> {
    const reply = await this.send(method, path, body);
    assert.equal(
      reply.status,
      status,
      `${method} ${path} ${JSON.stringify(body)}: ${JSON.stringify(reply.body)}`,
    );
    assert.equal(typeof reply.body.id, "string");
    assert.equal(typeof reply.body.message, "string");
    assert.equal(reply.body.request_id, reply.headers.get("x-request-id"));
    return reply.body.message;
  }

  /** Sends a request that must succeed with this status; gives the body. */
  async expect(status: number, method: string, path: string, body?: unknown): Promise<Json> {
    const reply = await this.send(method, path, body);
    assert.equal(reply.status, status, `${method} ${path}: ${JSON.stringify(reply.body)}`);
    return reply.body;
  }

  /** Asks again and again until `condition` holds. */
  async until<T>(
    what: string,
    ask: () => Promise<T>,
    condition: (answer: T) => boolean,
    withinMs = 5000,
  ): Promise<T> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const answer = await ask();
      if (condition(answer)) return answer;
      if (Date.now() > deadline)
        throw new Error(`not within ${withinMs} ms: ${what}; last ${JSON.stringify(answer)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Waits for an action (an object with an id) to end, and gives it. */
  async ended(action: { id: number }): Promise<Json> {
    const ask = () => this.expect(200, "GET", `/v2/actions/${action.id}`);
    const { action: last } = await this.until(
      `action ${action.id} ended`,
      ask,
      (b) => b.action.completed_at !== null,
    );
    return last;
  }
}

/** Checks a list's paging: the total, every item once, absolute links that lead on. */
export async function checkPaging(api: TestApi, path: string, key: string): Promise<void> {
  const join = path.includes("?") ? "&" : "?";
  const all = await api.expect(200, "GET", `${path}${join}per_page=200`);
  assert.equal(all.meta.total, all[key].length);
  assert.ok(all.meta.total >= 2, `a list of ${all.meta.total} cannot show paging`);
  const seen: unknown[] = [];
  let next: string | undefined = `${api.url}${path}${join}per_page=1`;
  while (next) {
    assert.ok(next.startsWith(api.url), `${next} is absolute`);
    const one: Json = await api.expect(200, "GET", next.slice(api.url.length));
    assert.equal(one[key].length, 1);
    assert.equal(one.meta.total, all.meta.total);
    seen.push(...one[key]);
    next = one.links.pages?.next;
  }
  assert.deepEqual(seen, all[key]);
  const far: Json = await api.expect(200, "GET", `${path}${join}page=1363713429551293661184`);
  assert.deepEqual(far[key], [], "a page far behind the last one is empty");
  for (const bad of ["page=0", "page=x", "per_page=201", "per_page=0"]) {
    assert.match(await api.refuse(422, "GET", `${path}${join}${bad}`), /page must be a whole number/);
  }
}
