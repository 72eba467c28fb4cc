import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { missingPackages, readPackages } from "../../sandbox/hosts/packages.mjs";
import { prepareSpaces } from "../../sandbox/index";
import { findGo } from "../../scripts/toolchain/find.mjs";

const PROJECT = join(__dirname, "../..");

function doctor(
  env: NodeJS.ProcessEnv,
  ...args: string[]
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["scripts/run.mjs", "doctor", ...args], {
      cwd: PROJECT,
      env: { ...process.env, ...env },
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.once("close", (status) => resolve({ status, stdout, stderr }));
  });
}

describe("npm run doctor", function () {
  this.timeout(60_000);
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "doctor-"));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it("exits non-zero where the API's port is taken, and names another way", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const { status, stdout } = await doctor({ SECURED_WEB_HOME: dir, SECURED_WEB_API_PORT: String(port) });
    server.close();
    assert.equal(status, 1);
    assert.match(
      stdout,
      new RegExp(`MISSING +port of the API +another process uses ${port}\\..*SECURED_WEB_API_PORT`),
    );
    assert.match(stdout, /npm start cannot run yet: port of the API/);
  });

  it("refuses a port that is none", async () => {
    const { status, stdout } = await doctor({ SECURED_WEB_HOME: dir, SECURED_WEB_API_PORT: "many" });
    assert.equal(status, 1);
    assert.match(stdout, /expected a port from 1 to 65535, got "many"/);
  });

  it("says how the CLI comes where there is none", async () => {
    symlinkSync(process.execPath, join(dir, "node"));
    const { stdout } = await doctor({ PATH: dir, XDG_CACHE_HOME: join(dir, "cache"), SECURED_WEB_HOME: dir });
    assert.match(
      stdout,
      /(MISSING|will get) +Pulumi CLI +.*(installer|install Pulumi|built with Go, which npm start offers)/,
    );
    assert.match(stdout, /optional +Go +Go is not on PATH/);
    // The folders of the system's programs count as well, so this machine may have them all.
    const missing = missingPackages(readPackages(join(PROJECT, "test", "tools.json")), { PATH: dir });
    const [tools = ""] = stdout.split("\n").filter((line) => line.includes("tools of the tests"));
    if (missing.length === 0) assert.match(tools, /^ok .*all are installed/);
    else assert.match(tools, /^(optional|will get)/);
    for (const { package: name } of missing) assert.match(tools, new RegExp(` ${name}`));
  });

  it("says whether the S3 server of Spaces is built, and what builds it", async function () {
    // Where no test has needed it before, it is built here.
    this.timeout(600_000);
    const program = await prepareSpaces(() => {});
    assert.ok((await doctor({ SECURED_WEB_HOME: dir })).stdout.includes(`is built (${program})`));
    const cache = join(dir, "no-cache");
    const builds = /will get +Spaces +npm start builds their S3 server, versitygw \d/;
    const needsGo = /will get +Spaces +npm start offers to install Go|MISSING +Spaces +Go must build/;
    const here = await doctor({ XDG_CACHE_HOME: cache, SECURED_WEB_HOME: dir });
    assert.match(here.stdout, typeof (await findGo()) === "string" ? needsGo : builds);
    const withoutGo = await doctor({ PATH: dir, XDG_CACHE_HOME: cache, SECURED_WEB_HOME: dir });
    assert.match(withoutGo.stdout, needsGo);
  });

  it("takes no arguments but --help", async () => {
    assert.equal((await doctor({}, "--fix")).status, 2);
    const help = await doctor({}, "--help");
    assert.equal(help.status, 0);
    assert.match(help.stdout, /MISSING +npm start cannot run without it/);
  });
});
