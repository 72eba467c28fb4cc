import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { satisfies } from "semver";

const PROJECT = join(__dirname, "../..");

/** Runs an expression on the exports of one of our .mjs files, in a process of its own. */
function evaluate(dir: string, module: string, expression: string): unknown {
  const code = `const m = await import(${JSON.stringify(join(dir, "scripts", module))}); console.log(JSON.stringify(await (${expression}) ?? null))`;
  return JSON.parse(
    execFileSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" }),
  );
}

describe("set-up of a clone", function () {
  this.timeout(60_000);
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "setup-"));
    mkdirSync(join(dir, "scripts"));
    for (const file of ["setup.mjs", "build.mjs", "run.mjs", "doctor.mjs", "toolchain/find.mjs"]) {
      cpSync(join(PROJECT, "scripts", file), join(dir, "scripts", file));
    }
    mkdirSync(join(dir, "sandbox"));
    for (const file of ["lock.mjs", "bundle.mjs"])
      cpSync(join(PROJECT, "sandbox", file), join(dir, "sandbox", file));
    mkdirSync(join(dir, "policy"));
    cpSync(join(PROJECT, "policy", "bundle.mjs"), join(dir, "policy", "bundle.mjs"));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const mismatch = () => evaluate(dir, "setup.mjs", "m.packagesMismatch()");
  function packages(file: string, content: Record<string, unknown>): void {
    mkdirSync(join(dir, file, ".."), { recursive: true });
    writeFileSync(join(dir, file), JSON.stringify({ packages: content }));
  }

  it("sees packages that are missing, old or right, and does not miss those of other platforms", () => {
    const wanted = {
      "": {},
      "node_modules/a": { version: "1.0.0" },
      "node_modules/win": { version: "2.0.0", optional: true },
    };
    packages("package-lock.json", wanted);
    assert.match(String(mismatch()), /node_modules is missing/);
    packages("node_modules/.package-lock.json", { "node_modules/a": { version: "0.9.0" } });
    assert.match(String(mismatch()), /node_modules\/a is not the version/);
    packages("node_modules/.package-lock.json", {});
    assert.match(String(mismatch()), /node_modules\/a is not the version/);
    packages("node_modules/.package-lock.json", { "node_modules/a": { version: "1.0.0" } });
    assert.equal(mismatch(), null);
  });

  it("refuses an old Node.js by version, with what is needed", () => {
    assert.match(
      String(evaluate(dir, "setup.mjs", 'm.nodeProblem("20.18.3")')),
      /20\.19\.0 or newer is required, found 20\.18\.3/,
    );
    assert.equal(evaluate(dir, "setup.mjs", 'm.nodeProblem("22.0.0")'), null);
  });

  it("installs only packages that run on the minimum Node.js: npm ci warns about others", () => {
    const minimum = String(evaluate(dir, "setup.mjs", "m.MINIMUM_NODE"));
    const text = readFileSync(join(PROJECT, "package-lock.json"), "utf8");
    const { packages } = JSON.parse(text) as { packages: Record<string, { engines?: { node?: string } }> };
    const ranges = Object.entries(packages).map(
      ([path, entry]) => [path, entry.engines?.node ?? "*"] as const,
    );
    assert.ok(ranges.length > 300);
    assert.deepEqual(
      ranges.filter(([, range]) => !satisfies(minimum, range)),
      [],
    );
  });

  it("builds when a source is new or changed, and not otherwise", () => {
    cpSync(join(PROJECT, "node_modules", "esbuild"), join(dir, "node_modules", "esbuild"), {
      recursive: true,
    });
    cpSync(join(PROJECT, "node_modules", "@esbuild"), join(dir, "node_modules", "@esbuild"), {
      recursive: true,
    });
    const source = join(dir, "sandbox/plugins/random/main.ts");
    mkdirSync(join(source, ".."), { recursive: true });
    writeFileSync(source, 'import { word } from "./word";\nconsole.log(word);\n');
    writeFileSync(join(source, "../word.ts"), 'export const word: string = "one";\n');
    const stale = () => evaluate(dir, "build.mjs", "m.buildIsStale()");
    const build = () => evaluate(dir, "build.mjs", "m.buildAll()");
    const output = () => readFileSync(join(dir, "sandbox/build/plugins/random/main.js"), "utf8");
    assert.equal(stale(), true);
    build();
    assert.equal(stale(), false);
    assert.match(output(), /one/);
    writeFileSync(join(source, "../word.ts"), 'export const word: string = "two";\n');
    assert.equal(stale(), true, "an imported file changed");
    build();
    assert.match(output(), /two/);
    rmSync(join(dir, "sandbox/build"), { recursive: true });
    assert.equal(stale(), true, "the output is gone");
    build();
    utimesSync(join(dir, "scripts/build.mjs"), new Date(), new Date(0));
    assert.equal(stale(), true, "the build itself changed");
  });

  it("is told by doctor on a fresh clone, which changes nothing", () => {
    cpSync(join(PROJECT, "package-lock.json"), join(dir, "package-lock.json"));
    for (const file of [
      "sandbox/hosts/packages.mjs",
      "sandbox/hosts/packages.json",
      "sandbox/spaces/gateway/go.mod",
      "scripts/hosts/elsewhere.mjs",
      "test/tools.json",
    ])
      cpSync(join(PROJECT, file), join(dir, file));
    const before = readdirSync(dir, { recursive: true }).sort();
    const { stdout, status } = spawnSync(process.execPath, ["scripts/run.mjs", "doctor"], {
      cwd: dir,
      encoding: "utf8",
      env: { ...process.env, SECURED_WEB_HOME: join(dir, "home"), SECURED_WEB_API_PORT: "1" },
    });
    assert.match(stdout, /will get +npm packages +node_modules is missing\. Run: npm ci/);
    assert.match(stdout, /will get +Pulumi plugins/);
    assert.ok(status === 0 || status === 1);
    assert.deepEqual(readdirSync(dir, { recursive: true }).sort(), before);
  });
});
