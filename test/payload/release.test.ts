import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noGroupYet } from "../../infra/releases/objectKeys";
import { renderFiles } from "../../infra/userdata/files";

const folder = "/usr/local/lib/secured-web/release/";

describe("payload: the release program (Python)", function () {
  this.timeout(60_000);
  let directory: string;
  before(function () {
    if (spawnSync("python3", ["-c", "import cryptography"]).status !== 0) {
      console.log("      skipped: this machine has no python3 with cryptography (python3-cryptography)");
      this.skip();
    }
    directory = mkdtempSync(join(tmpdir(), "secured-web-release-"));
    // As they are on a host, not as they are in the repository.
    mkdirSync(join(directory, "whole"));
    for (const { path, content } of renderFiles({ trees: ["release", "release-program"], values: {} })) {
      if (path.startsWith(folder))
        writeFileSync(join(directory, "whole", path.slice(folder.length)), content);
    }
  });
  after(() => directory && rmSync(directory, { recursive: true, force: true }));

  const runTests = (program: string) =>
    spawnSync("python3", ["-B", join(__dirname, "release_test.py"), join(directory, program), "-f"], {
      encoding: "utf8",
    });

  it("passes its own tests", () => {
    const { status, stderr } = runTests("whole");
    assert.equal(status, 0, stderr);
    const count = Number(/^Ran (\d+) tests/m.exec(stderr)?.[1]);
    assert.ok(count >= 84, `only ${count} tests ran`);
  });

  it("knows the content of an object that only the program has written", () => {
    const program = readFileSync(join(directory, "whole", "membership.py"), "utf8");
    assert.ok(program.includes(`NO_GROUP_YET = ${JSON.stringify(noGroupYet)}\n`));
  });

  /** Protections of the program, without which its own tests must fail. */
  for (const [what, name, from, to] of [
    ["writes its status when a verdict changes", "poll.py", "status == self.told and", "False and"],
    ["writes in place", "files.py", "os.replace(new, target)", "open(target, 'w').write(content)"],
    ["leaves removed files", "files.py", "\tremove_files(root, removed)\n", ""],
    ["writes anywhere", "files.py", "os.path.normpath(path) != path or", "False and"],
    ["takes any signature", "envelope.py", "returncode == 0", "returncode >= 0"],
    ["takes another host's release", "envelope.py", "if value != own[name]", "if False"],
    ["takes any file as a secret one", "envelope.py", "if not re.fullmatch", "if False and re.fullmatch"],
    ["takes a path twice", "files.py", "if len(paths) < len(files)", "if False"],
    ["takes an older release", "apply.py", "if number < runs", "if False"],
    [
      "takes a release without end",
      "envelope.py",
      "text = stream.decompress(payload, DOCUMENT_LIMIT)",
      "text = stream.decompress(payload)",
    ],
    ["does not go back", "apply.py", 'self.go(self.next, self.running, "back-")', "pass"],
    ["keeps no journal", "apply.py", '{"way": "forward", "number": number, "attempt": attempt}', "None"],
    ["tries again what failed", "apply.py", 'failed["wanted"] == number', "False"],
    ["tells secrets", "apply.py", "redacted(line, values) for line in value", "line for line in value"],
    ["restarts mysqld in any group", "members.py", "if missing:", "if False:"],
    [
      "sets a former password again in a rotation",
      "accounts.py",
      "want.statements[done:]",
      "want.statements",
    ],
    [
      "takes privileges before it gives others",
      "accounts.py",
      "return given + taken",
      "return taken + given",
    ],
    ["drops the accounts of others", "accounts.py", "set(found.records) - set", "set(found.stored) - set"],
    ["lets an older release decide", "accounts.py", "if number < newest:", "if False:"],
    [
      "is well before the accounts are as they should be",
      "accounts.py",
      "self.settled == number else",
      "True else",
    ],
    ["writes accounts before there is a list", "accounts.py", "if not newest or number", "if number"],
    ["takes any list of revoked certificates", "revoked.py", '"verify OK" in done.stderr', "True"],
    ["takes an older list of revoked certificates", "revoked.py", "found[1:])", "found[2:])"],
    ["leaves sessions of revoked certificates", "revoked.py", 'ask(ask(old) or "DO 0", "--force")', "pass"],
    ["lets all members write at once", "accounts.py", "online.index(me) * STAGGER_S", "0"],
  ] as const) {
    it(`fails them when it ${what}`, () => {
      const careless = what.replaceAll(" ", "-");
      cpSync(join(directory, "whole"), join(directory, careless), { recursive: true });
      const program = readFileSync(join(directory, careless, name), "utf8");
      assert.ok(program.includes(from), `${name} does not contain ${from}`);
      writeFileSync(join(directory, careless, name), program.replace(from, to));
      const { status, stderr } = runTests(careless);
      assert.equal(status, 1);
      assert.match(stderr, /^FAILED \(/m);
    });
  }
});
