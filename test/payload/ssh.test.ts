/** shell, exec and logs with --cloud: the real commands, against the SSH server of a host's image with its rendered files. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SshAccess } from "../../infra/components/securedWeb";
import { releaseDocument } from "../../infra/releases/document";
import { renderUserData } from "../../infra/userdata/render";
import { homeAt, PROJECT_DIR } from "../../scripts/home";
import { ensurePulumi } from "../../scripts/toolchain/pulumi";
import { skipWithoutImage } from "../hosts/requirement";
import { waitFor } from "../waitFor";
import { contextOf, fakeSecrets } from "./contexts";
import { RenderedHost } from "./rendered";

/** The commands take the address from the state, and the port is always 22: an address of this machine's loopback. */
const ADDRESS = "127.83.83.22";

describe("SSH to a host", function () {
  this.timeout(180_000);
  let folder: string;
  let host: RenderedHost | undefined;
  let server: ReturnType<RenderedHost["start"]> | undefined;
  let log = "";
  let environment: NodeJS.ProcessEnv;
  let agentPid: number | undefined;
  let pulumi: string;
  let access: SshAccess;

  before(async function () {
    await skipWithoutImage(this);
    folder = mkdtempSync(join(tmpdir(), "secured-web-ssh-test-"));
    for (const name of ["home", "backend", "tmp"]) mkdirSync(join(folder, name));
    pulumi = (await ensurePulumi({ onProgress: () => {} })).path;
    environment = {
      ...process.env,
      SECURED_WEB_HOME: join(folder, "home"),
      TMPDIR: join(folder, "tmp"),
      DIGITALOCEAN_TOKEN: "of the test",
      PULUMI_BACKEND_URL: `file://${folder}/backend`,
      PULUMI_CONFIG_PASSPHRASE: "of the test",
      PULUMI_HOME: homeAt(join(folder, "home")).pulumiHome,
      PULUMI_SKIP_UPDATE_CHECK: "true",
      ...startAgent(),
    };
    const lines = ["alice", "mallory"].map(keyPair);
    execFileSync("ssh-add", ["-q", join(folder, "alice")], { env: environment, stdio: "pipe" });

    const hostKey = keyPair("host");
    const otherKey = keyPair("other");
    access = {
      users: ["alice"],
      networks: ["127.0.0.0/8"],
      hosts: [
        { name: "web-1", address: ADDRESS, hostKey },
        // The state knows another key for the host at this address.
        { name: "web-2", address: ADDRESS, hostKey: otherKey },
      ],
    };
    host = await hostWith([{ name: "alice", keys: [lines[0] ?? ""] }]);
    server = host.start(
      "sh",
      "-c",
      `mkdir -p /run/sshd && exec /usr/sbin/sshd -D -e -o ListenAddress=${ADDRESS}`,
    );
    server.stderr.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
    await waitFor("sshd", async () => /Server listening/.test(log), { within: 30 });
    writeState(access);
  });
  after(() => {
    server?.kill("SIGKILL");
    host?.remove();
    if (agentPid !== undefined) process.kill(agentPid);
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  function startAgent(): Record<string, string> {
    const said = execFileSync("ssh-agent", ["-s", "-a", join(folder, "agent")], { encoding: "utf8" });
    agentPid = Number(/SSH_AGENT_PID=(\d+)/.exec(said)?.[1]);
    return { SSH_AUTH_SOCK: join(folder, "agent") };
  }

  /** Makes a key pair in the folder. Returns type and base64 of its public key. */
  function keyPair(name: string): string {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", join(folder, name)]);
    return readFileSync(join(folder, `${name}.pub`), "utf8").trim();
  }

  async function hostWith(operatorUsers: { name: string; keys: string[] }[]): Promise<RenderedHost> {
    const context = contextOf(
      { topology: "separated", settings: { releases: true, operatorUsers } },
      "web-1",
    );
    const secrets = { ...fakeSecrets(context.host), sshHostKey: readFileSync(join(folder, "host"), "utf8") };
    const made = await RenderedHost.create(renderUserData(context, secrets));
    const program = "/usr/local/lib/secured-web/release/operators";
    const file = releaseDocument(context, secrets).files.find(({ path }) => path === program);
    made.write(program, file?.content ?? assert.fail(), 0o755);
    made.must(program);
    return made;
  }

  /** Writes a stack's state that has nothing but its output. */
  function writeState(ssh: SshAccess): void {
    const work = join(folder, "work");
    mkdirSync(work, { recursive: true });
    writeFileSync(join(work, "Pulumi.yaml"), "name: secured-web\nruntime: nodejs\n");
    const urn = "urn:pulumi:dev::secured-web::pulumi:pulumi:Stack::secured-web-dev";
    const resources = [{ urn, type: "pulumi:pulumi:Stack", custom: false, outputs: { ssh } }];
    const manifest = { time: "2026-01-01T00:00:00Z", magic: "", version: "" };
    writeFileSync(
      join(work, "state.json"),
      JSON.stringify({ version: 3, deployment: { manifest, resources } }),
    );
    const run = (...args: string[]) =>
      execFileSync(pulumi, [...args, "--non-interactive"], { cwd: work, env: environment, stdio: "pipe" });
    run("stack", "select", "--create", "dev");
    run("stack", "import", "--stack", "dev", "--file", "state.json");
  }

  function run(command: string, ...args: string[]) {
    const script = [join(PROJECT_DIR, "scripts", "run.mjs"), command, ...args];
    const { status, stdout, stderr } = spawnSync(process.execPath, script, {
      env: environment,
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  }
  const exec = (...command: string[]) => run("exec", "dev", "web-1", "--cloud", "--", ...command);

  it("runs a program as root, with the words as they are, and ends with its exit code", () => {
    const words = ["a b", "$(id)", "it's", "*", ""];
    const { status, stdout, stderr } = exec("sh", "-c", 'id -un; printf "<%s>" "$@"; exit 7', "sh", ...words);
    assert.equal(stdout, `root\n${words.map((word) => `<${word}>`).join("")}`, stderr);
    assert.equal(status, 7);
  });

  it("logs which operator logged in, with the fingerprint of the key", async () => {
    log = "";
    assert.equal(exec("true").status, 0);
    const fingerprint = execFileSync("ssh-keygen", ["-l", "-f", join(folder, "alice.pub")], {
      encoding: "utf8",
    });
    await waitFor("the log", async () => /Accepted publickey for alice /.test(log), { within: 20 });
    assert.ok(log.includes(fingerprint.split(" ")[1] ?? "?"), log);
  });

  it("opens the account's own shell", () => {
    const script = [join(PROJECT_DIR, "scripts", "run.mjs"), "shell", "dev", "web-1", "--cloud"];
    const { stdout, stderr } = spawnSync(process.execPath, script, {
      env: environment,
      encoding: "utf8",
      input: "id -un; sudo -n id -un\n",
    });
    assert.match(stdout, /alice\nroot\n$/, stderr);
  });

  it("asks for the journal of a unit", () => {
    // The image's journal is empty: journalctl says so.
    const { stdout, stderr } = run("logs", "dev", "web-1", "nginx.service", "--cloud");
    assert.match(`${stdout}${stderr}`, /No journal files were found|No entries/);
  });

  it("refuses a host with another key than the state's, before it sends anything", async () => {
    log = "";
    const { status, stdout, stderr } = run("exec", "dev", "web-2", "--cloud", "--", "id");
    assert.equal(status, 255);
    assert.equal(stdout, "");
    assert.match(stderr, /Host key verification failed/);
    assert.match(stderr, /another key than the stack's state/);
    const port = await waitFor(
      "the log",
      async () => /Connection closed by .* (port \d+) \[preauth\]/.exec(log)?.[1],
      {
        within: 20,
      },
    );
    // Lines of the session before may come late.
    const own = log.split("\n").filter((line) => line.includes(port));
    assert.doesNotMatch(own.join("\n"), /Accepted|alice/);
  });

  it("accepts no key that the user's own files know", () => {
    const known = spawnSync("ssh", ["-G", "-o", "UserKnownHostsFile=/x", "h"], { encoding: "utf8" }).stdout;
    assert.match(
      known,
      /userknownhostsfile \/x/,
      "options on the command line win over the user's configuration",
    );
    // A host without a key in the state is one that no file may vouch for.
    writeState({ ...access, hosts: [{ name: "web-1", address: ADDRESS, hostKey: "ssh-ed25519 AAAA" }] });
    const { status, stderr } = exec("id");
    writeState(access);
    assert.equal(status, 255);
    assert.match(stderr, /Host key verification failed|No ED25519 host key is known/);
  });

  it("refuses a key that is no operator's, root, and passwords", () => {
    execFileSync("ssh-add", ["-q", "-D"], { env: environment, stdio: "pipe" });
    execFileSync("ssh-add", ["-q", join(folder, "mallory")], { env: environment, stdio: "pipe" });
    const refused = exec("id");
    execFileSync("ssh-add", ["-q", "-D"], { env: environment, stdio: "pipe" });
    execFileSync("ssh-add", ["-q", join(folder, "alice")], { env: environment, stdio: "pipe" });
    assert.equal(refused.status, 255);
    assert.match(refused.stderr, /alice@\S+: Permission denied \(publickey\)/);
    assert.match(refused.stderr, /one of alice's keys in operators\.users/);
    const { users: _, ...asRoot } = access;
    writeState(asRoot);
    const root = exec("id");
    writeState(access);
    assert.match(root.stderr, /root@\S+: Permission denied \(publickey\)/);
  });

  for (const [what, state, args, message] of [
    ["an unknown host", {}, ["dev", "web-9"], /no host "web-9"[\s\S]*web-1, web-2/],
    [
      "an unknown operator",
      {},
      ["dev", "web-1", "--user", "bob"],
      /no operator "bob"[\s\S]*Operators: alice/,
    ],
    ["a stack that lets no operator in", { users: [] }, ["dev", "web-1"], /operators\.users is empty/],
    [
      "a stack that is closed",
      { networks: [] },
      ["dev", "web-1"],
      /operators\.networks is empty[\s\S]*config set/,
    ],
  ] as const) {
    it(`names the error and the remedy for ${what}`, () => {
      writeState({ ...access, ...state });
      const { status, stderr } = run("exec", ...args, "--cloud", "--", "id");
      writeState(access);
      assert.notEqual(status, 0);
      assert.match(stderr, message);
    });
  }

  it("leaves no file behind", () => {
    assert.deepEqual(
      readdirSync(join(folder, "tmp")).filter((name) => name.startsWith("secured-web-ssh")),
      [],
    );
  });
});
