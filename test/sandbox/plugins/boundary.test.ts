/** The rules of .dependency-cruiser.cjs that keep the stand-ins and the toolchain apart refuse what they should. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { runProgram } from "../../../scripts/processes";

const project = resolve(__dirname, "../../..");

/** The rule, the file that imports, and the file that it imports. */
const forbidden = [
  ["the-stand-in-plugins-have-one-entry", "scripts/session.ts", "sandbox/plugins/tls/keys.ts"],
  ["the-sandbox-has-one-public-module", "scripts/session.ts", "sandbox/plugins/tls/keys.ts"],
  ["the-sandbox-has-one-public-module", "scripts/plugins.ts", "sandbox/plugins/install.ts"],
  ["the-stand-in-plugins-have-one-entry", "sandbox/api/server.ts", "sandbox/plugins/provider/wait.ts"],
  ["the-stand-in-plugins-use-only-the-api", "sandbox/plugins/tls/client.ts", "sandbox/api/server.ts"],
  ["a-stand-in-plugin-imports-no-other", "sandbox/plugins/tls/provider.ts", "sandbox/plugins/random/draw.ts"],
  ["the-toolchain-has-two-entries", "scripts/doctor.ts", "scripts/toolchain/goModule.ts"],
] as const;
const allowed = [
  ["sandbox/index.ts", "sandbox/plugins/install.ts"],
  ["sandbox/plugins/random/main.ts", "sandbox/plugins/provider/fields.ts"],
  ["scripts/run.ts", "scripts/toolchain/pulumi.ts"],
] as const;

describe("the boundary of the stand-in plugins and the toolchain", function () {
  this.timeout(60_000);

  it("is checked by the import rules", async () => {
    const dir = mkdtempSync(join(tmpdir(), "boundary-"));
    try {
      for (const file of [".dependency-cruiser.cjs", "tsconfig.json"])
        copyFileSync(join(project, file), join(dir, file));
      const write = (file: string, text: string) => {
        mkdirSync(dirname(join(dir, file)), { recursive: true });
        writeFileSync(join(dir, file), text);
      };
      const imports = [...forbidden.map(([, from, to]) => [from, to] as const), ...allowed];
      for (const [, to] of imports) write(to, "export const there = 1;\n");
      for (const [from, to] of imports) {
        const path = relative(dirname(from), to).replace(/[.]ts$/, "");
        write(from, `export { there } from "./${path}";\n`);
      }
      const cruiser = join(project, "node_modules", ".bin", "depcruise");
      const { exitCode, stdout } = await runProgram(
        cruiser,
        ["--no-progress", "--output-type", "json", "sandbox", "scripts"],
        { cwd: dir },
      );
      assert.equal(exitCode, 0, stdout);
      const { summary } = JSON.parse(stdout) as {
        summary: { violations: { rule: { name: string }; from: string; to: string }[] };
      };
      assert.deepEqual(
        summary.violations.map(({ rule, from, to }) => [rule.name, from, to].join(" ")).sort(),
        forbidden.map((each) => each.join(" ")).sort(),
      );
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
