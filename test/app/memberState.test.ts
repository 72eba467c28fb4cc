import assert from "node:assert/strict";
import { type MemberRow, type Replication, verdictOf } from "../../app/memberState";

const row = (host: string | null, state: string | null, readOnly = 0): MemberRow => ({
  self: "a",
  readOnly,
  host,
  state,
});

describe("app: whether a database host takes writes", () => {
  const cases: [string, Replication, MemberRow[], boolean, string][] = [
    [
      "ONLINE with all",
      "group",
      [row("a", "ONLINE"), row("b", "ONLINE"), row("c", "ONLINE")],
      true,
      "ONLINE",
    ],
    [
      "ONLINE with a majority",
      "group",
      [row("a", "ONLINE"), row("b", "ONLINE"), row("c", "UNREACHABLE")],
      true,
      "ONLINE",
    ],
    ["ONLINE, and one recovers", "group", [row("a", "ONLINE"), row("b", "RECOVERING")], true, "ONLINE"],
    ["ONLINE alone", "group", [row("a", "ONLINE")], true, "ONLINE"],
    [
      "cut off, and still calls itself ONLINE",
      "group",
      [row("a", "ONLINE"), row("b", "UNREACHABLE"), row("c", "UNREACHABLE")],
      false,
      "no majority",
    ],
    ["half of a group", "group", [row("a", "ONLINE"), row("b", "UNREACHABLE")], false, "no majority"],
    ["RECOVERING", "group", [row("a", "RECOVERING"), row("b", "ONLINE")], false, "RECOVERING"],
    ["ERROR", "group", [row("a", "ERROR"), row("b", "ONLINE")], false, "ERROR"],
    ["read-only", "group", [row("a", "ONLINE", 1)], false, "read-only"],
    ["outside of any group", "group", [row("", "OFFLINE")], false, "OFFLINE"],
    ["without the plugin", "group", [row(null, null)], false, "OFFLINE"],
    ["a source", "source-replica", [row(null, null)], true, "source"],
    ["a replica", "source-replica", [row(null, null, 1)], false, "read-only"],
    ["silence", "group", [], false, "no answer"],
  ];
  for (const [what, replication, rows, isWritable, reason] of cases) {
    it(`${what}: ${isWritable ? "yes" : "no"}, ${reason}`, () => {
      assert.deepEqual(verdictOf(replication, rows), { isWritable, reason });
    });
  }
});
