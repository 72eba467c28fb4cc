import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { credentials } from "@grpc/grpc-js";
import { AnalyzerClient } from "@pulumi/pulumi/proto/analyzer_grpc_pb";
import {
  type AnalyzerInfo,
  ConfigureAnalyzerRequest,
  EnforcementLevel,
  PolicyConfig,
} from "@pulumi/pulumi/proto/analyzer_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { definitions } from "../../policy/registry";
import { bundlePack } from "./engine/engine";

describe("the bundled pack", function () {
  this.timeout(30_000);
  const dir = mkdtempSync(join(tmpdir(), "secured-web-bundle-"));
  let pack: ChildProcess;
  let port: string;

  before(async () => {
    await bundlePack(dir);
    pack = spawn(process.execPath, ["build/index.js"], { cwd: dir, stdio: ["pipe", "pipe", "inherit"] });
    assert.ok(pack.stdout);
    [port] = (await once(createInterface(pack.stdout), "line")) as [string];
  });

  after(() => {
    pack.kill();
    rmSync(dir, { recursive: true, force: true });
  });

  it("starts without node_modules and serves every policy, at its level", async () => {
    assert.match(port, /^\d+$/);
    const client = new AnalyzerClient(`127.0.0.1:${port}`, credentials.createInsecure());
    const info = await new Promise<AnalyzerInfo>((resolve, reject) => {
      client.getAnalyzerInfo(new Empty(), (error, answer) => (error ? reject(error) : resolve(answer)));
    });
    client.close();
    assert.deepEqual(
      info.getPoliciesList().map((policy) => [policy.getName(), policy.getEnforcementlevel()]),
      // The engine has told nothing of the stack, so it may be production.
      definitions.map(({ name, enforcement }) => [
        name,
        {
          mandatory: EnforcementLevel.MANDATORY,
          advisory: EnforcementLevel.ADVISORY,
          disabled: EnforcementLevel.DISABLED,
        }[enforcement.production],
      ]),
    );
  });

  for (const [name, properties, says] of [
    [
      "no-world-open-databases",
      {},
      /no policy named no-world-open-databases; did you mean no-world-open-database\?/,
    ],
    ["narrow-firewalls", { openPorts: ["ssh"] }, /narrow-firewalls: openPorts\[0\] .* did you mean "22"\?/],
    ["narrow-firewalls", { openPort: ["22"] }, /did you mean openPorts\?/],
    ["narrow-firewalls", { openPorts: ["22"] }, undefined],
    ["all", {}, undefined],
  ] as const) {
    it(`${says === undefined ? "accepts" : "refuses"} the configuration ${name} ${JSON.stringify(properties)}`, async () => {
      const request = new ConfigureAnalyzerRequest();
      const config = new PolicyConfig();
      config.setProperties(Struct.fromJavaScript(properties));
      request.getPolicyconfigMap().set(name, config);
      const client = new AnalyzerClient(`127.0.0.1:${port}`, credentials.createInsecure());
      const problem = await new Promise<string>((resolve) => {
        client.configure(request, (error) => resolve(error?.message ?? ""));
      });
      client.close();
      assert.match(problem, says ?? /^$/);
      assert.doesNotMatch(problem, /^ {4}at /m);
    });
  }

  it("ends when the engine that started it is gone", async () => {
    pack.stdin?.end();
    const [code] = (await once(pack, "exit")) as [number | null];
    assert.equal(code, 0);
  });
});
