/**
 * One text for each host: every file as it lands, so that a reviewer sees what a change does to a droplet. Programs
 * (the same on every host, and in this repository) stand with their hash. UPDATE_GOLDEN=1 writes the texts anew.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderUserData } from "../../infra/userdata/render";
import { contextsOf, datadog, fakeSecrets, type Variant } from "./contexts";
import { parseUserData } from "./parsed";

const folder = join(__dirname, "golden");
const stacks: Record<string, Variant> = {
  "converged-reencrypt-group": { topology: "converged" },
  "separated-reencrypt-group": {
    topology: "separated",
    settings: { monitoring: datadog, environment: "production", operatorNetworks: [] },
  },
  "converged-passthrough-source-replica": {
    topology: "converged",
    settings: { tls: "passthrough", replication: "source-replica" },
  },
};

function golden(userData: string): string {
  const { settings, files } = parseUserData(userData);
  const head = Object.entries(settings).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  const bodies = files.map(({ path, mode, text }) => {
    const title = `=== ${path} ${mode.toString(8).padStart(4, "0")}`;
    const isProgram = path.startsWith("/usr/local/lib/secured-web/");
    return isProgram
      ? `${title} sha256:${createHash("sha256").update(text).digest("hex")}\n`
      : `${title}\n${text}`;
  });
  return [`${head.join("\n")}\n`, ...bodies].join("\n");
}

describe("payload: golden user data", () => {
  const update = process.env.UPDATE_GOLDEN === "1";
  const expected = Object.entries(stacks).flatMap(([stack, variant]) =>
    contextsOf(variant).map((context) => ({ path: join(stack, `${context.host.name}.txt`), context })),
  );
  before(() => {
    if (update) rmSync(folder, { recursive: true, force: true });
  });

  for (const { path, context } of expected) {
    it(path, () => {
      const text = golden(renderUserData(context, fakeSecrets(context.host)));
      const file = join(folder, path);
      if (update) {
        mkdirSync(join(file, ".."), { recursive: true });
        writeFileSync(file, text);
      }
      assert.ok(
        existsSync(file),
        "no golden text: run UPDATE_GOLDEN=1 npx mocha test/payload/golden.test.ts",
      );
      assert.equal(text, readFileSync(file, "utf8"));
    });
  }

  it("has a text for each host, and none that is left over", () => {
    const found = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
    assert.deepEqual(found.sort(), expected.map(({ path }) => path).sort());
  });
});
