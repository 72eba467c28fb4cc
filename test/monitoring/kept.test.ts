import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readAccess, writeAccess } from "../../sandbox/datadog/access";
import { startKept } from "../../sandbox/datadog/kept";
import type { RunningDatadog } from "../../sandbox/datadog/server";

const keys = { apiKey: "a".repeat(32), appKey: "b".repeat(40) };

describe("monitoring: the sandbox's stand-in of Datadog", () => {
  let dir: string;
  const running: RunningDatadog[] = [];
  const start = async () => {
    const datadog = await startKept(dir);
    running.push(datadog);
    return datadog;
  };
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "kept-"));
    writeAccess(dir, { url: "", ...keys });
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((datadog) => datadog.close()));
    rmSync(dir, { recursive: true, force: true });
  });

  it("says where it is, in a file for its owner alone", async () => {
    const { url } = await start();
    assert.deepEqual(readAccess(dir), { url, ...keys });
    assert.equal(statSync(join(dir, "access.json")).mode & 0o777, 0o600);
  });

  it("opens to its own keys, to no others and to none", async () => {
    const { url } = await start();
    const ask = async (apiKey: string, appKey: string) =>
      (
        await fetch(`${url}/api/v1/monitor`, {
          headers: { "dd-api-key": apiKey, "dd-application-key": appKey },
        })
      ).status;
    assert.equal(await ask(keys.apiKey, keys.appKey), 200);
    assert.equal(await ask(keys.apiKey, "c".repeat(40)), 403);
    assert.equal(await ask("c".repeat(32), keys.appKey), 403);
    assert.equal((await fetch(`${url}/api/v1/monitor`)).status, 403);
  });

  it("has the same address and the same monitors after it ended without a word", async () => {
    const first = await start();
    const monitor = { name: "m", type: "metric alert", query: "avg(last_5m):avg:a{*} > 1", message: "" };
    first.account.putMonitor(undefined, monitor);
    await first.close();
    const second = await start();
    assert.equal(second.url, first.url);
    assert.deepEqual(
      second.account.monitors.map(({ name }) => name),
      ["m"],
    );
  });

  it("takes another port where somebody else has the last one, and says so", async () => {
    const first = await start();
    const second = await start();
    assert.notEqual(second.port, first.port);
    assert.equal(readAccess(dir)?.url, second.url);
  });

  it("does not start without keys", async () => {
    rmSync(join(dir, "access.json"));
    await assert.rejects(startKept(dir), /expected the stand-in's keys in .*access\.json, found no file/);
  });
});
