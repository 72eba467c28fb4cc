/**
 * Rollouts with the real engine on a record sandbox, whose hosts are stand-ins that report as a test says. The rotation
 * of passwords (three updates) is in the long form; test/hosts/rotationsUnderLoad.ts runs it on hosts:
 *
 *     SECURED_WEB_LONG_TESTS=1 npm test -- test/e2e/rollouts.test.ts
 */
import assert from "node:assert/strict";
import "reflect-metadata"; // @peculiar/x509 wants it loaded before itself
import { X509Crl } from "@peculiar/x509";
import { parseRevoked, revocationOf } from "../../infra/config/revoked";
import { listAll, waitUntilGone } from "../../sandbox/index";
import { readStoredStack } from "../../scripts/engine/stateFile";
import { PROJECT_DIR } from "../../scripts/home";
import { runProgram } from "../../scripts/processes";
import { inOrder } from "../inOrder";
import { longIt } from "../longTests";
import { ReportingHosts } from "./reportingHosts";
import { type Sandbox, waitForLine } from "./sandbox";

const SETTINGS = ["--skip-preview", "--config", "secured-web:rollout.timeoutSeconds=30"];
const hsts = (seconds: number) => ["--config", `secured-web:hsts.maxAgeSeconds=${seconds}`];

describe("rollouts", function () {
  this.timeout(300_000);
  inOrder();
  let sandbox: Sandbox;
  let hosts: ReportingHosts;

  const up = (...args: string[]) => sandbox.run("up", ["dev", ...SETTINGS, ...args]);
  const mustUp = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await up(...args);
    assert.equal(exitCode, 0, `${stdout}\n${stderr}`);
    return stdout;
  };
  const droplets = async () =>
    Object.fromEntries(
      (await listAll(sandbox.api, "/v2/droplets", "droplets")).map(({ name, id, size_slug }) => [
        String(name),
        { id, size: size_slug },
      ]),
    );

  before(async function () {
    this.timeout(600_000);
    sandbox = await ReportingHosts.makeSandbox();
  });
  after(async () => {
    try {
      await hosts?.stop();
    } finally {
      await sandbox?.remove();
    }
  });

  it("the first update writes each host's release and waits for none", async () => {
    await mustUp();
    hosts = await ReportingHosts.start(sandbox, await sandbox.must("outputs", "dev", "--show-secrets"));
  });

  it("a second one changes nothing", async () => {
    assert.match(await mustUp(), /✔ Update: \d+ unchanged\n/);
  });

  it("nor after a refresh, when hosts have overwritten their status objects", async () => {
    await hosts.haveReported();
    await sandbox.must("refresh", "dev");
    assert.match(await mustUp(), /✔ Update: \d+ unchanged\n/);
  });

  it("a changed setting reaches host after host, and no droplet is touched", async () => {
    const before = await droplets();
    const stdout = await mustUp(...hsts(301));
    assert.deepEqual(hosts.taken.slice(-3), ["node-1", "node-2", "node-3"]);
    assert.match(stdout, /node-1: well/);
    assert.deepEqual(await droplets(), before);
    assert.match(await mustUp(...hsts(301)), /✔ Update: \d+ unchanged\n/);
  });

  it("stops at the first host that is not well, and says which unit and why; the next update goes on there", async () => {
    const undone = {
      outcome: "undone",
      step: "restart",
      unit: "nginx.service",
      cause: "did not start",
    } as const;
    hosts.behaviours.set("node-2", () => ({ ...undone, journal: ["unknown directive"] }));
    const begun = hosts.taken.length;
    const failed = await up(...hsts(302));
    assert.equal(failed.exitCode, 1, failed.stdout);
    assert.match(
      failed.stderr,
      /node-2: undone at restart: nginx\.service: did not start\n\s+unknown directive/,
    );
    assert.match(failed.stderr, /tries the release again, even if no setting has changed/);
    assert.doesNotMatch(failed.stderr, /\bat .*\.[jt]s:\d+/, "no stack trace");
    assert.deepEqual(hosts.taken.slice(begun), ["node-1"]);
    const again = await up(...hsts(302));
    assert.equal(again.exitCode, 1, "it does not forget that node-2 is not well");
    hosts.behaviours.delete("node-2");
    // The setting was right, and the cause elsewhere: the host tries it again.
    await mustUp(...hsts(302));
    assert.deepEqual(hosts.taken.slice(begun), ["node-1", "node-2", "node-3"]);
    assert.match(await mustUp(...hsts(302)), /✔ Update: \d+ unchanged\n/);
  });

  it("going back to a former setting waits as well", async () => {
    hosts.behaviours.set("node-1", () => ({ outcome: "refused", step: "check", cause: "nginx -t failed" }));
    const failed = await up(...hsts(301));
    assert.match(failed.stderr, /node-1: refused at check: nginx -t failed/);
    hosts.behaviours.delete("node-1");
    await mustUp(...hsts(303));
  });

  it("Ctrl-C while it waits for a host: it ends with 130, and the next update goes on at this host", async () => {
    hosts.behaviours.set("node-2", () => ({ outcome: "applying" }));
    const begun = hosts.taken.length;
    const running = sandbox.start("up", ["dev", ...SETTINGS, ...hsts(304)]);
    await waitForLine(running, /node-2: has not applied the release yet/);
    running.child.kill("SIGINT");
    const { exitCode, stdout, stderr } = await running.ended;
    assert.equal(exitCode, 130, `${stdout}\n${stderr}`);
    assert.deepEqual(await waitUntilGone(sandbox.engineProcesses(), 10_000), []);
    assert.deepEqual(readStoredStack(sandbox.home, "dev")?.pending, []);
    assert.deepEqual(hosts.taken.slice(begun), ["node-1"]);
    assert.deepEqual(hosts.behind.at(-1), ["node-2"], "node-3 has no new release");
    hosts.behaviours.delete("node-2");
    await mustUp(...hsts(304));
    assert.deepEqual(hosts.taken.slice(begun), ["node-1", "node-2", "node-3"]);
  });

  it("a second update meanwhile says who is at work, and changes nothing; the first one goes on", async () => {
    hosts.behaviours.set("node-2", () => ({ outcome: "applying" }));
    const begun = hosts.taken.length;
    const first = sandbox.start("up", ["dev", ...SETTINGS, ...hsts(305)]);
    await waitForLine(first, /node-2: has not applied the release yet/);
    const second = await up(...hsts(306));
    assert.equal(second.exitCode, 4, second.stdout);
    const holder = `npm run up \\(process ${first.child.pid}, since `;
    assert.match(second.stderr, new RegExp(`Another command is working on this sandbox: ${holder}`));
    // An engine that does not know of the commands' lock, as with plain `pulumi up`, meets the engine's own one.
    const plain = ["test/e2e/updateOnly.ts", sandbox.home.dir, "dev", "hsts.maxAgeSeconds=306"];
    const engine = await runProgram(process.execPath, ["--import", "tsx", ...plain], { cwd: PROJECT_DIR });
    assert.equal(engine.exitCode, 1, engine.stdout);
    assert.match(engine.stderr, /currently locked by[\s\S]*pid \d+/);
    assert.deepEqual(hosts.behind.at(-1), ["node-2"]);
    hosts.behaviours.delete("node-2");
    assert.equal((await first.ended).exitCode, 0);
    assert.deepEqual(hosts.taken.slice(begun), ["node-1", "node-2", "node-3"]);
    assert.match(await mustUp(...hsts(305)), /✔ Update: \d+ unchanged\n/);
  });

  it("replace changes one droplet, whatever else is pending", async () => {
    const before = await droplets();
    const begun = hosts.taken.length;
    const pending = [...hsts(400)];
    const { exitCode, stdout, stderr } = await sandbox.run("replace", [
      "dev",
      "node-2",
      ...SETTINGS,
      ...pending,
    ]);
    assert.equal(exitCode, 0, `${stdout}\n${stderr}`);
    const now = await droplets();
    assert.notEqual(now["dev-node-2"]?.id, before["dev-node-2"]?.id);
    for (const name of ["dev-node-1", "dev-node-3"]) assert.deepEqual(now[name], before[name]);
    assert.deepEqual([...new Set(hosts.taken.slice(begun))], ["node-2"]);
  });

  describe("a rotation", () => {
    const NODES = ["node-1", "node-2", "node-3"];
    const settings = [...SETTINGS, ...hsts(305)];
    const rotate = (...what: string[]) => sandbox.must("rotate", "dev", ...what, ...settings);
    const resource = (name: string) => {
      const all = readStoredStack(sandbox.home, "dev")?.resources ?? [];
      return all.find(({ urn }) => urn.endsWith(`::main-${name}`));
    };
    /** The serial numbers of a host's certificates, in the form of lists. */
    const serials = (...names: string[]) =>
      (readStoredStack(sandbox.home, "dev")?.resources ?? [])
        .filter(
          ({ type, urn }) =>
            type.endsWith(":LocallySignedCert") && names.some((name) => urn.includes(`::main-${name}-`)),
        )
        .map(({ outputs }) => revocationOf(String(outputs?.certPem), 0).serial)
        .sort();
    const listed = (what: "revoked" | "former") =>
      ((resource(what)?.inputs?.input ?? []) as string[]).map((text) => parseRevoked(text).serial).sort();
    const inObject = (serial: string) => {
      const list = new X509Crl(String(resource("revocations")?.inputs?.content));
      return list.findRevoked(serial) !== null;
    };

    before(() => mustUp(...settings));

    longIt(
      "of passwords takes three updates, each of which reaches host after host; an interrupted one is finished first",
      async () => {
        const begun = hosts.taken.length;
        hosts.behaviours.set("node-2", () => ({ outcome: "applying" }));
        const running = sandbox.start("rotate", ["dev", "passwords", ...settings]);
        await waitForLine(running, /node-2: has not applied the release yet/);
        running.child.kill("SIGINT");
        const { exitCode, stdout } = await running.ended;
        assert.equal(exitCode, 130);
        assert.deepEqual(hosts.taken.slice(begun), ["node-1"]);
        hosts.behaviours.delete("node-2");
        const again = await rotate("passwords");
        assert.match(again, /Rotation of passwords: continues at update 1 of 3/);
        assert.deepEqual(hosts.taken.slice(begun), [...NODES, ...NODES, ...NODES]);
        const told = [...(stdout + again).matchAll(/^✔ (Update \d of \d: .*?): step \d+$/gm)];
        assert.deepEqual(
          told.map(([, title]) => title),
          [
            "Update 1 of 3: MySQL accepts the next passwords, too",
            "Update 2 of 3: Hosts use the next passwords",
            "Update 3 of 3: MySQL accepts the former passwords no longer",
          ],
        );
      },
    );

    it("of certificates gives all hosts new ones, and then revokes those from before it, also if it was interrupted", async () => {
      const [begun, former] = [hosts.taken.length, serials(...NODES)];
      hosts.behaviours.set("node-2", () => ({ outcome: "applying" }));
      const running = sandbox.start("rotate", ["dev", "certificates", ...settings]);
      await waitForLine(running, /node-2: has not applied the release yet/);
      running.child.kill("SIGINT");
      assert.equal((await running.ended).exitCode, 130);
      assert.deepEqual([listed("revoked"), listed("former")], [[], former]);
      hosts.behaviours.delete("node-2");
      await rotate("certificates");
      assert.deepEqual(hosts.taken.slice(begun), NODES, "the second update needs no release");
      assert.deepEqual([listed("revoked"), listed("former")], [former, []]);
      const now = serials(...NODES);
      assert.equal(now.length, 9);
      assert.ok(former.every(inObject));
      assert.ok(!now.some(inObject));
      assert.match(await mustUp(...settings), /✔ Update: \d+ unchanged\n/);
    });

    it("of one host replaces it alone, with other keys, and revokes its former certificates", async () => {
      const before = await droplets();
      const [revoked, former] = [listed("revoked"), serials("node-2")];
      const keyOf = async (name: string) => {
        const { ssh } = JSON.parse(await sandbox.must("outputs", "dev", "--show-secrets")) as {
          ssh: { hosts: { name: string; hostKey: string }[] };
        };
        return ssh.hosts.find((host) => host.name === name)?.hostKey;
      };
      const keys = await Promise.all(NODES.map(keyOf));
      // They do not know its new keys.
      await hosts.stopWithout("node-2");
      await rotate("host", "node-2");
      hosts = await ReportingHosts.start(sandbox, await sandbox.must("outputs", "dev", "--show-secrets"));
      await hosts.haveReported();
      const now = await droplets();
      const changed = NODES.filter((name) => now[`dev-${name}`]?.id !== before[`dev-${name}`]?.id);
      assert.deepEqual(changed, ["node-2"]);
      const others = await Promise.all(NODES.map(keyOf));
      assert.deepEqual(
        NODES.filter((_, index) => others[index] !== keys[index]),
        ["node-2"],
      );
      assert.deepEqual([listed("revoked"), listed("former")], [[...revoked, ...former].sort(), []]);
    });

    it("revoke: only by force while the host is in its group; the list changes, and nothing else", async () => {
      const inGroup = await sandbox.run("revoke", ["dev", "node-3", ...settings]);
      assert.equal(inGroup.exitCode, 1);
      assert.match(inGroup.stderr, /node-3 is still in the group of node-1/);
      assert.match(inGroup.stderr, /Cut the power of node-3 first/);
      const before = listed("revoked");
      const stdout = await sandbox.must("revoke", "dev", "node-3", "--force", "node-3", ...settings);
      assert.match(stdout, /✔ Update: \d+ unchanged, 2 updated\n/);
      assert.deepEqual(listed("revoked"), [...before, ...serials("node-3")].sort());
      assert.match(await mustUp(...settings), /✔ Update: \d+ unchanged\n/);
    });

    it("revoke: not the last host that serves, and no host that is not there", async () => {
      for (const name of ["node-1", "node-2"])
        hosts.behaviours.set(name, () => ({ outcome: "unwell", cause: "off", group: undefined }));
      await hosts.haveReported();
      const last = await sandbox.run("revoke", ["dev", "node-3", ...settings]);
      for (const name of ["node-1", "node-2"]) hosts.behaviours.delete(name);
      assert.equal(last.exitCode, 1);
      assert.match(last.stderr, /Without node-3, the stack has no (web|database) host that serves/);
      const unknown = await sandbox.run("revoke", ["dev", "node-9"]);
      assert.equal(unknown.exitCode, 2);
      assert.match(unknown.stderr, /The stack has no host "node-9"/);
    });

    it("refuses what it does not know, and a step that was not its turn", async () => {
      const unknown = await sandbox.run("rotate", ["dev", "locks"]);
      assert.equal(unknown.exitCode, 2);
      assert.match(unknown.stderr, /expected one of passwords, certificates, ca, host, got "locks"/);
      const far = await up(...settings, "--config", "secured-web:rotation.passwords=9");
      assert.equal(far.exitCode, 1);
      assert.match(far.stderr, /secured-web:rotation\.passwords: expected (0 or 1|3 or 4), got 9/);
      const forgetful = await up(...settings, "--config", "secured-web:rotation.revoked=[]");
      assert.equal(forgetful.exitCode, 1);
      assert.match(
        forgetful.stderr,
        /secured-web:rotation\.revoked: expected [0-9a-f]+:\d+:\d+ to stay in the list/,
      );
      assert.match(await mustUp(...settings), /✔ Update: \d+ unchanged\n/);
    });
  });

  it("replace of a member that its group has lost needs no force, unless another one is missing as well", async () => {
    const others = ["node-1", "node-3"];
    const lost = (cause: string) => {
      for (const name of others)
        hosts.behaviours.set(name, (number) => ({
          ...{ number, outcome: "unwell", unit: "mysql.service", cause },
          group: {
            ...{ online: 2, queue: 0, writable: true },
            members: others.map((host) => ({ host, state: "ONLINE" })),
          },
        }));
    };
    const before = await droplets();
    lost("node-2 is not in the group, node-1 is not in the group");
    const waits = sandbox.start("replace", ["dev", "node-2", ...SETTINGS, ...hsts(305)]);
    await waitForLine(waits, /node-2: must not stop, because node-1 unwell: mysql\.service: node-2 is not/);
    waits.child.kill("SIGINT");
    assert.equal((await waits.ended).exitCode, 130);
    assert.deepEqual(await droplets(), before);
    lost("node-2 is not in the group");
    await sandbox.must("replace", "dev", "node-2", ...SETTINGS, ...hsts(305));
    assert.notEqual((await droplets())["dev-node-2"]?.id, before["dev-node-2"]?.id);
    for (const name of others) hosts.behaviours.delete(name);
  });

  describe("with a group that cannot do without a member", () => {
    const pending = [...SETTINGS, ...hsts(400)];
    const reboots = async () => {
      const { id } = (await droplets())["dev-node-2"] ?? assert.fail("no node-2");
      const actions = await listAll(sandbox.api, `/v2/droplets/${id}/actions`, "actions");
      return actions.filter(({ type }) => type === "reboot").length;
    };
    const WAITS = /node-2: must not stop, because node-3 sees 2 of 3 members ONLINE/;
    before(() => {
      hosts.behaviours.set("node-3", (number) => ({
        number,
        group: { online: 2, members: [], queue: 0, writable: true },
      }));
    });
    after(() => hosts.behaviours.delete("node-3"));

    for (const command of ["replace", "reboot"] as const) {
      const settings = command === "replace" ? pending : [];

      it(`${command} waits, and Ctrl-C leaves the host as it is`, async () => {
        const before = { droplets: await droplets(), reboots: await reboots() };
        const running = sandbox.start(command, ["dev", "node-2", ...settings]);
        await waitForLine(running, WAITS);
        running.child.kill("SIGINT");
        const { exitCode, stderr } = await running.ended;
        assert.equal(exitCode, 130, stderr);
        assert.deepEqual({ droplets: await droplets(), reboots: await reboots() }, before);
      });

      it(`${command} with --force and another host's name changes nothing`, async () => {
        const before = { droplets: await droplets(), reboots: await reboots() };
        const { exitCode, stderr } = await sandbox.run(command, [
          ...["dev", "node-2", "--force", "node-3"],
          ...settings,
        ]);
        assert.equal(exitCode, 2, stderr);
        assert.deepEqual({ droplets: await droplets(), reboots: await reboots() }, before);
      });
    }

    it("reboot with --force and the host's name says what is unavailable, and reboots it", async () => {
      const before = { droplets: await droplets(), reboots: await reboots() };
      const stdout = await sandbox.must("reboot", "dev", "node-2", "--force", "node-2");
      assert.match(stdout, /node-2 does not wait for its group\. .*no acknowledged write is lost/);
      assert.match(stdout, /node-2: stops by force, although node-3 sees 2 of 3 members ONLINE/);
      const after = { droplets: await droplets(), reboots: await reboots() };
      assert.deepEqual(after, { droplets: before.droplets, reboots: before.reboots + 1 });
    });

    it("replace with --force and the host's name says what is lost, and replaces this host alone", async () => {
      const before = await droplets();
      const stdout = await sandbox.must("replace", "dev", "node-2", "--force", "node-2", ...pending);
      assert.match(stdout, /node-2 does not wait for its group\. .*acknowledged writes .* are lost/);
      assert.match(stdout, /node-2: stops by force, although node-3 sees 2 of 3 members ONLINE/);
      const now = await droplets();
      assert.notEqual(now["dev-node-2"]?.id, before["dev-node-2"]?.id);
      for (const name of ["dev-node-1", "dev-node-3"]) assert.deepEqual(now[name], before[name]);
    });
  });
});

describe("a stack with one writer", function () {
  this.timeout(300_000);
  let sandbox: Sandbox;
  let hosts: ReportingHosts;
  before(async function () {
    this.timeout(600_000);
    sandbox = await ReportingHosts.makeSandbox();
    await sandbox.must("up", "dev", "--skip-preview", "--config", "secured-web:replication=source-replica");
    hosts = await ReportingHosts.start(sandbox, await sandbox.must("outputs", "dev", "--show-secrets"));
    await hosts.haveReported();
  });
  after(async () => {
    try {
      await hosts?.stop();
    } finally {
      await sandbox?.remove();
    }
  });

  it("reboot waits for no group, because its database hosts report none", async () => {
    const stdout = await sandbox.must("reboot", "dev", "node-2");
    assert.match(stdout, /✔ Reboot node-2: well/);
    assert.doesNotMatch(stdout, /must not stop/);
  });

  it("reboot with --force has nothing to force", async () => {
    const { exitCode, stderr } = await sandbox.run("reboot", ["dev", "node-2", "--force", "node-2"]);
    assert.equal(exitCode, 2);
    assert.match(stderr, /--force: expected a member of a database group, got node-2/);
  });
});
