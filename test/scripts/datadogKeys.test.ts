import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureDatadog, sandboxDatadog } from "../../sandbox/index";
import { wantsDatadog, withSandboxKeys } from "../../scripts/engine/datadogKeys";
import { sandboxEnvironment, withEngineEnvironment } from "../../scripts/engine/environment";
import { Failure } from "../../scripts/failure";
import { type Home, homeAt, makeHome } from "../../scripts/home";

const apiKey = "0123456789abcdef0123456789abcdef";
const appKey = `${apiKey}01234567`;
const own = { apiKey: { secure: "v1:a" }, appKey: { secure: "v1:b" } };
const agent = { "secured-web:monitoring": "datadog" };

describe("Datadog's keys in the sandbox", () => {
  const settled = (config: Record<string, unknown>, kept = {}, hasStandIn = true) =>
    withSandboxKeys(config, "dev", { kept, hasStandIn });

  it("are wanted where hosts get the agent: where it is said, and in production", () => {
    assert.equal(wantsDatadog(agent, "dev"), true);
    assert.equal(wantsDatadog({}, "dev"), false);
    assert.equal(wantsDatadog({}, "prod"), true);
    assert.equal(wantsDatadog({ "secured-web:environment": "production" }, "stage"), true);
    assert.equal(wantsDatadog({ "secured-web:monitoring": "none" }, "prod"), false);
  });

  it("are both made up; without a stand-in the one that makes monitors is not", () => {
    assert.deepEqual(settled(agent).missing, ["apiKey", "appKey"]);
    assert.deepEqual(settled(agent, {}, false).missing, ["apiKey"]);
    assert.deepEqual(settled({}), { config: {}, missing: [] });
  });

  it("are those of the last run where there are any, and the settings beside them stay", () => {
    const site = { "secured-web:datadog": { site: "datadoghq.eu" } };
    const { config, missing } = settled({ ...agent, ...site }, own);
    assert.deepEqual(missing, []);
    assert.deepEqual(config["secured-web:datadog"], { site: "datadoghq.eu", ...own });
    assert.deepEqual(settled({}, own).config, {}, "and none where no agent is wanted");
  });

  it("stand in the place of real ones that somebody gives, in plain text or encrypted", () => {
    const given = { "secured-web:datadog": { apiKey, appKey } };
    const { config, missing } = settled(given);
    assert.deepEqual(missing, ["apiKey", "appKey"]);
    assert.ok(!JSON.stringify(config).includes(apiKey));
    const encrypted = { ...agent, "secured-web:datadog": { apiKey: { secure: "v1:of another stack" } } };
    assert.deepEqual(settled(encrypted, own).config["secured-web:datadog"], own);
  });

  it("are refused where what is given could be none, without its value", () => {
    const given = { "secured-web:datadog": { appKey: "hunter2" } };
    assert.throws(
      () => settled(given),
      (error) =>
        error instanceof Failure &&
        /^secured-web:datadog\.appKey: expected a Datadog application key/.test(error.message) &&
        !error.message.includes("hunter2") &&
        error.exitCode === 2,
    );
  });
});

describe("Datadog's address in the sandbox", () => {
  let home: Home;
  beforeEach(() => {
    home = homeAt(mkdtempSync(join(tmpdir(), "datadog-")));
    makeHome(home);
  });
  afterEach(() => rmSync(home.dir, { recursive: true, force: true }));
  const user = {
    PATH: "/bin",
    DD_API_KEY: "real-1",
    DATADOG_API_KEY: "real-2",
    DD_APP_KEY: "real-3",
    DD_SITE: "datadoghq.eu",
    DD_HOST: "https://api.datadoghq.eu",
    DATADOG_HOST: "https://api.datadoghq.eu",
  };
  const api = { url: "http://127.0.0.1:1", token: "t" };

  it("is the stand-in's, whatever the user has set, and no key of the user's is left", () => {
    const datadog = { url: "http://127.0.0.1:2", apiKey, appKey };
    const env = sandboxEnvironment(home, api, { standIns: true, datadog }, user);
    const names = Object.keys(env).filter((name) => /^(DD|DATADOG)_/.test(name));
    assert.deepEqual(names.sort(), ["DATADOG_HOST", "DD_HOST"]);
    assert.deepEqual([env.DATADOG_HOST, env.DD_HOST], [datadog.url, datadog.url]);
    assert.ok(!JSON.stringify(env).includes("real-") && !JSON.stringify(env).includes("datadoghq"));
  });

  it("leads nowhere without a stand-in", () => {
    const env = sandboxEnvironment(home, api, { standIns: true }, user);
    assert.match(env.DATADOG_HOST ?? "", /^http:\/\/127\.0\.0\.1:9$/);
    assert.equal(env.DD_HOST, env.DATADOG_HOST);
  });

  it("is what the program sees as well, and this process again after it", async () => {
    const before = process.env.DD_SITE;
    process.env.DD_SITE = "datadoghq.eu";
    try {
      const seen = await withEngineEnvironment({ DATADOG_HOST: "http://127.0.0.1:2" }, async () => [
        process.env.DATADOG_HOST,
        process.env.DD_SITE,
      ])();
      assert.deepEqual(seen, ["http://127.0.0.1:2", undefined]);
      assert.equal(process.env.DD_SITE, "datadoghq.eu");
      assert.equal(process.env.DATADOG_HOST, undefined);
    } finally {
      if (before === undefined) delete process.env.DD_SITE;
      else process.env.DD_SITE = before;
    }
  });

  it("and its keys lie in a file for the owner alone, and stay", () => {
    const made = ensureDatadog(home);
    assert.match(made.apiKey, /^[0-9a-f]{32}$/);
    assert.match(made.appKey, /^[0-9a-f]{40}$/);
    assert.deepEqual(ensureDatadog(home), made);
    assert.equal(statSync(join(home.datadogDir, "access.json")).mode & 0o777, 0o600);
    assert.equal(statSync(home.datadogDir).mode & 0o777, 0o700);
    assert.equal(sandboxDatadog(home), undefined, "none runs yet");
  });
});
