import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type RunningDatadog, startDatadog } from "../../sandbox/datadog/server";
import { PROJECT_DIR } from "../../scripts/home";
import { runProgram } from "../../scripts/processes";
import { backupAges, backupMetric, sendBackupAges } from "../../scripts/status/backups";

describe("monitoring: the age of backups", () => {
  let account: Server;
  let datadog: RunningDatadog;
  let api: { url: string; token: string };
  const asked: string[] = [];
  before(async () => {
    datadog = await startDatadog({ port: 0, apiKeys: () => ["a".repeat(32)], bucketSeconds: 1 });
    account = createServer((request, response) => {
      asked.push(request.url ?? "");
      const path = (request.url ?? "").split("?")[0] ?? "";
      const answers: Record<string, unknown> = {
        "/v2/droplets": {
          droplets: [
            { id: 1, name: "dev-db-1", created_at: "2026-01-01T00:00:00Z" },
            { id: 2, name: "dev-db-2", created_at: "2026-01-09T12:00:00Z" },
          ],
        },
        "/v2/droplets/1/backups": {
          backups: [{ created_at: "2026-01-08T04:00:00Z" }, { created_at: "2026-01-09T04:00:00Z" }],
        },
        "/v2/droplets/2/backups": { backups: [] },
      };
      response.end(JSON.stringify(answers[path] ?? {}));
    });
    await new Promise<void>((resolve) => account.listen(0, "127.0.0.1", resolve));
    api = { url: `http://127.0.0.1:${(account.address() as AddressInfo).port}`, token: "t" };
  });
  after(async () => {
    account.close();
    await datadog.close();
  });

  it("is that of the newest; without one that of the host", async () => {
    const ages = await backupAges(api, "dev", new Date("2026-01-10T00:00:00Z"));
    assert.deepEqual(ages, [
      { host: "dev-db-1", newest: "2026-01-09T04:00:00Z", hours: 20 },
      { host: "dev-db-2", newest: undefined, hours: 12 },
    ]);
    assert.ok(
      asked.some((path) => path.includes("tag_name=secured-web-dev-database")),
      asked.join(),
    );
  });

  it("is sent as a figure of its host, with the stack's tag", async () => {
    const ages = [{ host: "dev-db-1", newest: undefined, hours: 30 }];
    await sendBackupAges({ url: datadog.url, apiKey: "a".repeat(32) }, "dev", ages);
    const [series] = datadog.store.of(backupMetric);
    assert.deepEqual(series?.tags.get("host"), ["dev-db-1"]);
    assert.deepEqual(series?.tags.get("stack"), ["dev"]);
    assert.equal(series?.points.at(-1)?.value, 30);
  });

  /** The command as a timer runs it, against the two servers of this test. */
  async function command(keys: Record<string, string>) {
    const { DIGITALOCEAN_TOKEN, DD_API_KEY, DD_APP_KEY, DATADOG_API_KEY, DATADOG_APP_KEY, ...rest } =
      process.env;
    const env = {
      ...rest,
      DIGITALOCEAN_TOKEN: "t",
      DIGITALOCEAN_API_URL: api.url,
      DATADOG_HOST: datadog.url,
    };
    const args = [join(PROJECT_DIR, "scripts", "run.mjs"), "status", "dev", "--cloud", "--send-backup-ages"];
    return runProgram(process.execPath, args, { env: { ...env, ...keys } });
  }

  it("is sent by the status command, which prints it and no key", async function () {
    this.timeout(60_000);
    const { exitCode, stdout, stderr } = await command({
      DD_API_KEY: "a".repeat(32),
      DD_APP_KEY: "b".repeat(40),
    });
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /^dev-db-1: [\d.]+ h \(2026-01-09T04:00:00Z\)$/m);
    assert.match(stdout, /^dev-db-2: [\d.]+ h \(no backup; age of the host\)$/m);
    assert.ok(!`${stdout}${stderr}`.includes("aaaa"));
    const hosts = datadog.store.of(backupMetric).flatMap(({ tags }) => tags.get("host") ?? []);
    assert.ok(hosts.includes("dev-db-2"), hosts.join());
  });

  it("has nowhere to go without Datadog's keys, and the command says so", async function () {
    this.timeout(60_000);
    const { exitCode, stderr } = await command({});
    assert.notEqual(exitCode, 0);
    assert.match(stderr, /No Datadog to send the backup ages to[\s\S]*DD_API_KEY/);
  });

  it("is no success where Datadog refuses it", async () => {
    await assert.rejects(
      sendBackupAges({ url: datadog.url, apiKey: "wrong" }, "dev", []),
      /Datadog answered 403/,
    );
  });
});
