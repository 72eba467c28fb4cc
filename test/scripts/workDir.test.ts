import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { parseOverride, readKept, writeWorkDir } from "../../scripts/engine/workDir";
import { Failure } from "../../scripts/failure";

describe("a run's settings (--config)", () => {
  const cases: [string, (string | number)[], unknown][] = [
    ["secured-web:replication=source-replica", ["secured-web:replication"], "source-replica"],
    ["replication=group", ["secured-web:replication"], "group"],
    ["secured-web:web.count=3", ["secured-web:web", "count"], 3],
    ["secured-web:web.count=", ["secured-web:web", "count"], ""],
    ["secured-web:operators.networks[0]=10.0.0.0/8", ["secured-web:operators", "networks", 0], "10.0.0.0/8"],
    [
      "secured-web:operators={networks: [10.0.0.0/8]}",
      ["secured-web:operators"],
      { networks: ["10.0.0.0/8"] },
    ],
    ["digitalocean:apiEndpoint=http://x", ["digitalocean:apiEndpoint"], "http://x"],
    ["secured-web:createDomain=false", ["secured-web:createDomain"], false],
  ];
  for (const [text, path, value] of cases) {
    it(`reads ${text}`, () => assert.deepEqual(parseOverride(text), { path, value }));
  }

  for (const text of ["replication", "=x", "a b=c", "web..count=3", "secured-web:web=[1"]) {
    it(`refuses ${text}`, () => {
      assert.throws(
        () => parseOverride(text),
        (error) => error instanceof Failure && error.exitCode === 2,
      );
    });
  }
});

describe("the engine's copy of the settings", () => {
  let project: string;
  let dir: string;
  beforeEach(() => {
    project = mkdtempSync(join(tmpdir(), "project-"));
    dir = join(mkdtempSync(join(tmpdir(), "work-")), "dev");
    writeFileSync(join(project, "Pulumi.yaml"), "name: secured-web\nmain: infra/\nruntime: nodejs\n");
    writeFileSync(
      join(project, "Pulumi.dev.yaml"),
      "config:\n  secured-web:web:\n    size: s-1\n  secured-web:domain: a.b\n",
    );
  });
  afterEach(() => {
    for (const path of [project, join(dir, "..")]) rmSync(path, { recursive: true, force: true });
  });
  const settings = () => parse(readFileSync(join(dir, "Pulumi.dev.yaml"), "utf8"));

  it("has the overrides, beside what stands next to them, and leaves the project's files as they are", () => {
    const before = readFileSync(join(project, "Pulumi.dev.yaml"), "utf8");
    writeWorkDir(
      dir,
      "dev",
      [parseOverride("web.count=3"), parseOverride("operators.networks[0]=x")],
      {},
      { projectDir: project },
    );
    assert.deepEqual(settings().config, {
      "secured-web:web": { size: "s-1", count: 3 },
      "secured-web:domain": "a.b",
      "secured-web:operators": { networks: ["x"] },
    });
    assert.equal(readFileSync(join(project, "Pulumi.dev.yaml"), "utf8"), before);
    assert.equal(parse(readFileSync(join(dir, "Pulumi.yaml"), "utf8")).main, undefined);
  });

  it("keeps the engine's salt and the secrets encrypted with it, and forgets a former run's overrides", () => {
    writeWorkDir(dir, "dev", [parseOverride("web.count=3")], {}, { projectDir: project });
    const written = settings();
    written.encryptionsalt = "v1:abc";
    written.config["secured-web:datadog"] = { apiKey: { secure: "v1:xyz" } };
    writeFileSync(join(dir, "Pulumi.dev.yaml"), JSON.stringify(written));
    const kept = readKept(dir, "dev");
    assert.deepEqual(kept.datadog, { apiKey: { secure: "v1:xyz" } });
    writeWorkDir(dir, "dev", [], kept, { projectDir: project });
    assert.equal(settings().encryptionsalt, "v1:abc");
    assert.deepEqual(settings().config["secured-web:web"], { size: "s-1" });
  });

  it("can be read by its owner alone", () => {
    writeWorkDir(dir, "dev", [], {}, { projectDir: project });
    assert.equal(statSync(join(dir, "Pulumi.dev.yaml")).mode & 0o077, 0);
    assert.equal(statSync(dir).mode & 0o077, 0);
  });
});
