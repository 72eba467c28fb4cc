/** The payload's Telegraf files under Telegraf itself, sending to a stand-in of Sumo Logic's HTTP source. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { StreamMetrics } from "../../app/metrics";
import { renderUserData } from "../../infra/userdata/render";
import { ensureTelegraf } from "../../sandbox/datadog/collector/telegraf";
import { contextOf, fakeSecrets, sumologic } from "../payload/contexts";
import { parseUserData } from "../payload/parsed";

describe("monitoring: Sumo Logic", function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), "secured-web-sumologic-"));
  const socket = join(folder, "dsd.sock");
  let telegraf: string;
  let receiver: Server;
  let running: ChildProcess | undefined;
  const received: { headers: IncomingHttpHeaders; text: string }[] = [];

  before(async function () {
    this.timeout(300_000);
    const found = await ensureTelegraf((line) => console.log(`      ${line}`));
    if (found === undefined) {
      console.log("      skipped: no Telegraf on this machine (it is built with Go)");
      this.skip();
    }
    telegraf = found;
    const context = contextOf({ topology: "converged", settings: { monitoring: sumologic } }, "node-1");
    mkdirSync(join(folder, "telegraf.d"));
    for (const { path, text } of parseUserData(renderUserData(context, fakeSecrets(context.host))).files) {
      const name = /^\/etc\/telegraf\/(.+)$/.exec(path)?.[1];
      // Sooner than on a host, at a socket of the test's own, and without systemd's units, which a container may lack.
      const own = text
        .replaceAll('"15s"', '"1s"')
        .replace("/run/telegraf/dsd-stream.socket", socket)
        .replace(/\[\[inputs\.systemd_units\]\][\s\S]*$/, "");
      if (name !== undefined) writeFileSync(join(folder, name), own);
    }
    receiver = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const body = Buffer.concat(chunks);
        const text = (request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body).toString();
        received.push({ headers: request.headers, text });
        response.end();
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  });
  after(() => {
    running?.kill("SIGKILL");
    receiver?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const args = () => [
    "--config",
    join(folder, "telegraf.conf"),
    "--config-directory",
    join(folder, "telegraf.d"),
  ];
  const environment = () => ({
    ...process.env,
    SUMOLOGIC_URL: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/receiver/v1/http/x`,
  });
  const check = () =>
    spawnSync(telegraf, ["config", "check", ...args()], { env: environment(), encoding: "utf8" });

  it("Telegraf takes the files", () => {
    const { status, stderr } = check();
    assert.equal(status, 0, stderr);
  });

  it("and refuses a fault in them", () => {
    const fault = join(folder, "telegraf.d", "fault.conf");
    writeFileSync(fault, '[[inputs.cpu]]\n  per_cpu = "no such option"\n');
    try {
      assert.notEqual(check().status, 0);
    } finally {
      rmSync(fault);
    }
  });

  it("sends the host's and the application's figures, with its tags, in Sumo Logic's form", async () => {
    running = spawn(telegraf, [...args(), "--unprotected"], { env: environment(), stdio: "ignore" });
    const metrics = new StreamMetrics(socket, 100);
    const wanted = [
      /(^|\n)metric=cpu/,
      /metric=mem/,
      /metric=secured_web_http_requests.* \d/,
      /metric=secured_web_http_errors.* \d/,
      /metric=secured_web_http_seconds field=\S*95 .* \d/,
    ];
    const all = () => received.map(({ text }) => text).join("\n");
    const deadline = Date.now() + 45_000;
    while (!wanted.every((pattern) => pattern.test(all()))) {
      const lacking = wanted.filter((pattern) => !pattern.test(all())).join(" ");
      assert.ok(Date.now() < deadline, `not received: ${lacking}\n${all().slice(-1500)}`);
      (metrics as unknown as { notBefore: number }).notBefore = 0;
      metrics.request(503, 0.2);
      await delay(200);
    }
    metrics.close();
    assert.match(received[0]?.headers["content-type"] ?? "", /^application\/vnd\.sumologic\.carbon2/);
    assert.equal(received[0]?.headers["x-sumo-host"], "dev-node-1");
    for (const tag of [
      "env=development",
      "stack=dev",
      "service=secured-web",
      "role=web,database",
      "version=",
    ]) {
      assert.ok(all().includes(tag), tag);
    }
  });
});
