import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError } from "../../infra/config/configError";
import { parseConfig } from "../../infra/config/parse";

function usersOf(users: unknown): unknown {
  const raw = { "secured-web:domain": "foobar.com", "secured-web:operators": JSON.stringify({ users }) };
  return parseConfig(raw).operators.users;
}

function problemsOf(users: unknown): readonly string[] {
  try {
    usersOf(users);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems;
  }
  return [];
}

describe("operators.users", function () {
  this.timeout(30_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "secured-web-keys-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  let count = 0;
  /** A key pair that OpenSSH itself makes. */
  function keyPair(...args: string[]): { line: string; privateKey: string } {
    const file = join(folder, `key-${count++}`);
    execFileSync("ssh-keygen", ["-q", "-N", "", "-C", "alice@laptop", "-f", file, ...args]);
    return {
      line: readFileSync(`${file}.pub`, "utf8").trim(),
      privateKey: readFileSync(file, "utf8"),
    };
  }
  const ed25519 = () => keyPair("-t", "ed25519").line;

  it("takes each type of key that OpenSSH makes and is not weak", () => {
    const keys = [
      ed25519(),
      ...["256", "384", "521"].map((bits) => keyPair("-t", "ecdsa", "-b", bits).line),
      keyPair("-t", "rsa", "-b", "3072").line,
    ];
    assert.deepEqual(usersOf([{ name: "alice", keys }]), [{ name: "alice", keys }]);
  });

  it("tells an empty list from none", () => {
    assert.deepEqual(usersOf([]), []);
    assert.equal(parseConfig({ "secured-web:domain": "foobar.com" }).operators.users, undefined);
  });

  it("never shows a private key, and says what to do", () => {
    const { privateKey } = keyPair("-t", "ed25519");
    const secret = privateKey.split("\n")[2] ?? "";
    for (const users of [
      [{ name: "alice", keys: [privateKey] }],
      [{ name: privateKey, keys: [ed25519()] }],
      [{ name: "alice", keys: privateKey }],
      [{ name: "alice", keys: [ed25519()], [privateKey]: 1 }],
      privateKey,
    ]) {
      const problems = problemsOf(users).join("\n");
      assert.notEqual(problems, "");
      assert.ok(!problems.includes(secret), "an error contains a part of the private key");
    }
    assert.match(
      problemsOf([{ name: "alice", keys: [privateKey] }])[0] ?? "",
      /^secured-web:operators\.users\[0\]\.keys\[0\]: expected a public key .*got a private key.*make a new key pair/,
    );
  });

  it("refuses weak and damaged keys, and text that is no key", () => {
    const good = ed25519();
    const [type, data = ""] = good.split(" ");
    for (const [key, problem] of [
      [keyPair("-t", "rsa", "-b", "2048").line, /got a weak RSA key of 2048 bits/],
      ["ssh-dss AAAAB3NzaC1kc3MAAACBAP", /got a key of the weak type ssh-dss/],
      [`${type} ${data.slice(0, -4)}`, /got a damaged key of the type ssh-ed25519/],
      [`ecdsa-sha2-nistp256 ${data}`, /got a damaged key/],
      [`command="id" ${good}`, /does not start with one of these types/],
      [`${good}\n${good}`, /line breaks/],
      ["constructor AAAA", /does not start with one of these types/],
      [7, /got something else/],
    ] as const) {
      assert.match(problemsOf([{ name: "alice", keys: [key] }]).join("\n"), problem, String(key));
    }
  });

  it("refuses names that are no names, and those of the system and its packages", () => {
    for (const name of ["Alice", "a", "-alice", "alice-", "al ice", "../root", "a".repeat(32)])
      assert.match(problemsOf([{ name, keys: [ed25519()] }])[0] ?? "", /\[0\]\.name: expected 2 to 31/, name);
    for (const name of ["root", "mysql", "www-data", "ubuntu", "secured-web-app", "systemd-network"])
      assert.match(problemsOf([{ name, keys: [ed25519()] }])[0] ?? "", /a name that no program uses/, name);
  });

  it("names all problems at once, also names and keys that are there twice", () => {
    const key = ed25519();
    assert.equal(
      problemsOf([
        { name: "Alice", keys: ["x"] },
        { name: "bob", keys: [] },
      ]).length,
      3,
    );
    const twice = problemsOf([
      { name: "alice", keys: [key] },
      { name: "alice", keys: [ed25519()] },
      { name: "carol", keys: [`${key} again`] },
    ]);
    assert.match(twice.join("\n"), /each name once, got alice twice/);
    assert.match(twice.join("\n"), /same key for alice and carol/);
  });
});
