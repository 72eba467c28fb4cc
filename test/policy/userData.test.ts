import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { parseUserData } from "../../policy/evidence/user-data";

function contentOf(text: string) {
  const parsed = parseUserData(text);
  assert.ok(parsed.kind !== "unreadable", JSON.stringify(parsed));
  return parsed.content;
}

const oneFile = (entry: Readonly<Record<string, unknown>>) =>
  contentOf(`#cloud-config\n${JSON.stringify({ write_files: [{ path: "/etc/a", ...entry }] })}`);

describe("user data", () => {
  const text = "server { listen 443 ssl; }\n";
  const base64 = (bytes: Buffer | string) => Buffer.from(bytes).toString("base64");
  const encodings: readonly [string, Readonly<Record<string, unknown>>][] = [
    ["plain text", { content: text }],
    ["text/plain", { content: text, encoding: "text/plain" }],
    ["base64", { content: base64(text), encoding: "base64" }],
    ["b64", { content: base64(text), encoding: "b64" }],
    ["base64 over lines", { content: base64(text).replace(/.{8}/g, "$&\n"), encoding: "b64" }],
    ["gz+b64", { content: base64(gzipSync(text)), encoding: "gz+b64" }],
    ["gzip+base64", { content: base64(gzipSync(text)), encoding: "gzip+base64" }],
    ["capitals", { content: base64(gzipSync(text)), encoding: "GZIP+Base64" }],
  ];
  for (const [name, entry] of encodings) {
    it(`reads a file in ${name}`, () => assert.equal(oneFile(entry).files.get("/etc/a"), text));
  }

  it("reads a file as a YAML binary", () => {
    const { files } = contentOf(
      `#cloud-config\nwrite_files:\n- path: /etc/a\n  content: !!binary ${base64(text)}\n`,
    );
    assert.equal(files.get("/etc/a"), text);
  });

  it("reads a compressed file as a YAML binary", () => {
    const { files } = contentOf(
      `#cloud-config\nwrite_files:\n- path: /etc/a\n  encoding: gzip\n  content: !!binary ${base64(gzipSync(text))}\n`,
    );
    assert.equal(files.get("/etc/a"), text);
  });

  const unreadable: readonly [string, Readonly<Record<string, unknown>>][] = [
    ["an unknown encoding", { content: "x", encoding: "rot13" }],
    ["an encoding that is no string", { content: "x", encoding: 7 }],
    ["a broken compression", { content: base64("x"), encoding: "gz+b64" }],
    ["a compression bomb", { content: base64(gzipSync(Buffer.alloc(64 * 1024 * 1024))), encoding: "gz+b64" }],
    ["another address", { source: { uri: "https://example.com/a" } }],
    ["content that is a list", { content: ["x"] }],
  ];
  for (const [name, entry] of unreadable) {
    it(`says that a file with ${name} cannot be read`, () => {
      const { files, unreadableFiles } = oneFile(entry);
      assert.ok(!files.has("/etc/a") && unreadableFiles.has("/etc/a"));
    });
  }

  it("puts appended texts together, and lets the last one win else", () => {
    const write_files = [
      { path: "/a", content: "1" },
      { path: "/a", content: "2", append: true },
      { path: "/b", content: "1" },
      { path: "/b", content: "2" },
    ];
    const { files } = contentOf(`#cloud-config\n${JSON.stringify({ write_files })}`);
    assert.deepEqual(
      [...files],
      [
        ["/a", "12"],
        ["/b", "2"],
      ],
    );
  });

  it("finds packages and the words of commands in every form that cloud-init takes", () => {
    const { packages, words } = contentOf(
      '#cloud-config\npackages: [nginx, [mysql-server, "8.4"], {apt: [haproxy]}]\nruncmd:\n- apt-get install -y mariadb-server\n- [sh, -c, "mysqld --x"]\n',
    );
    assert.deepEqual(packages, ["nginx", "mysql-server", "8.4", "haproxy"]);
    for (const word of ["mariadb-server", "mysqld"]) assert.ok(words.has(word));
  });

  it("takes the last of two equal keys, as PyYAML does", () => {
    assert.deepEqual(contentOf("#cloud-config\npackages: [a]\npackages: [b]\n").packages, ["b"]);
  });

  for (const [what, data] of [
    ["MIME multi-part", 'Content-Type: multipart/mixed; boundary="x"\n\n--x\nmarker\n'],
    ["an include", "#include\nhttps://marker.example.com\n"],
    ["a template", "## template: jinja\n#cloud-config\npackages: [marker]\n"],
    ["an archive of cloud-config", "#cloud-config-archive\n- marker\n"],
    ["broken YAML", "#cloud-config\nwrite_files: [marker\n"],
    ["YAML that is a list", "#cloud-config\n- marker\n"],
    [
      "an alias bomb",
      `#cloud-config\na: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefgh"
        .split("")
        .map((name, i, all) => `${name}: &${name} [${`*${all[i - 1] ?? "a"},`.repeat(9)}]`)
        .join("\n")}\n`,
    ],
    ["anything else", "marker\n"],
  ] as const) {
    it(`says that ${what} cannot be read, and quotes nothing of it`, () => {
      const parsed = parseUserData(data);
      assert.equal(parsed.kind, "unreadable");
      assert.ok(parsed.kind === "unreadable" && !parsed.reason.includes("marker"));
    });
  }

  it("reads a script's words", () => {
    const parsed = parseUserData("#!/bin/bash\napt-get install -y nginx mysql-server\n");
    assert.ok(parsed.kind === "script" && parsed.content.words.has("nginx"));
  });

  it("never throws", () => {
    const piece = fc.constantFrom(
      "#cloud-config\n",
      "write_files:\n",
      "- path: /a\n",
      "  content: |\n",
      "  encoding: b64\n",
      "&a ",
      "*a",
      "{",
      "[",
      "!!binary ",
      "? ",
      ": ",
      "- ",
      "\n",
      "%YAML 1.1\n",
      "<<: ",
      "'",
      '"',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 5 })), { maxLength: 40 }), (parts) => {
        parseUserData(parts.join(""));
        parseUserData(`#cloud-config\n${parts.join("")}`);
      }),
      { numRuns: 2_000 },
    );
  });
});
