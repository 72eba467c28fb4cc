import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../scripts/failure";
import {
  findGo,
  findPulumi,
  isAtLeast,
  parseVersion,
  pulumiInstallDir,
} from "../../scripts/toolchain/find.mjs";
import { ensurePulumi } from "../../scripts/toolchain/pulumi";
import type { PulumiSource } from "../../scripts/toolchain/source";

describe("the toolchain", () => {
  let dir: string;
  let env: NodeJS.ProcessEnv;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "toolchain-"));
    env = { PATH: join(dir, "bin"), XDG_CACHE_HOME: join(dir, "cache") };
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  /** An executable that prints `output` whatever it is asked. */
  function fake(path: string, output: string, exitCode = 0): void {
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, `#!/bin/sh\necho '${output}'\nexit ${exitCode}\n`);
    chmodSync(path, 0o755);
  }

  /** A source that counts its uses and installs a fake CLI, or fails. */
  function source(name: string, installs: string | Error): PulumiSource & { uses: number } {
    const made = {
      name,
      uses: 0,
      async install(target: string) {
        made.uses++;
        if (installs instanceof Error) throw installs;
        fake(join(target, "bin", "pulumi"), installs);
      },
    };
    return made;
  }

  describe("finds the Pulumi CLI", () => {
    const onPath: [string, string, boolean][] = [
      ["the version of the SDK", "v3.248.0", true],
      ["a newer minor version", "v3.300.1", true],
      ["a newer minor version with a suffix", "v3.249.0-alpha.1", true],
      ["an older one", "v3.247.9", false],
      ["another major version", "v4.0.0", false],
      ["one that tells no version", "", false],
    ];
    for (const [what, version, taken] of onPath) {
      it(`on PATH: ${taken ? "takes" : "leaves"} ${what}`, async () => {
        fake(join(dir, "bin", "pulumi"), version);
        const found = await findPulumi(env);
        assert.equal(found?.source, taken ? "PATH" : undefined);
      });
    }

    it("in the cache, where the one on PATH is too old", async () => {
      fake(join(dir, "bin", "pulumi"), "v3.1.0");
      fake(join(pulumiInstallDir(env), "bin", "pulumi"), "v3.248.0");
      assert.equal((await findPulumi(env))?.source, "cache");
    });

    it("not where there is none, and makes nothing by looking", async () => {
      assert.equal(await findPulumi(env), undefined);
      assert.deepEqual(readdirSync(dir), []);
    });

    it("not by a relative entry of PATH, which would mean another file in each folder", async () => {
      fake(join(dir, "bin", "pulumi"), "v3.248.0");
      assert.equal(await findPulumi({ ...env, PATH: "bin:./bin:" }), undefined);
    });
  });

  describe("gets the Pulumi CLI", () => {
    it("not where it is on PATH already", async () => {
      fake(join(dir, "bin", "pulumi"), "v3.248.0");
      const installer = source("installer", "v3.248.0");
      assert.equal((await ensurePulumi({ env, sources: [installer] })).source, "PATH");
      assert.equal(installer.uses, 0);
    });

    it("from the first source that gives it, once, and says which", async () => {
      const [broken, good, never] = [
        source("installer", new Error("no network")),
        source("Go module", "v3.248.0"),
        source("third", "v3.248.0"),
      ];
      const lines: string[] = [];
      const options = { env, sources: [broken, good, never], onProgress: (line: string) => lines.push(line) };
      const cli = await ensurePulumi(options);
      assert.equal(cli.origin, "Go module");
      assert.ok(existsSync(cli.path));
      assert.match(lines.join("\n"), /installer: no network/);
      const again = await ensurePulumi(options);
      assert.equal(again.path, cli.path);
      assert.equal(again.origin, "Go module");
      assert.deepEqual([broken.uses, good.uses, never.uses], [1, 1, 0]);
    });

    it("never takes what does not run as the wanted version", async () => {
      const wrong = source("wrong", "v3.247.0");
      await assert.rejects(ensurePulumi({ env, sources: [wrong] }), /does not run as version 3\.248\.0/);
      assert.equal(existsSync(pulumiInstallDir(env)), false);
    });

    it("tells every reason, and what to do, where no source gives it; leaves nothing half", async () => {
      const sources = [source("installer", new Error("no network")), source("Go module", new Error("no Go"))];
      await assert.rejects(ensurePulumi({ env, sources }), (error) => {
        assert.ok(error instanceof Failure);
        assert.match(
          error.message,
          /Could not install the Pulumi CLI 3\.248\.0:[\s\S]*no network[\s\S]*no Go/,
        );
        assert.match(error.remedy ?? "", /Go 1\.21/);
        return true;
      });
      assert.deepEqual(readdirSync(join(dir, "cache", "secured-web", "pulumi")), []);
    });

    it("removes what a killed run left, and is not misled by it", async () => {
      const parent = join(dir, "cache", "secured-web", "pulumi");
      fake(join(parent, "partial-abc", "bin", "pulumi"), "v3.248.0");
      const good = source("Go module", "v3.248.0");
      await ensurePulumi({ env, sources: [good] });
      assert.equal(good.uses, 1);
      assert.deepEqual(readdirSync(parent), ["v3.248.0"]);
    });

    it("once for many who ask at the same time", async () => {
      const good = source("Go module", "v3.248.0");
      const all = await Promise.all(Array.from({ length: 4 }, () => ensurePulumi({ env, sources: [good] })));
      assert.equal(good.uses, 1);
      assert.equal(new Set(all.map(({ path }) => path)).size, 1);
    });

    it("not when it was interrupted", async () => {
      const good = source("Go module", "v3.248.0");
      await assert.rejects(ensurePulumi({ env, sources: [good], signal: AbortSignal.abort() }));
      assert.equal(good.uses, 0);
    });
  });

  describe("finds Go", () => {
    const versions: [string, NodeJS.ProcessEnv, boolean][] = [
      ["go version go1.21.0 linux/amd64", {}, true],
      ["go version go1.20.14 linux/amd64", {}, false],
      ["go version go1.24.1 linux/amd64", { GOTOOLCHAIN: "local" }, false],
      ["go version go1.26 linux/amd64", { GOTOOLCHAIN: "local" }, true],
      ["nonsense", {}, false],
    ];
    for (const [output, more, usable] of versions) {
      it(`${output} ${JSON.stringify(more)}: ${usable ? "can" : "cannot"} build`, async () => {
        fake(join(dir, "bin", "go"), output);
        assert.equal(typeof (await findGo({ ...env, ...more })) === "object", usable);
      });
    }
    it("tells that there is none", async () => assert.match(String(await findGo(env)), /Go is not on PATH/));
  });

  it("compares versions by their numbers", () => {
    assert.ok(isAtLeast("3.100.0", "3.99.9"));
    assert.ok(!isAtLeast("3.9.0", "3.10.0"));
    assert.ok(isAtLeast("20.19.0", "20.19.0"));
    assert.equal(parseVersion("go version go1.26 linux"), "1.26.0");
    assert.equal(parseVersion("none"), undefined);
  });
});
