import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { base85 } from "../../infra/userdata/base85";
import { comesLater } from "../../infra/userdata/firstRelease";
import { hostFiles } from "../../infra/userdata/hostFiles";
import { renderUserData } from "../../infra/userdata/render";
import { compressedFirstReleasePath } from "../../policy/evidence/release-form";
import { parseUserData } from "../../policy/evidence/user-data";
import { contextsOf, fakeSecrets } from "../payload/contexts";

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
  const mimeHead = 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="x"\n\n';
  const mime = (...parts: readonly (readonly [type: string, body: string, headers?: string])[]) =>
    `${mimeHead}${parts.map(([type, body, headers = ""]) => `--x\nContent-Type: ${type}; charset="utf-8"\n${headers}\n${body}\n`).join("")}--x--\n`;
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

  it("writes deferred files last, with cloud-init's forms of true, and normalizes paths", () => {
    for (const defer of [true, "true", "yes", "on", "1", 1]) {
      const { files } = contentOf(
        `#cloud-config\n${JSON.stringify({
          write_files: [
            { path: "/etc/nginx/conf.d/p.conf", content: "deferred", defer },
            { path: "/etc/nginx/conf.d/p.conf", content: "first" },
          ],
        })}`,
      );
      assert.equal(files.get("/etc/nginx/conf.d/p.conf"), "deferred", JSON.stringify(defer));
    }
    const { files } = contentOf(
      `#cloud-config\n${JSON.stringify({
        write_files: [
          { path: "/etc/nginx/a.conf", content: "one", defer: false },
          { path: "/etc//nginx/../nginx/a.conf", content: "two", append: "yes" },
          { path: "etc/nginx/b.conf", content: "three" },
        ],
        runcmd: ["echo four > /etc/nginx/c.conf"],
      })}`,
    );
    assert.deepEqual(
      [...files],
      [
        ["/etc/nginx/a.conf", "onetwo"],
        ["/etc/nginx/b.conf", "three"],
        ["/etc/nginx/c.conf", "four\n"],
      ],
    );
  });

  it("finds packages and the words of commands in every form that cloud-init takes", () => {
    const { packages, words } = contentOf(
      '#cloud-config\npackages: [nginx, [mysql-server, "8.4"], {apt: [haproxy]}]\nruncmd:\n- apt-get install -y mariadb-server\n- [sh, -c, "mysqld --x"]\n',
    );
    assert.deepEqual(packages, ["nginx", "mysql-server", "8.4", "haproxy", "mariadb-server"]);
    for (const word of ["mariadb-server", "mysqld"]) assert.ok(words.has(word));
  });

  it("takes the last of two equal keys, as PyYAML does", () => {
    assert.deepEqual(contentOf("#cloud-config\npackages: [a]\npackages: [b]\n").packages, ["b"]);
  });

  for (const [what, data] of [
    ["a MIME multi-part that is not ended", `${mimeHead}--x\nContent-Type: text/cloud-config\n\nmarker\n`],
    ["a MIME multi-part with an include", mime(["text/x-include-url", "https://marker.example.com\n"])],
    ["a MIME multi-part with a part handler", mime(["text/plain", "#part-handler\nmarker\n"])],
    [
      "a MIME multi-part with an unknown encoding",
      `${mimeHead}--x\nContent-Transfer-Encoding: marker\n\nx\n--x--\n`,
    ],
    ["a MIME multi-part without a boundary", "MIME-Version: 1.0\nContent-Type: multipart/mixed\n\nmarker\n"],
    ["a part with an unknown merge type", mime(["text/cloud-config", "merge_how: marker()\na: 1\n"])],
    ["an include", "#include\nhttps://marker.example.com\n"],
    ["an include that is fetched once", "#include-once\nhttps://marker.example.com\n"],
    ["a JSON patch", '#cloud-config-jsonp\n[{"op": "add", "path": "/marker", "value": 1}]\n'],
    ["a bomb in base64", base64(gzipSync(Buffer.alloc(64 * 1024 * 1024)))],
    [
      "broken gzip in base64",
      base64(Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.from("marker, and more")])),
    ],
    ["an archive that is a mapping", "#cloud-config-archive\nmarker: 1\n"],
    [
      "an archive with an include",
      "#cloud-config-archive\n- type: text/x-include-url\n  content: https://marker.example.com\n",
    ],
    ["a template", "## template: jinja\n#cloud-config\npackages: [{{ marker }}]\n"],
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

  describe("in several parts", () => {
    const config = (value: Readonly<Record<string, unknown>>) => JSON.stringify(value);
    const fileA = config({ write_files: [{ path: "/etc/a", content: "1" }] });
    const fileB = config({ write_files: [{ path: "/etc/b", content: "2" }] });
    const paths = (data: string) => [...contentOf(data).files.keys()];

    it("lets a later cloud-config replace the keys of an earlier one, as cloud-init does", () => {
      assert.deepEqual(paths(mime(["text/cloud-config", fileA], ["text/cloud-config", fileB])), ["/etc/b"]);
    });

    for (const [what, headers, body] of [
      ["a header", "Merge-Type: list(append)+dict(no_replace, recurse_list)+str()\n", fileB],
      ["a header with X-", "X-Merge-Type: dict(recurse_array)+list(append)\n", fileB],
      [
        "its own key",
        "",
        config({
          merge_how: [
            { name: "list", settings: ["append"] },
            { name: "dict", settings: ["no_replace", "recurse_list"] },
          ],
          ...JSON.parse(fileB),
        }),
      ],
      [
        "its own key as text",
        "",
        config({ merge_type: "list(append)+dict(recurse_list)", ...JSON.parse(fileB) }),
      ],
    ] as const) {
      it(`appends where the later part says so by ${what}`, () => {
        const parts = mime(["text/cloud-config", fileA], ["text/cloud-config", body, headers]);
        assert.deepEqual(paths(parts), ["/etc/a", "/etc/b"]);
      });
    }

    it("prepends, keeps, and replaces by index, where the merge type says so", () => {
      const merged = (type: string) =>
        contentOf(
          mime(
            ["text/cloud-config", config({ packages: ["a", "b"] })],
            ["text/cloud-config", config({ packages: ["c"] }), `Merge-Type: ${type}\n`],
          ),
        ).packages;
      assert.deepEqual(merged("list(prepend)+dict(recurse_list)"), ["c", "a", "b"]);
      assert.deepEqual(merged("list(no_replace)+dict(recurse_list)"), ["a", "b"]);
      assert.deepEqual(merged("list(replace)+dict(recurse_list)"), ["c", "b"]);
      assert.deepEqual(merged("dict(no_replace)"), ["a", "b"]);
    });

    it("reads scripts, boot hooks and cloud-configs of one message", () => {
      const content = contentOf(
        mime(
          ["text/x-shellscript", "#!/bin/sh\napt-get install -y nginx\n"],
          ["text/cloud-boothook", "#cloud-boothook\n#!/bin/sh\necho hook > /etc/hook\n"],
          ["text/plain", `#cloud-config\n${fileA}`],
          ["image/png", "marker"],
        ),
      );
      assert.deepEqual(
        [...content.files],
        [
          ["/etc/a", "1"],
          ["/etc/hook", "hook\n"],
        ],
      );
      assert.deepEqual(content.packages, ["nginx"]);
    });

    it("reads base64, quoted-printable and compressed parts, and parts within parts", () => {
      const cloud = `#cloud-config\n${fileA}`;
      const quoted = cloud.replaceAll("=", "=3D").replace('"path"', '"pa=\nth"').replace("/etc", "=2Fetc");
      const inner = `--y\nContent-Type: text/cloud-config\n\n${fileA}\n--y--\n`;
      for (const data of [
        mime(["text/plain", base64(cloud).replace(/.{20}/g, "$&\n"), "Content-Transfer-Encoding: base64\n"]),
        mime(["text/cloud-config", quoted, "Content-Transfer-Encoding: quoted-printable\n"]),
        mime(["application/x-gzip", base64(gzipSync(cloud)), "Content-Transfer-Encoding: base64\n"]),
        mime(["multipart/mixed; boundary=y", inner]),
        mime(["text/cloud-config", fileA]).replaceAll("\n", "\r\n"),
      ]) {
        assert.deepEqual([...contentOf(data).files], [["/etc/a", "1"]], data);
      }
    });

    it("reads an archive of texts and typed parts", () => {
      const archive = `#cloud-config-archive\n${JSON.stringify([
        fileA,
        { type: "text/x-shellscript", content: "#!/bin/sh\napt install nginx\n" },
        { content: fileB, "Merge-Type": "list(append)+dict(recurse_list)" },
      ])}`;
      const content = contentOf(archive);
      assert.deepEqual([[...content.files.keys()], content.packages], [["/etc/a", "/etc/b"], ["nginx"]]);
    });

    it("reads a whole user data as base64, as gzip in base64, and as a template without templating", () => {
      const cloud = `#cloud-config\n${fileA}`;
      for (const data of [base64(cloud), base64(gzipSync(cloud)), `## template: jinja\n${cloud}`])
        assert.deepEqual(paths(data), ["/etc/a"]);
    });
  });

  describe("with a first release", () => {
    const path = "/var/lib/secured-web/first-release.json";
    const file = { path: "/etc/nginx/nginx.conf", mode: "0600", content: text };
    const release = { number: 0, stack: "dev", host: "web-1", version: "1", files: [file] };
    const withRelease = (document: unknown, more: readonly object[] = []) => {
      const content = typeof document === "string" ? document : JSON.stringify(document);
      const entry = { path, encoding: "gz+b64", content: base64(gzipSync(content)) };
      const runcmd = ["echo late > /etc/late"];
      return `#cloud-config\n${JSON.stringify({ write_files: [...more, entry], runcmd })}`;
    };

    it("reads its files and their modes, which replace those of cloud-init", () => {
      const before = [
        { path: file.path, content: "server { listen 80; }" },
        { path: "/etc/other", content: "kept" },
      ];
      const { files, modes } = contentOf(withRelease(release, before));
      assert.equal(files.get(file.path), text);
      assert.equal(files.get("/etc/other"), "kept");
      assert.deepEqual(modes.get(file.path), { permissions: "0600" });
      assert.equal(files.get("/etc/late"), "late\n");
    });

    it("reads all files of the program's own user data: of a host's files it lacks only the release program's larger part", () => {
      for (const context of contextsOf({ topology: "separated" })) {
        const userData = renderUserData(context, fakeSecrets(context.host));
        const { files, modes } = contentOf(userData);
        const expected = hostFiles(context, fakeSecrets(context.host)).filter(
          ({ path }) => !comesLater(path),
        );
        assert.ok(expected.length > 30);
        for (const one of expected) {
          assert.equal(files.get(one.path), one.content, one.path);
          // cloud-init's default, for the unpacker, which cloud-init writes.
          assert.equal(modes.get(one.path)?.permissions ?? "0644", one.permissions, one.path);
        }
      }
    });

    const encoded = (content: string) =>
      `#cloud-config\n${JSON.stringify({ write_files: [{ path: compressedFirstReleasePath, content }] })}`;

    it("reads one whose texts have raw line breaks and tabs, and escaped ones", () => {
      const content = 'a\\nb\tc\nd\\\n"e\\t';
      const document = { ...release, files: [{ ...file, content }] };
      for (const json of [JSON.stringify(document), JSON.stringify(document).replaceAll("\\nd", "\nd")]) {
        const { files } = contentOf(encoded(base85(gzipSync(json))));
        assert.equal(files.get(file.path), content);
      }
    });

    it("reads one that is compressed, in base85, of every length", () => {
      for (let length = 0; length < 8; length++) {
        const document = { ...release, version: "1".repeat(length) };
        const { files } = contentOf(encoded(`${base85(gzipSync(JSON.stringify(document)))}\n`));
        assert.equal(files.get(file.path), text);
      }
    });

    for (const [what, content] of [
      ["in no base85", '"SECRET'],
      ["with too large a word", "~~~~~"],
      ["that is cut", base85(gzipSync(JSON.stringify(release))).slice(0, 40)],
    ] as const) {
      it(`cannot be read where that is one ${what}, and quotes nothing of it`, () => {
        const parsed = parseUserData(encoded(content));
        assert.ok(parsed.kind === "unreadable");
        assert.match(parsed.reason, /^a (first )?release (that|whose payload) is not/);
        assert.ok(!parsed.reason.includes("SECRET"));
      });
    }

    for (const [what, document] of [
      ["that is not JSON", "SECRET"],
      ["that is a text", JSON.stringify("SECRET")],
      ["without a host", { ...release, host: undefined }],
      ["without files", { ...release, files: undefined }],
      ["with a file without content", { ...release, files: [{ ...file, content: undefined }] }],
      ["with a relative path", { ...release, files: [{ ...file, path: "SECRET" }] }],
      ["with a mode that is none", { ...release, files: [{ ...file, mode: "SECRET" }] }],
      ["with the same path twice", { ...release, files: [file, file] }],
    ] as const) {
      it(`cannot be read where that is one ${what}, and quotes nothing of it`, () => {
        const parsed = parseUserData(withRelease(document));
        assert.ok(parsed.kind === "unreadable");
        assert.match(parsed.reason, /^a release /);
        assert.ok(!parsed.reason.includes("SECRET"));
      });
    }

    it("cannot be read where that is in an unknown encoding", () => {
      const parsed = parseUserData(withRelease(release).replace("gz+b64", "rot13"));
      assert.deepEqual(parsed, {
        kind: "unreadable",
        reason: "a cloud-config with a first release that cannot be decoded",
      });
    });
  });

  describe("of scripts", () => {
    const script = (text: string) => contentOf(`#!/bin/bash\n${text}`);
    const site = "server { listen 443 ssl; }\n";

    const writing: readonly (readonly [string, string])[] = [
      ["cat and a here-document", `cat > /etc/nginx/a.conf <<'EOF'\n${site}EOF\n`],
      ["a here-document before the file", `cat <<'EOF' > /etc/nginx/a.conf\n${site}EOF\n`],
      ["a here-document without expansions", `cat <<EOF >/etc/nginx/a.conf\n${site}EOF\n`],
      ["a here-document with tabs", `cat <<-EOF >/etc/nginx/a.conf\n\t${site}\tEOF\n`],
      ["tee", `sudo tee /etc/nginx/a.conf > /dev/null << "EOF"\n${site}EOF\n`],
      ["tee behind a pipe", `cat << 'EOF' | sudo tee /etc/nginx/a.conf\n${site}EOF\n`],
      ["echo", `echo "${site.trim()}" > /etc/nginx/a.conf`],
      [
        "echo in parts",
        `echo -n 'server { listen ' > /etc/nginx/a.conf; echo '443 ssl; }' >> /etc/nginx/a.conf`,
      ],
      ["printf", `printf '%s\\n' '${site.trim()}' > /etc/nginx/a.conf`],
      ["printf of a text", `if true; then printf 'server { listen 443 ssl; }\\n' > /etc/nginx/a.conf; fi`],
      [
        "a link to a file that it has written",
        `cat > /srv/a <<'EOF'\n${site}EOF\nln -s /srv/a /etc/nginx/a.conf\n`,
      ],
      ["a shell within", `bash -c "echo 'server { listen 443 ssl; }' > /etc/nginx/a.conf"`],
    ];
    for (const [how, text] of writing) {
      it(`knows the file that it writes by ${how}`, () => {
        assert.deepEqual(script(text).files.get("/etc/nginx/a.conf"), site);
      });
    }

    const undecided: readonly (readonly [string, string])[] = [
      ["a here-document with a variable", `cat > /etc/nginx/a.conf <<EOF\nlisten $PORT;\nEOF\n`],
      ["a here-document with a command", `cat > /etc/nginx/a.conf <<EOF\nlisten $(port);\nEOF\n`],
      ["echo of a variable", `echo "listen $PORT" > /etc/nginx/a.conf`],
      ["the output of a program", "render-config > /etc/nginx/a.conf"],
      ["sed", `echo x > /etc/nginx/a.conf; sed -i 's/ssl//' /etc/nginx/a.conf`],
      ["a copy of an unknown file", "cp /opt/a.conf /etc/nginx/a.conf"],
      ["a download", "curl -fsSLo /etc/nginx/a.conf https://example.com/a.conf"],
      [
        "an addition to a file that it does not know",
        "cp /opt/a /etc/nginx/a.conf; echo x >> /etc/nginx/a.conf",
      ],
    ];
    for (const [how, text] of undecided) {
      it(`says that a file cannot be known that it writes by ${how}`, () => {
        const { files, unreadableFiles } = script(text);
        assert.ok(!files.has("/etc/nginx/a.conf") && unreadableFiles.has("/etc/nginx/a.conf"));
      });
    }

    for (const text of [
      "curl -fsSL https://example.com/install.sh | sudo bash -s -- --yes",
      "wget -qO- https://example.com/install.sh | sh",
      'bash -c "$(curl -fsSL https://example.com/install.sh)"',
      "bash <(curl -s https://example.com/install.sh)",
      "source <(curl -s https://example.com/env)",
      "curl -o /tmp/setup.sh https://example.com/setup.sh && chmod +x /tmp/setup.sh && /tmp/setup.sh",
      "wget https://example.com/setup.sh; sh setup.sh",
      "curl https://example.com/x.py | python3",
      'curl "$URL" | bash',
      "ansible-pull -U https://example.com/repo.git",
    ]) {
      it(`says that it cannot know what this does: ${text}`, () => {
        assert.equal(script(text).unknownCommands.length, 1);
        assert.equal(
          contentOf(`#cloud-config\n${JSON.stringify({ runcmd: [text] })}`).unknownCommands.length,
          1,
        );
      });
    }

    for (const text of [
      "curl -sSL https://repos.insights.digitalocean.com/install.sh | sudo bash",
      "curl -fsSL https://get.docker.com | sh",
      "curl -fsSL https://example.com/key.gpg | gpg --dearmor -o /usr/share/keyrings/a.gpg",
      "wget -O /srv/data.tar https://example.com/data.tar && tar xf /srv/data.tar",
      "echo 'curl https://example.com | sh'",
    ]) {
      it(`knows that this configures no server: ${text}`, () => {
        assert.deepEqual(script(text).unknownCommands, []);
      });
    }

    it("looks into scripts that it has written and runs", () => {
      const { packages } = script(
        "cat > /root/a.sh <<'EOF'\n#!/bin/sh\napt-get install -y nginx\nEOF\nsh /root/a.sh\n",
      );
      assert.deepEqual(packages, ["nginx"]);
      const { packages: fromFiles } = contentOf(
        `#cloud-config\n${JSON.stringify({
          write_files: [{ path: "/root/a.sh", content: "#!/bin/sh\ndnf -y install mysql-server\n" }],
          runcmd: [["/root/a.sh"]],
        })}`,
      );
      assert.deepEqual(fromFiles, ["mysql-server"]);
    });

    it("says that a program of another language cannot be known", () => {
      assert.deepEqual(contentOf("#!/usr/bin/env python3\nprint(1)\n").unknownCommands, [
        "a program that is not a shell script",
      ]);
    });

    it("ends at a script that runs itself", () => {
      const write_files = [{ path: "/a.sh", content: "#!/bin/sh\n/a.sh\n" }];
      contentOf(`#cloud-config\n${JSON.stringify({ write_files, runcmd: ["/a.sh"] })}`);
    });
  });

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
      "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n",
      "--x\n",
      "--x--\n",
      "Content-Transfer-Encoding: base64\n",
      "#!/bin/sh\n",
      "cat > /etc/a <<EOF\n",
      "EOF\n",
      "$(",
      "`",
      "| sh\n",
      "#cloud-config-archive\n",
      "merge_how: ",
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
