import assert from "node:assert/strict";
import fc from "fast-check";
import type { Directive } from "../../policy/parsers/directives";
import { parseHaproxy } from "../../policy/parsers/haproxy";
import { isPrivate, isWideOpen, parsePortRange, parsePrefix } from "../../policy/parsers/network";
import { parseNginx } from "../../policy/parsers/nginx";
import { parseOptionFile } from "../../policy/parsers/option-file";
import { findChangeSource } from "../../policy/parsers/sql";

describe("nginx parser", () => {
  const parse = (text: string): readonly Directive[] => {
    const parsed = parseNginx(text);
    assert.ok(parsed.ok, JSON.stringify(parsed));
    return parsed.directives;
  };

  it("reads directives, blocks, comments and lines", () => {
    assert.deepEqual(parse("user www; # who\nhttp {\n  server { listen 80; }\n}\n"), [
      { name: "user", args: ["www"], line: 1 },
      {
        name: "http",
        args: [],
        line: 2,
        block: [{ name: "server", args: [], line: 3, block: [{ name: "listen", args: ["80"], line: 3 }] }],
      },
    ]);
  });

  const words: readonly [string, string, readonly string[]][] = [
    ["double quotes", `a "b c" "d;e";`, ["b c", "d;e"]],
    ["single quotes", `a 'b {c}';`, ["b {c}"]],
    ["escaped quotes", `a "b \\" c";`, [`b " c`]],
    ["a quote within a word", `a b"c;`, [`b"c`]],
    ["an escaped semicolon", `a b\\;c;`, ["b\\;c"]],
    ["a variable in braces", `a \${b}c;`, [`\${b}c`]],
    ["a hash within a word", "a b#c;", ["b#c"]],
    ["a word that spans lines", "a b\n  c;", ["b", "c"]],
    ["a pattern with braces in quotes", `a "~^/x{2}$";`, ["~^/x{2}$"]],
  ];
  for (const [what, text, args] of words) {
    it(`reads ${what}`, () => assert.deepEqual(parse(text), [{ name: "a", args, line: 1 }]));
  }

  it("takes Lua blocks as they are", () => {
    const [location] = parse(
      "location / { content_by_lua_block { if x then say('}'..\"{\") end } return 404; }",
    );
    assert.deepEqual(
      location?.block?.map(({ name }) => name),
      ["content_by_lua_block", "return"],
    );
  });

  const faults: readonly [string, string][] = [
    ["a directive without its semicolon", "listen 80"],
    ["a block that is not closed", "http { server { } "],
    ["a block that was not opened", "http { } }"],
    ["a quote that is not closed", `a "b;`],
    ["text after a closing quote", `a "b"c;`],
    ["a semicolon without a directive", ";"],
    ["a Lua block that is not closed", "a_by_lua_block { {"],
  ];
  for (const [what, text] of faults) {
    it(`refuses ${what}, and does not quote it`, () => {
      const parsed = parseNginx(`${text} # marker-secret`);
      assert.ok(!parsed.ok);
      assert.ok(!parsed.reason.includes("marker"));
    });
  }

  it("survives a million nested blocks", () => {
    assert.ok(parseNginx("a {".repeat(1_000_000) + "}".repeat(1_000_000)).ok);
  });
});

describe("HAProxy parser", () => {
  it("reads sections, words, quotes, escapes and comments", () => {
    const parsed = parseHaproxy(
      `# head\nglobal\n  log /dev/log local0 # tail\nbackend app from base\n  server a "10.0.0.1:80" a\\ b 'c "d"'\n`,
    );
    assert.deepEqual(parsed, {
      ok: true,
      sections: [
        { kind: "global", line: 2, lines: [{ words: ["log", "/dev/log", "local0"], line: 3 }] },
        {
          kind: "backend",
          name: "app",
          from: "base",
          line: 4,
          lines: [{ words: ["server", "a", "10.0.0.1:80", "a b", 'c "d"'], line: 5 }],
        },
      ],
    });
  });

  for (const [what, text] of [
    ["a quote that is not closed", `global\n  log "x`],
    ["a keyword before any section", "bind :80\n"],
    ["a conditional block", "global\n.if defined(X)\n"],
  ] as const) {
    it(`refuses ${what}`, () => assert.ok(!parseHaproxy(text).ok));
  }
});

describe("option file parser", () => {
  it("reads groups, options, comments, quotes and includes", () => {
    const parsed = parseOptionFile(
      `# head\n[mysqld]\nskip-name-resolve\nloose-Group_Replication-ssl_mode = "VERIFY_IDENTITY" # tail\ninit_connect='a#b'\n;x\n!includedir /etc/mysql/conf.d/\n[client]\nport=3306\n`,
    );
    assert.deepEqual(parsed, {
      ok: true,
      file: {
        options: [
          { group: "mysqld", name: "skip_name_resolve", line: 3 },
          { group: "mysqld", name: "group_replication_ssl_mode", value: "VERIFY_IDENTITY", line: 4 },
          { group: "mysqld", name: "init_connect", value: "a#b", line: 5 },
          { group: "client", name: "port", value: "3306", line: 9 },
        ],
        includes: [{ kind: "directory", path: "/etc/mysql/conf.d/", line: 7 }],
      },
    });
  });

  for (const [what, text] of [
    ["an option before any group", "port = 1\n"],
    ["a group without its bracket", "[mysqld\n"],
    ["an unknown directive", "!download x\n"],
  ] as const) {
    it(`refuses ${what}`, () => assert.ok(!parseOptionFile(text).ok));
  }
});

