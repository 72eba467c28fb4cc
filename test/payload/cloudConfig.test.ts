import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { cloudConfig } from "../../infra/userdata/cloudConfig";
import { compact } from "../../infra/userdata/compact";
import { checkUserDataSize, userDataLimitBytes } from "../../infra/userdata/limits";
import { parseUserData } from "./parsed";

const program = "/usr/local/lib/secured-web/program";

describe("payload: cloud-config", () => {
  it("gives back every text as it was, plain or compressed (property)", () => {
    const line = fc.string({ unit: "grapheme" }).map((text) => text.replace(/\p{Cc}/gu, ""));
    const text = fc.array(line, { minLength: 1 }).map((lines) => `${lines.join("\n")}.\n`);
    fc.assert(
      fc.property(text, text, (plain, compressed) => {
        const files = [
          { path: "/etc/a", permissions: "0644", content: plain },
          { path: program, permissions: "0755", content: compressed, isCompressed: true },
        ];
        const parsed = parseUserData(cloudConfig({ hostname: "h" }, files)).files;
        assert.deepEqual(parsed, [
          { path: "/etc/a", mode: 0o644, text: plain },
          { path: program, mode: 0o755, text: compressed },
        ]);
      }),
    );
  });

  it("keeps indented and blank first lines, tabs, and what YAML would read as something else", () => {
    for (const content of [
      "  indented\nnot\n",
      "\n\nlate\n",
      "\ttab\n",
      "yes\n",
      "- a: [1\n",
      "#x\n",
      "%YAML 1.2\n",
    ]) {
      const text = cloudConfig({}, [{ path: "/etc/a", permissions: "0600", content }]);
      assert.equal(parseUserData(text).files[0]!.text, content);
    }
  });

  for (const [what, content, error] of [
    ["a carriage return", "a\r\n", /\/etc\/a contains control characters/],
    ["a null character", "a\u0000\n", /\/etc\/a contains control characters/],
    ["no line break at the end", "a", /\/etc\/a must end with exactly one line break/],
    ["two line breaks at the end", "a\n\n", /\/etc\/a must end with exactly one line break/],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.throws(() => cloudConfig({}, [{ path: "/etc/a", permissions: "0644", content }]), error);
    });
  }

  it("compresses to the same bytes on every machine", () => {
    const content = Array.from({ length: 400 }, (_, i) => `line ${i * i}\n`).join("");
    const text = cloudConfig({}, [{ path: program, permissions: "0755", content, isCompressed: true }]);
    assert.equal(
      createHash("sha256").update(text).digest("hex"),
      "35fc62e6641d2e08e2bd74c184880ae54b18ef01128a0cae93adb8f46ac0ee4a",
    );
  });
});

describe("payload: what is left out", () => {
  it("drops comments and blank lines, and keeps a shebang", () => {
    assert.equal(compact("/x", "#!/bin/sh\n# why\n\nrun # here\n"), "#!/bin/sh\nrun # here\n");
    assert.equal(compact("/x.sql", "-- why\nSELECT '--' ;\n"), "SELECT '--' ;\n");
    assert.equal(compact("/etc/apt/apt.conf.d/x", '// why\nA "http://x";\n'), 'A "http://x";\n');
    assert.equal(compact("/etc/x", "# first line\na = 1\n"), "a = 1\n");
  });

  it("drops Python's docstrings, and no string that is a value", () => {
    const source =
      '"""Why.\n\nMore."""\n\nX = """\ntext "quoted"\n"""\n\ndef f():\n    """One line."""\n    return X\n';
    assert.equal(compact("/x.py", source), 'X = """\ntext "quoted"\n"""\ndef f():\n\treturn X\n');
  });
});

describe("payload: size of user data", () => {
  it("takes 64 KiB, and not a byte more; bytes, not characters", () => {
    checkUserDataSize("dev-node-1", "x".repeat(userDataLimitBytes));
    for (const text of ["x".repeat(65_537), "\u00e9".repeat(32_769)]) {
      assert.throws(
        () => checkUserDataSize("dev-node-1", text),
        /^UserDataError: the user data of dev-node-1 has 6553[78] bytes, and DigitalOcean accepts at most 65536\. Shorten/,
      );
    }
  });
});
