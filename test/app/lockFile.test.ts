/** The application is a workspace here and is installed alone on a host, by its own lock file. The two must agree. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(__dirname, "..", "..");
const read = (path: string) => JSON.parse(readFileSync(join(root, path), "utf8"));
const refresh = "Run in app/: npm install --package-lock-only --workspaces=false";

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly peer?: boolean;
}

describe("the application's lock file", () => {
  const own: Record<string, Locked> = read("app/package-lock.json").packages;
  const shared: Record<string, Locked> = read("package-lock.json").packages;

  it("locks what app/package.json asks for", () => {
    const { name, version, dependencies, engines, license } = read("app/package.json");
    assert.deepEqual(own[""], { name, version, license, dependencies, engines }, refresh);
  });

  it("names the packages that the tests run the application with", () => {
    // A host leaves peer packages out: they are types.
    const installed = Object.entries(own).filter(([path, { peer }]) => path !== "" && peer !== true);
    assert.ok(installed.length > 1);
    for (const [path, { version, integrity }] of installed) {
      assert.deepEqual(
        [shared[path]?.version, shared[path]?.integrity],
        [version, integrity],
        `${path}. ${refresh}`,
      );
    }
  });
});
