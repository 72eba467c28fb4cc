import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync, gzipSync } from "node:zlib";
import { writeAccess } from "../../sandbox/datadog/access";
import { startKept } from "../../sandbox/datadog/kept";
import { type RunningDatadog, startDatadog } from "../../sandbox/datadog/server";

const apiKey = "a".repeat(32);
const appKey = "b".repeat(40);
const keys = { "dd-api-key": apiKey, "dd-application-key": appKey };

describe("monitoring: the stand-in of Datadog", () => {
  const folder = mkdtempSync(join(tmpdir(), "secured-web-datadog-"));
  const stateFile = join(folder, "datadog.json");
  let datadog: RunningDatadog;
  beforeEach(async () => {
    datadog = await startDatadog({ port: 0, apiKeys: () => [apiKey], appKey, stateFile });
  });
  afterEach(() => datadog.close());
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = keys) {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const response = await fetch(`${datadog.url}${path}`, {
      method,
      headers,
      ...(text ? { body: text } : {}),
    });
    return { status: response.status, body: (await response.json()) as never };
  }
  async function send(path: string, body: Buffer | string, headers: Record<string, string> = {}) {
    const response = await fetch(`${datadog.url}${path}`, {
      method: "POST",
      headers: { "dd-api-key": apiKey, ...headers },
      body: new Uint8Array(Buffer.from(body)),
    });
    return response.status;
  }
  const now = () => Math.floor(Date.now() / 1000);
  const v1 = () =>
    JSON.stringify({
      series: [{ metric: "q", type: "gauge", host: "a", tags: ["stack:dev"], points: [[now(), 7]] }],
    });

  it("takes series of both versions, plain, gzip and deflate, with the key in a header or the query", async () => {
    assert.equal(await send("/api/v1/series", v1()), 202);
    assert.equal(await send("/api/v1/series", gzipSync(v1()), { "content-encoding": "gzip" }), 202);
    assert.equal(await send("/api/v1/series", deflateSync(v1()), { "content-encoding": "deflate" }), 202);
    const byQuery = await fetch(`${datadog.url}/api/v1/series?api_key=${apiKey}`, {
      method: "POST",
      body: v1(),
    });
    assert.equal(byQuery.status, 202);
    const v2 = {
      series: [
        {
          metric: "q",
          type: 3,
          resources: [{ type: "host", name: "a" }],
          tags: ["stack:dev"],
          points: [{ timestamp: now(), value: 8 }],
        },
      ],
    };
    assert.equal(await send("/api/v2/series", JSON.stringify(v2)), 202);
    assert.equal(datadog.store.of("q").length, 1, "one series, whichever way it came");
    assert.equal(datadog.store.of("q")[0]?.points.length, 5);
  });

  it("takes logs and service checks", async () => {
    const log = [
      { message: "m", hostname: "a", service: "nginx", ddsource: "nginx", ddtags: "stack:dev,env:x" },
    ];
    assert.equal(await send("/api/v2/logs", JSON.stringify(log)), 202);
    assert.deepEqual(datadog.logs, [
      { message: "m", hostname: "a", service: "nginx", source: "nginx", tags: ["stack:dev", "env:x"] },
    ]);
    const check = { check: "mysql.can_connect", host_name: "a", status: 2, tags: ["stack:dev"] };
    assert.equal(await send("/api/v1/check_run", JSON.stringify([check])), 202);
    assert.equal(datadog.store.of("mysql.can_connect")[0]?.points[0]?.value, 2);
  });

  it("accepts another key from the moment on in which it is in the sandbox's folder", async () => {
    const dir = join(folder, "kept");
    mkdirSync(dir);
    writeAccess(dir, { url: "", apiKey, appKey });
    const kept = await startKept(dir);
    const validates = async (key: string) =>
      (await fetch(`${kept.url}/api/v1/validate`, { headers: { "dd-api-key": key } })).status;
    try {
      const other = "c".repeat(32);
      assert.deepEqual([await validates(apiKey), await validates(other)], [200, 403]);
      writeAccess(dir, { url: kept.url, apiKey: other, otherApiKeys: [apiKey], appKey });
      assert.deepEqual([await validates(apiKey), await validates(other)], [200, 200]);
      writeAccess(dir, { url: kept.url, apiKey: other, appKey });
      assert.deepEqual([await validates(apiKey), await validates(other)], [403, 200]);
    } finally {
      await kept.close();
    }
  });

  it("refuses a wrong key, a wrong body, and an encoding that it does not know", async () => {
    assert.equal(await send("/api/v1/series", v1(), { "dd-api-key": "wrong" }), 403);
    assert.equal((await call("GET", "/api/v1/monitor", undefined, { "dd-api-key": apiKey })).status, 403);
    assert.equal(await send("/api/v1/series", '{"series": [{"metric": 1}]}'), 400);
    assert.equal(await send("/api/v1/series", "no json"), 400);
    assert.equal(await send("/api/v1/series", v1(), { "content-encoding": "zstd" }), 400);
    assert.deepEqual(datadog.store.metrics(), []);
  });

  it("answers a graph's query with what was received", async () => {
    await send("/api/v1/series", v1());
    const path = `/api/v1/query?from=${now() - 60}&to=${now() + 60}&query=${encodeURIComponent("sum:q{stack:dev} by {host}")}`;
    const { body } = await call("GET", path);
    const { series } = body as { series: { scope: string; pointlist: [number, number][] }[] };
    assert.equal(series[0]?.scope, "host:a");
    assert.equal(series[0]?.pointlist[0]?.[1], 7);
  });

  it("keeps monitors over a restart, and evaluates them", async () => {
    const monitor = {
      name: "m",
      type: "query alert",
      query: "avg(last_5m):sum:q{stack:dev} > 5",
      message: "x",
      options: { thresholds: { critical: 5 } },
    };
    const made = await call("POST", "/api/v1/monitor", monitor);
    const { id } = made.body as { id: number };
    await datadog.close();
    datadog = await startDatadog({
      port: 0,
      apiKeys: () => [apiKey],
      appKey,
      stateFile,
      evaluateMs: 20,
      bucketSeconds: 1,
    });
    const old = [{ metric: "q", type: "gauge", host: "a", tags: ["stack:dev"], points: [[now() - 10, 7]] }];
    await send("/api/v1/series", JSON.stringify({ series: old }));
    const deadline = Date.now() + 10_000;
    let state = "";
    while (state !== "Alert" && Date.now() < deadline) {
      const shown = await call("GET", `/api/v1/monitor/${id}`);
      state = (shown.body as { overall_state: string }).overall_state;
    }
    assert.equal(state, "Alert");
    assert.equal((await call("DELETE", `/api/v1/monitor/${id}`)).status, 200);
    assert.equal((await call("GET", `/api/v1/monitor/${id}`)).status, 404);
  });

  it("refuses a monitor whose query is none, and one whose threshold is another than the query's", async () => {
    const monitor = { name: "m", type: "query alert", message: "", query: "avg(last_5m):sum:q{*}" };
    const refused = await call("POST", "/api/v1/monitor", monitor);
    assert.equal(refused.status, 400);
    assert.match(JSON.stringify(refused.body), /parameter 'query' is invalid: expected a comparison/);
    const other = { ...monitor, query: `${monitor.query} > 5`, options: { thresholds: { critical: 6 } } };
    assert.match(JSON.stringify((await call("POST", "/api/v1/monitor", other)).body), /does not match/);
  });
});
