import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  HOST_PACKAGES,
  installPackages,
  missingPackages,
  packageAccess,
  readPackages,
} from "../../sandbox/hosts/packages.mjs";

/** Systems are played by programs of the test's own on PATH: nothing is installed on this machine. */
describe("packages that hosts need", function () {
  this.timeout(20_000);
  let dir: string;
  let policyFile: string;
  let env: NodeJS.ProcessEnv;
  let reported: string[];
  const log = () => (existsSync(join(dir, "log")) ? readFileSync(join(dir, "log"), "utf8") : "");
  const wanted = (name: string, more = {}) => ({
    package: name,
    programs: [`no-such-${name}`],
    why: "tests",
    ...more,
  });

  function program(name: string, script: string): void {
    writeFileSync(join(dir, "bin", name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(dir, "bin", name), 0o755);
  }
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "packages-"));
    mkdirSync(join(dir, "bin"));
    policyFile = join(dir, "policy-rc.d");
    reported = [];
    env = { PATH: `${join(dir, "bin")}:/usr/bin:/bin`, DIR: dir };
    program(
      "apt-get",
      `case "$*" in *install*)
        echo "services: $(cat "$DIR/policy-rc.d" 2>&1 | tail -n 1)" >>"$DIR/log"
        echo "dlstatus:1:40.0:Retrieving file 1 of 2"; echo "pmstatus:web:20.0:Unpacking web"; echo "pmstatus:web:25.0:Unpacking web";;
      esac
      echo "apt-get $*" | sed "s/ -q .*Use-Pty=0//" >>"$DIR/log"`,
    );
    program(
      "apt-cache",
      `shift; for name in "$@"; do case $name in gone*) ;; old) printf 'old:\\n  Installed: (none)\\n  Candidate: 2:1.19~2\\n';;
        *) printf '%s:\\n  Installed: (none)\\n  Candidate: 2:1.24~2\\n' "$name";; esac; done`,
    );
    program(
      "dpkg",
      "printf '/lib/systemd/system/web.service\\n/lib/systemd/system/web@.service\\n/usr/bin/web\\n'",
    );
    program("systemctl", 'echo "systemctl $*" >>"$DIR/log"');
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));
  const install = (list: ReturnType<typeof wanted>[], more = {}) =>
    installPackages(list, {
      prefix: [],
      report: (line) => void reported.push(line),
      env,
      policyFile,
      ...more,
    });

  it("are told with a reason each; those that are there are not missing", () => {
    const lists = [HOST_PACKAGES, readPackages(join(__dirname, "../tools.json"))];
    for (const one of lists.flat()) assert.ok(one.why !== "" && one.programs.length > 0, one.package);
    program("no-such-web", "");
    assert.deepEqual(
      missingPackages([wanted("web"), wanted("other")], env).map((one) => one.package),
      ["other"],
    );
    const withFile = (file: string) => ({ ...wanted("web"), programs: [file] });
    assert.deepEqual(missingPackages([withFile(__filename)], env), []);
    assert.equal(missingPackages([withFile(`${__filename}.none`)], env).length, 1);
  });

  it("are installed while no service may start, and none at the next boot", async () => {
    assert.deepEqual(await install([wanted("web"), wanted("other")]), ["web", "other"]);
    assert.deepEqual(log().trim().split("\n"), [
      "apt-get update",
      "services: exit 101",
      "apt-get install --yes --no-install-recommends web other",
      "systemctl disable --quiet web.service",
    ]);
    assert.equal(existsSync(policyFile), false);
    assert.ok(reported.includes("downloading, 40 % (Retrieving file 1 of 2)"), reported.join("\n"));
    assert.equal(reported.filter((line) => line.startsWith("installing")).length, 1);
  });

  it("leave a user's own policy-rc.d as it is", async () => {
    writeFileSync(policyFile, "#!/bin/sh\nexit 0\n");
    await install([wanted("web")]);
    assert.equal(readFileSync(policyFile, "utf8"), "#!/bin/sh\nexit 0\n");
    assert.match(log(), /services: exit 0/);
    assert.match(reported.join("\n"), /already exists/);
  });

  it("leave nothing after a failure, and tell what apt-get said", async () => {
    program("apt-get", 'case "$*" in *install*) echo "E: no space"; exit 100;; esac');
    await assert.rejects(install([wanted("web")]), /apt-get install web ended with 100:\nE: no space/);
    assert.equal(existsSync(policyFile), false);
  });

  it("leave nothing after Ctrl-C, which ends apt-get in its own good order", async () => {
    program(
      "apt-get",
      `case "$*" in *install*) trap 'echo "told to end" >>"$DIR/log"; exit 130' INT; echo "pmstatus:web:20.0:Unpacking"; while :; do sleep 0.05; done;; esac`,
    );
    const controller = new AbortController();
    const report = (line: string) => {
      if (line.startsWith("installing")) controller.abort();
    };
    await assert.rejects(install([wanted("web")], { report, signal: controller.signal }), /abort/i);
    assert.match(log(), /told to end/);
    assert.equal(existsSync(policyFile), false);
  });

  it("take over what a killed installation left, and wait for one that goes on", async () => {
    const owned = (pid: number) =>
      `#!/bin/sh\n# digitalocean-sandbox: installing packages, process ${pid}\nexit 101\n`;
    writeFileSync(policyFile, owned(2 ** 22 + 1));
    await install([wanted("web")]);
    assert.equal(existsSync(policyFile), false);
    writeFileSync(policyFile, owned(process.ppid));
    let waited = false;
    const report = (line: string) => {
      if (!line.startsWith("waiting for process")) return;
      waited = true;
      rmSync(policyFile);
    };
    await install([wanted("web")], { report });
    assert.equal(waited, true);
  });

  it("that the archives do not have, or only too old: optional ones are left out, others are an error", async () => {
    assert.deepEqual(await install([wanted("web"), wanted("gone", { optional: true })]), ["web"]);
    assert.match(reported.join("\n"), /skipped: gone is unknown/);
    await assert.rejects(install([wanted("gone")]), /^Error: gone is unknown to this system's archives$/);
    await assert.rejects(
      install([wanted("old", { minimum: "1.21" })]),
      /old: expected version 1\.21 or newer, found 1\.19~2/,
    );
    assert.deepEqual(await install([wanted("new", { minimum: "1.21" })]), ["new"]);
  });

  it("can be installed by root, else by sudo without a password, else not", async () => {
    assert.deepEqual(await packageAccess(env, 0), { prefix: [] });
    program("sudo", 'echo "sudo $*" >>"$DIR/log"; [ "$1" = -n ] && shift && exec "$@"');
    assert.deepEqual(await packageAccess(env, 1000), { prefix: ["sudo", "-n"] });
    await install([wanted("web")], { prefix: ["sudo", "-n"] });
    for (const command of ["env .*apt-get .*install", "systemctl disable", "rm -f"])
      assert.match(log(), new RegExp(`^sudo -n ${command}`, "m"));
    program("sudo", "exit 1");
    assert.match((await packageAccess(env, 1000)).problem ?? "", /needs root, or sudo without a password/);
  });
});
