/**
 * What a rollout guarantees, on a separated stack whose web hosts have their turns in batches of two. Each guarantee is
 * a check that passes with the project's own program, and fails once its protection is taken away. In `npm test` one
 * protection is taken away; this takes away each:
 *
 *     SECURED_WEB_LONG_TESTS=1 npm test -- test/e2e/rolloutGuarantees.test.ts
 */
import assert from "node:assert/strict";
import { PROJECT_DIR } from "../../scripts/home";
import { type Finished, runProgram } from "../../scripts/processes";
import { IS_LONG } from "../longTests";
import { ReportingHosts } from "./reportingHosts";
import type { Sandbox } from "./sandbox";

/** The turns of a rollout, in their order. */
const TURNS = [["web-1", "web-2"], ["web-3"], ["db-1"], ["db-2"], ["db-3"]];
const WEB = ["web-1", "web-2", "web-3"];
const SIZES = [
  ...["s-1vcpu-2gb", "s-2vcpu-4gb", "s-4vcpu-8gb", "s-8vcpu-16gb"],
  ...["s-8vcpu-32gb-amd", "s-8vcpu-32gb-640gb-intel"],
];
/** A host that is not held shows that it did not wait within so many of the hosts' reports. */
const REPORTS = 5;

describe("a rollout guarantees that", function () {
  this.timeout(600_000);
  let sandbox: Sandbox;
  let hosts: ReportingHosts;
  const settings = new Map([
    ["topology", "separated"],
    ["web.count", "3"],
    ["rollout.batch", "2"],
    ["rollout.timeoutSeconds", "180"],
    ["operators.networks", "[192.0.2.1/32]"],
    ["web.size", "s-1vcpu-2gb"],
    ["database.size", "s-2vcpu-4gb"],
  ]);

  let isUpToDate = true;

  /** Updates with the settings, and the project's program without one of its protections. */
  async function update(mutation: string): Promise<Finished> {
    const values = [...settings].map(([name, value]) => `${name}=${value}`);
    const args = ["test/e2e/rolloutMutant.ts", sandbox.home.dir, "dev", mutation, ...values];
    const ended = await runProgram(process.execPath, ["--import", "tsx", ...args], { cwd: PROJECT_DIR });
    isUpToDate = ended.exitCode === 0;
    return ended;
  }
  async function mustUpdate(mutation: string): Promise<void> {
    const { exitCode, stdout, stderr } = await update(mutation);
    assert.equal(exitCode, 0, `${stdout}\n${stderr}`);
  }
  let releases = 1;
  /** A change that reaches each host by a release: the packet filter of each host names the operators' networks. */
  function changeRelease(): void {
    releases++;
    settings.set("operators.networks", `[192.0.2.${releases}/32]`);
  }
  /** A change of droplets. A disk cannot get smaller, so each size is larger than the one before. */
  function changeSize(of: "web" | "database"): void {
    const next = SIZES[SIZES.indexOf(settings.get(`${of}.size`) ?? "") + 1];
    settings.set(`${of}.size`, next ?? assert.fail("no larger size"));
  }
  const dropletsNow = () => hosts.droplets.at(-1) ?? assert.fail("no droplets");

  before(async function () {
    this.timeout(600_000);
    sandbox = await ReportingHosts.makeSandbox();
    // It also makes what the engine needs, such as the plugins.
    await sandbox.must(
      "up",
      "dev",
      "--skip-preview",
      ...[...settings].flatMap(([name, value]) => ["--config", `${name}=${value}`]),
    );
    hosts = await ReportingHosts.start(sandbox, await sandbox.must("outputs", "dev", "--show-secrets"));
    changeRelease();
    await mustUpdate("none");
  });
  afterEach(async () => {
    hosts.behaviours.clear();
    if (!isUpToDate) await mustUpdate("none");
  });
  after(async () => {
    try {
      await hosts?.stop();
    } finally {
      await sandbox?.remove();
    }
  });

  async function updateStopsAtUnwellHost(mutation: string): Promise<void> {
    hosts.behaviours.set("web-1", () => ({ outcome: "undone", step: "restart", cause: "did not start" }));
    const begun = hosts.taken.length;
    changeRelease();
    const { exitCode, stdout, stderr } = await update(mutation);
    const later = hosts.taken.slice(begun).filter((name) => name !== "web-2");
    assert.deepEqual(later, [], "the hosts behind the batch are unchanged");
    assert.equal(exitCode, 1, stdout);
    assert.match(stderr, /web-1: undone at restart: did not start/);
  }

  async function failedReleaseIsTriedAgain(mutation: string): Promise<void> {
    hosts.behaviours.set("db-1", () => ({ outcome: "refused", step: "setup", cause: "no mirror answers" }));
    const begun = hosts.taken.length;
    changeRelease();
    const failed = await update(mutation);
    assert.equal(failed.exitCode, 1, failed.stdout);
    hosts.behaviours.clear();
    const { exitCode, stderr } = await update(mutation);
    assert.equal(exitCode, 0, `the second update goes on: ${stderr}`);
    assert.deepEqual(hosts.taken.slice(begun).sort(), TURNS.flat().sort());
  }

  async function batchesWaitForEachOther(mutation: string): Promise<void> {
    const begun = hosts.behind.length;
    const seen = new Map<string, number>();
    for (const batch of TURNS)
      for (const name of batch)
        hosts.behaviours.set(name, () => {
          // A host applies until all hosts of its batch have their release, and REPORTS reports longer.
          const isBehind = batch.every((one) => hosts.behind.slice(begun).flat().includes(one));
          const count = (seen.get(name) ?? 0) + (isBehind ? 1 : 0);
          seen.set(name, count);
          return isBehind && count > REPORTS ? undefined : { outcome: "applying" };
        });
    changeRelease();
    await mustUpdate(mutation);
    const together = hosts.behind.slice(begun).filter((names) => names.length > 0);
    const isWithinBatch = (names: readonly string[]) =>
      TURNS.some((batch) => names.every((name) => batch.includes(name)));
    assert.deepEqual(
      together.filter((names) => !isWithinBatch(names)),
      [],
      "hosts of two batches had their turns at the same time",
    );
    for (const batch of TURNS)
      assert.ok(
        together.some(
          (names) => names.length === batch.length && names.every((name) => batch.includes(name)),
        ),
        `${batch.join(", ")} had their turns together: ${JSON.stringify(together)}`,
      );
  }

  async function memberStopsOnlyWithWholeGroup(mutation: string): Promise<void> {
    const sizes = async () =>
      (
        await sandbox.get<{ droplets: { name: string; size_slug: string }[] }>("/v2/droplets?per_page=200")
      ).droplets
        .filter(({ name }) => name.startsWith("dev-db-"))
        .map(({ size_slug }) => size_slug);
    const before = await sizes();
    hosts.behaviours.set("db-3", (number) => ({
      number,
      group: { online: 2, members: [], queue: 0, writable: true },
    }));
    changeSize("database");
    settings.set("rollout.timeoutSeconds", "30");
    const { exitCode, stdout, stderr } = await update(mutation);
    settings.set("rollout.timeoutSeconds", "180");
    assert.deepEqual(await sizes(), before, "no member was resized");
    assert.equal(exitCode, 1, stdout);
    assert.match(stderr, /db-1: .*must not stop, because db-3 sees 2 of 3 members ONLINE/);
  }

  async function resizedMembersShutDown(mutation: string): Promise<void> {
    interface Action {
      readonly id: number;
      readonly type: string;
      readonly resource_id: number;
    }
    const list = async () =>
      (await sandbox.get<{ actions: Action[] }>("/v2/actions?per_page=200")).actions.sort(
        (a, b) => a.id - b.id,
      );
    const newest = (await list()).at(-1)?.id ?? 0;
    const before = dropletsNow();
    changeSize("database");
    await mustUpdate(mutation);
    assert.deepEqual(dropletsNow(), before, "members are resized, not replaced");
    const later = (await list()).filter(({ id }) => id > newest);
    for (const name of ["db-1", "db-2", "db-3"]) {
      const [id] = dropletsNow()[name] ?? [];
      const types = later.filter((action) => action.resource_id === id).map(({ type }) => type);
      assert.deepEqual(types, ["shutdown", "resize", "power_on"], `${name} shuts down before it is resized`);
    }
  }

  async function newWebDropletsComeFirst(mutation: string): Promise<void> {
    const before = dropletsNow();
    const begun = hosts.droplets.length;
    changeSize("web");
    await mustUpdate(mutation);
    const during = hosts.droplets.slice(begun);
    for (const name of WEB) {
      const [old] = before[name] ?? [];
      assert.ok(old);
      const [now] = dropletsNow()[name] ?? [];
      assert.ok(now && now !== old, `${name} has another droplet`);
      const isBeside = during.some(
        (droplets) => droplets[name]?.includes(old) && droplets[name].length === 2,
      );
      assert.ok(isBeside, `the old droplet of ${name} stays until the new one is well`);
    }
  }

  for (const [title, check, mutation, message] of [
    [
      "it stops at the first host that is not well",
      updateStopsAtUnwellHost,
      "turnsDoNotWait",
      /the hosts behind the batch are unchanged/,
    ],
    [
      "the hosts of a batch have their turns together, the next batch waits, and database hosts go one by one",
      batchesWaitForEachOther,
      "turnsAreSideBySide",
      /hosts of two batches had their turns at the same time/,
    ],
    [
      "the same update tries a host again on which a release has failed",
      failedReleaseIsTriedAgain,
      "failuresAreForgotten",
      /the second update goes on: .*db-1: refused at setup: no mirror answers/s,
    ],
    [
      "a member stops only while the rest of its group is whole",
      memberStopsOnlyWithWholeGroup,
      "membersDoNotWait",
      /no member was resized/,
    ],
    [
      "a member shuts down before its droplet is resized, and its power is not cut",
      resizedMembersShutDown,
      "membersDoNotWait",
      /db-1 shuts down before it is resized/,
    ],
    [
      "the old droplet of a web host stays until the new one is well",
      newWebDropletsComeFirst,
      "oldDropletsGoFirst",
      /the old droplet of web-1 stays/,
    ],
  ] as const) {
    it(title, () => check("none"));

    if (IS_LONG || mutation === "turnsDoNotWait")
      it(`${title}: the check fails with the mutation ${mutation}`, async () => {
        await assert.rejects(check(mutation), (error) => {
          assert.ok(error instanceof assert.AssertionError, String(error));
          assert.match(error.message, message);
          return true;
        });
      });
  }
});
