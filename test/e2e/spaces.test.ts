/** Spaces of a sandbox whose droplets are records: what a stack's program finds, what stays, and what ends. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import * as digitalocean from "@pulumi/digitalocean";
import type { PulumiFn } from "@pulumi/pulumi/automation";
import {
  ensureApi,
  ensureToken,
  hasSpacesServer,
  installStandIns,
  prepareSpaces,
  runningApi,
  spacesUrl,
  stopApi,
} from "../../sandbox/index";
import { makeHome } from "../../scripts/home";
import { Sandbox } from "./sandbox";
import { openSandboxStack } from "./sandboxStack";

const BUILD_WITHIN_MS = 10 * 60_000;
const region = "nyc3";

describe("Spaces of a sandbox with records", function () {
  this.timeout(180_000);
  let sandbox: Sandbox;
  let seen: Record<string, string | undefined> = {};

  const program: PulumiFn = async () => {
    const { DIGITALOCEAN_API_URL, SPACES_ENDPOINT_URL, HTTP_PROXY } = process.env;
    seen = { DIGITALOCEAN_API_URL, SPACES_ENDPOINT_URL, HTTP_PROXY };
    const grants = [{ bucket: "", permission: "fullaccess" }];
    const key = new digitalocean.SpacesKey("owner", { grants });
    const credentials = { spacesAccessId: key.accessKey, spacesSecretKey: key.secretKey };
    const own = new digitalocean.Provider("spaces", credentials);
    const bucket = new digitalocean.SpacesBucket("kept", { region, forceDestroy: true }, { provider: own });
    const object = { bucket: bucket.name, region, key: "note", content: "kept" };
    new digitalocean.SpacesBucketObject("note", object, { provider: own });
  };
  const up = async () => {
    const stack = await openSandboxStack(sandbox.home.dir, "dev", program);
    return (await stack.up({ withoutPolicies: true })).hasChanges;
  };
  /** The processes of the sandbox's S3 server. */
  const servers = () =>
    readdirSync("/proc").filter((pid) => {
      if (!/^\d+$/.test(pid) || !existsSync(`/proc/${pid}/cmdline`)) return false;
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(sandbox.home.spacesDir);
    });

  before(async function () {
    this.timeout(BUILD_WITHIN_MS);
    await prepareSpaces(() => {});
    assert.equal(await hasSpacesServer(), true);
    sandbox = await Sandbox.make();
    makeHome(sandbox.home);
    await installStandIns(sandbox.home.pulumiHome);
  });
  after(async () => {
    await sandbox?.run("stop", ["--force"]);
  });

  it("starts no server before the first request", async () => {
    const api = await ensureApi(sandbox.home, sandbox.port);
    assert.match((await spacesUrl(api)) ?? "", /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.deepEqual(servers(), []);
  });

  it("the program and its plugins find them", async () => {
    assert.equal(await up(), true);
    const url = runningApi(sandbox.home)?.url ?? "";
    const token = ensureToken(sandbox.home);
    assert.deepEqual(seen, {
      DIGITALOCEAN_API_URL: url,
      SPACES_ENDPOINT_URL: "http://{{.Region}}.digitaloceanspaces.com",
      HTTP_PROXY: await spacesUrl({ url, token }),
    });
    assert.equal(servers().length, 1);
    const status = await sandbox.run("sandbox", ["status"]);
    assert.match(status.stdout, /^Spaces: http:\/\/127\.0\.0\.1:\d+/m);
  });

  it("end with the API, and keep their objects for the next start", async () => {
    await stopApi(sandbox.home);
    assert.deepEqual(servers(), []);
    await ensureApi(sandbox.home, sandbox.port);
    assert.equal(await up(), false, "a second up changes nothing");
    const stack = await openSandboxStack(sandbox.home.dir, "dev", program);
    assert.equal((await stack.refresh()).hasChanges, false, "the object is still there");
  });

  it("leave no process of a killed API behind, and no bucket after npm stop", async () => {
    const pid = runningApi(sandbox.home)?.pid ?? 0;
    process.kill(pid, "SIGKILL");
    assert.equal(servers().length, 1, "it outlives the API");
    const stopped = await sandbox.run("stop");
    assert.equal(stopped.exitCode, 0, stopped.stderr);
    assert.deepEqual(servers(), []);
    assert.equal(existsSync(sandbox.home.dir), false);
  });
});
