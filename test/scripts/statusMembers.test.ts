import assert from "node:assert/strict";
import { groupState } from "../../scripts/status/members";
import type { HostRelease } from "../../scripts/status/releases";

const host = (
  name: string,
  supervisor?: string,
  online: number | undefined = 3,
  listed = 3,
): HostRelease => ({
  host: name,
  release: undefined,
  isBehind: false,
  rebootRequired: false,
  state: "well",
  ...(supervisor === undefined ? {} : { member: { online, listed, supervisor } }),
});
const ONLINE = "none: ONLINE in a group of db-1, db-2, db-3";

describe("the group in npm run status", () => {
  it("is one line where it is whole", () => {
    const hosts = [host("web-1"), host("db-1", ONLINE), host("db-2", ONLINE), host("db-3", ONLINE)];
    assert.deepEqual(groupState("dev", hosts), { isWhole: true, lines: ["3 of 3 members ONLINE"] });
  });

  it("is left out where no host reports one", () => {
    assert.equal(groupState("dev", [host("web-1")]), undefined);
  });

  it("names the member that is out, what it waits for, and the command that helps", () => {
    const failed =
      "wait: for an operator: this member has failed 3 times with the same error, so it does not join again; replace this host. The applier's error 13146: x";
    const hosts = [host("db-1", ONLINE, 2), host("db-2", ONLINE, 2), host("db-3", failed, 0)];
    assert.deepEqual(groupState("dev", hosts), {
      isWhole: false,
      lines: [
        "2 of 3 members ONLINE. The site reads and writes with them.",
        `db-3: ${failed}`,
        "Run: npm run replace -- dev db-3",
      ],
    });
  });

  it("says that no write is accepted where they are no majority, also while one host does not report", () => {
    const waits = "wait: for db-3: nobody is ONLINE, and who is silent may hold the newest data";
    const silent = { ...host("db-2"), member: { online: undefined, listed: undefined, supervisor: waits } };
    const lines = groupState("dev", [host("db-1", waits, 0), silent])?.lines ?? [];
    assert.equal(
      lines[0],
      "0 of 3 members ONLINE. Without a majority of members ONLINE, no member accepts writes.",
    );
    assert.deepEqual(lines.slice(1), [`db-1: ${waits}`, `db-2: ${waits}`]);
  });

  it("names the members that web hosts do not use, and their reasons, also where all are ONLINE", () => {
    const db2 = (reason: string) => [{ host: "db-2.internal.dev.foobar.com", reason }];
    const locked = db2("a small write fails (ER_LOCK_WAIT_TIMEOUT)");
    const hosts = [host("db-1", ONLINE), host("db-2", ONLINE), host("db-3", ONLINE)];
    const web = (name: string, unfit: HostRelease["unfit"]) => ({
      ...host(name),
      ...(unfit ? { unfit } : {}),
    });
    assert.deepEqual(groupState("dev", [web("web-1", locked), web("web-2", locked), ...hosts]), {
      isWhole: false,
      lines: [
        "3 of 3 members ONLINE",
        "db-2: not used (a small write fails (ER_LOCK_WAIT_TIMEOUT)) by web-1, web-2",
      ],
    });
    assert.deepEqual(
      groupState("dev", [web("web-1", db2("no answer (ETIMEDOUT)")), web("web-2", []), ...hosts])?.lines[1],
      "db-2: not used (no answer (ETIMEDOUT)) by web-1",
    );
    assert.equal(groupState("dev", [web("web-1", []), web("web-2", undefined), ...hosts])?.isWhole, true);
  });

  it("points to the runbook where an operator decides", () => {
    const hosts = [host("db-1", "wait: for an operator: a majority is empty: db-2, db-3", 0)];
    assert.match(
      groupState("dev", hosts)?.lines.at(-1) ?? "",
      /^db-1 needs an operator: docs\/runbooks\/member-not-online\.md$/,
    );
  });
});