describe("SQL scanner", () => {
  const found = (text: string) =>
    findChangeSource(text).map(({ options, channel, line }) => ({
      ...Object.fromEntries(options),
      channel,
      line,
    }));

  it("finds statements in both forms, with their options and channels", () => {
    assert.deepEqual(
      found(
        "-- CHANGE MASTER TO MASTER_HOST='no'\nCHANGE REPLICATION SOURCE TO SOURCE_HOST = 'a', SOURCE_SSL=1 FOR CHANNEL 'c';\nchange master to MASTER_HOST='b';",
      ),
      [
        { SOURCE_HOST: "a", SOURCE_SSL: "1", channel: "c", line: 2 },
        { SOURCE_HOST: "b", channel: "", line: 3 },
      ],
    );
  });

  it("finds a statement that a shell hands to the client, and after a stray apostrophe", () => {
    assert.deepEqual(found(`#!/bin/sh\nmysql -e "CHANGE REPLICATION SOURCE TO SOURCE_HOST='a'"\n`), [
      { SOURCE_HOST: "a", channel: "", line: 2 },
    ]);
    assert.deepEqual(found("it's here\nCHANGE REPLICATION SOURCE TO SOURCE_HOST='a';"), [
      { SOURCE_HOST: "a", channel: "", line: 2 },
    ]);
  });

  it("finds nothing in comments and other statements", () => {
    assert.deepEqual(
      found("/* CHANGE MASTER TO MASTER_HOST='x' */ ALTER USER 'change'@'%'; # CHANGE MASTER TO"),
      [],
    );
  });
});

describe("addresses and ports", () => {
  const open = [
    "0.0.0.0/0",
    "::/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "8.0.0.0/7",
    "::ffff:0:0/96",
    "2000::/3",
    "11.0.0.0/15",
    "0.0.0.0/5",
  ];
  for (const text of open) {
    it(`${text} is open to the world`, () => {
      const prefix = parsePrefix(text);
      assert.ok(prefix !== undefined && isWideOpen(prefix));
    });
  }

  const closed = [
    "10.0.0.0/8",
    "192.168.1.0/24",
    "172.16.0.0/12",
    "203.0.113.7",
    "203.0.113.0/24",
    "fd00::/8",
    "2001:db8::/32",
    "::1",
    "::ffff:10.0.0.0/104",
    "100.64.0.0/10",
  ];
  for (const text of closed) {
    it(`${text} is not`, () => {
      const prefix = parsePrefix(text);
      assert.ok(prefix !== undefined && !isWideOpen(prefix));
    });
  }

  for (const text of [
    "",
    "everyone",
    "10.0.0.0/33",
    "::/129",
    "10.0.0.0/8/8",
    "10.0.0/8",
    "10.0.0.0/-1",
    "010.0.0.1",
  ]) {
    it(`"${text}" is no prefix`, () => assert.equal(parsePrefix(text), undefined));
  }

  it("knows that a prefix within a private one is private", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 255 }),
        fc.integer({ min: 0, max: 255 }),
        fc.integer({ min: 8, max: 32 }),
        (a, b, length) => {
          const prefix = parsePrefix(`10.${a}.${b}.0/${length}`);
          assert.ok(prefix !== undefined && isPrivate(prefix));
        },
      ),
    );
  });

  const ranges: readonly [string, { first: number; last: number } | undefined][] = [
    ["3306", { first: 3306, last: 3306 }],
    ["3300-3400", { first: 3300, last: 3400 }],
    ["all", { first: 1, last: 65535 }],
    ["0", { first: 1, last: 65535 }],
    ["", { first: 1, last: 65535 }],
    ["1-65536", undefined],
    ["9-1", undefined],
    ["mysql", undefined],
  ];
  for (const [text, range] of ranges) {
    it(`reads the ports "${text}"`, () => assert.deepEqual(parsePortRange(text), range));
  }
});

describe("parsers on anything", () => {
  const pieces = fc.constantFrom(
    "{",
    "}",
    ";",
    '"',
    "'",
    "\\",
    "#",
    "\n",
    " ",
    "[",
    "]",
    "=",
    "!include ",
    "server",
    "listen",
    "bind",
    "$",
    "CHANGE MASTER TO ",
    "a",
    "/*",
    "*/",
    "%[",
    "::",
    "/",
  );
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.array(pieces, { maxLength: 80 }).map((parts) => parts.join("")),
  );

  for (const [name, parse] of Object.entries({
    parseNginx,
    parseHaproxy,
    parseOptionFile,
    findChangeSource,
    parsePrefix,
    parsePortRange,
  })) {
    it(`${name} never throws`, () => {
      fc.assert(
        fc.property(text, (input) => {
          parse(input);
        }),
        { numRuns: 2_000 },
      );
    });
  }

  it("nginx: what is written from a tree reads as that tree", () => {
    const word = fc.stringMatching(/^[a-z0-9/.:*-]{1,12}$/);
    const { directive } = fc.letrec<{ directive: [string, string[], unknown[] | undefined] }>((tie) => ({
      directive: fc.tuple(
        word.filter((name) => !name.endsWith("_by_lua_block")),
        fc.array(word, { maxLength: 3 }),
        fc.option(fc.array(tie("directive"), { maxLength: 3 }), { nil: undefined, depthSize: "small" }),
      ),
    }));
    type Tree = [string, string[], Tree[] | undefined];
    const write = ([name, args, block]: Tree): string =>
      `${[name, ...args].join(" ")}${block === undefined ? ";" : ` {\n${block.map(write).join("\n")}\n}`}`;
    const read = ({ name, args, block }: Directive): Tree => [name, [...args], block?.map(read)];
    fc.assert(
      fc.property(fc.array(directive), (trees) => {
        const parsed = parseNginx((trees as Tree[]).map(write).join("\n"));
        assert.ok(parsed.ok);
        assert.deepEqual(parsed.directives.map(read), trees);
      }),
    );
  });
});
