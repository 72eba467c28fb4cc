import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { frame, StreamMetrics } from "../../app/metrics";
import { waitFor } from "../waitFor";

/** Splits what came by the stream into its frames. */
function frames(received: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 0; at + 4 <= received.length; ) {
    const length = received.readUInt32LE(at);
    texts.push(received.subarray(at + 4, at + 4 + length).toString());
    at += 4 + length;
  }
  return texts;
}

describe("app: metrics", () => {
  const folder = mkdtempSync(join(tmpdir(), "secured-web-metrics-"));
  const path = join(folder, "dsd.sock");
  let agent: Server | undefined;
  let received: Buffer;
  const listen = () =>
    new Promise<void>((resolve) => {
      agent = createServer((socket) => {
        socket.on("error", () => {});
        socket.on("data", (data) => {
          received = Buffer.concat([received, data]);
        });
      }).listen(path, resolve);
    });
  beforeEach(() => {
    received = Buffer.alloc(0);
  });
  afterEach((done) => {
    if (agent?.listening) agent.close(() => done());
    else done();
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const lines = () => frames(received).flatMap((text) => text.split("\n"));
  const sum = (name: string) =>
    lines()
      .map((line) => new RegExp(`^${name}:(\\d+)\\|c$`).exec(line)?.[1])
      .reduce((total, value) => total + Number(value ?? 0), 0);
  const until = (condition: () => boolean) =>
    waitFor("figures", async () => condition(), {
      within: 10,
      every: 0.01,
      explain: async () => `received: ${lines().join(" ")}`,
    });

  it("sends counts of all requests, errors and fast answers, and their times", async () => {
    await listen();
    const metrics = new StreamMetrics(path, 20);
    metrics.request(200, 0.1);
    metrics.request(404, 0.2);
    metrics.request(200, 0.9);
    metrics.request(503, 0.1);
    await until(() => sum("secured_web.http.requests") === 4);
    assert.equal(sum("secured_web.http.errors"), 1);
    assert.equal(sum("secured_web.http.fast"), 2);
    assert.ok(lines().includes("secured_web.http.seconds:0.1000:0.2000:0.9000:0.1000|h"));
    metrics.close();
  });

  it("counts on while there is no agent, and sends the sum when there is one", async () => {
    const metrics = new StreamMetrics(path, 20);
    (metrics as unknown as { notBefore: number }).notBefore = Number.POSITIVE_INFINITY;
    metrics.request(200, 0.1);
    (metrics as unknown as { flush(): void }).flush();
    metrics.request(200, 0.1);
    await listen();
    (metrics as unknown as { notBefore: number }).notBefore = 0;
    await until(() => sum("secured_web.http.requests") === 2);
    metrics.close();
  });

  it("survives an agent that goes away", async () => {
    const metrics = new StreamMetrics(path, 20);
    await listen();
    metrics.request(200, 0.1);
    await until(() => sum("secured_web.http.requests") === 1);
    const state = metrics as unknown as { socket: { destroyed: boolean; destroy(): void } | undefined };
    state.socket?.destroy();
    await until(() => state.socket === undefined);
    for (let i = 0; i < 1000; i++) metrics.request(200, 0.1);
    (metrics as unknown as { notBefore: number }).notBefore = 0;
    await until(() => sum("secured_web.http.requests") === 1001);
    metrics.close();
  });

  it("frames a text by its length in bytes, little-endian", () => {
    assert.deepEqual([...frame("é")], [2, 0, 0, 0, 0xc3, 0xa9]);
  });
});
