import assert from "node:assert/strict";
import { type Fitness, type MemberRow, type Replication, verdictOf } from "../../app/memberState";

const row = (host: string | null, state: string | null, readOnly = 0): MemberRow => ({
  self: "a",
  readOnly,
  connections: 5,
  connectionLimit: 100,
  host,
  state,
  queue: 0,
});

describe("app: whether a database host takes writes", () => {
  const cases: [string, Replication, MemberRow[], Fitness, string][] = [
    [
      "ONLINE with all",
      "group",
      [row("a", "ONLINE"), row("b", "ONLINE"), row("c", "ONLINE")],
      "fit",
      "ONLINE",
    ],
    [
      "ONLINE with a majority",
      "group",
      [row("a", "ONLINE"), row("b", "ONLINE"), row("c", "UNREACHABLE")],
      "fit",
      "ONLINE",
    ],
    ["ONLINE, and one recovers", "group", [row("a", "ONLINE"), row("b", "RECOVERING")], "fit", "ONLINE"],
    ["ONLINE alone", "group", [row("a", "ONLINE")], "fit", "ONLINE"],
    [
      "cut off, and still calls itself ONLINE",
      "group",
      [row("a", "ONLINE"), row("b", "UNREACHABLE"), row("c", "UNREACHABLE")],
      "out",
      "no majority",
    ],
    ["half of a group", "group", [row("a", "ONLINE"), row("b", "UNREACHABLE")], "out", "no majority"],
    ["RECOVERING", "group", [row("a", "RECOVERING"), row("b", "ONLINE")], "out", "RECOVERING"],
    ["ERROR", "group", [row("a", "ERROR"), row("b", "ONLINE")], "out", "ERROR"],
    ["read-only", "group", [row("a", "ONLINE", 1)], "out", "read-only"],
    ["outside of any group", "group", [row("", "OFFLINE")], "out", "OFFLINE"],
    ["without the plugin", "group", [row(null, null)], "out", "OFFLINE"],
    ["a source", "source-replica", [row(null, null)], "fit", "source"],
    ["a replica", "source-replica", [row(null, null, 1)], "out", "read-only"],
    [
      "all connections taken",
      "group",
      [{ ...row("a", "ONLINE"), connections: 100 }],
      "impaired",
      "no free connection",
    ],
    [
      "a long queue of its own",
      "group",
      [{ ...row("a", "ONLINE"), queue: 5001 }, row("b", "ONLINE")],
      "impaired",
      "more than 5000 transactions to apply",
    ],
    [
      "a long queue of another",
      "group",
      [row("a", "ONLINE"), { ...row("b", "ONLINE"), queue: 5001 }],
      "fit",
      "ONLINE",
    ],
    ["silence", "group", [], "out", "no answer"],
  ];
  for (const [what, replication, rows, fitness, reason] of cases) {
    it(`${what}: ${fitness}, ${reason}`, () => {
      assert.deepEqual(verdictOf(replication, rows), { fitness, reason });
    });
  }
});
