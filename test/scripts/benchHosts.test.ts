import assert from "node:assert/strict";
import { type AgentCost, hostRows, type PowerCut, percentile } from "../../scripts/bench/hosts";
import { median } from "../../scripts/bench/median";

describe("bench: the figures of hosts", () => {
  const rates = (readsPerSecond: number, writesPerSecond: number) => ({ readsPerSecond, writesPerSecond });
  const rowsOf = (powerCuts: readonly PowerCut[], agent?: AgentCost) =>
    hostRows({
      ...(agent ? { agent } : {}),
      secondsToFirst200: 20.04,
      secondsToAllOnline: 25,
      releases: {
        secondsByWebHost: { "web-1": 4.04, "web-2": 5 },
        secondsByDatabaseHost: { "db-1": 6 },
        applicationSeconds: 31,
        applicationHosts: 2,
      },
      memoryMibByHost: { "node-1": 700 },
      powerCuts,
      prices: {
        tls: { with: rates(80, 30), without: rates(100, 0) },
        sessions: { with: rates(80, 30), without: rates(90, 40) },
        healthWrites: { with: rates(80, 30), without: rates(80, 30) },
      },
    }).map(([name, value]) => `${name}: ${value}`);

  it("percentiles are values that were measured (nearest rank)", () => {
    const values = [5, 1, 4, 2, 3, 6, 7, 8, 9, 10];
    assert.deepEqual([percentile(values, 0.5), percentile(values, 0.95), percentile([3], 0.5)], [5, 10, 3]);
  });

  it("a median is the middle, or the mean of the two in the middle", () => {
    assert.deepEqual(
      [median([9, 1, 5]), median([4, 1, 2, 9]), median([]), median([7])],
      [5, 3, Number.NaN, 7],
    );
  });

  it("tells how long releases take: each host's turn, and the whole command", () => {
    const rows = rowsOf([]);
    assert.ok(rows.includes("a release in place, web hosts: 4.0 s, 5.0 s"));
    assert.ok(rows.includes("npm run up with another application: 31.0 s, 2 hosts one after another"));
  });

  it("tells rates as a ratio of one run, and no percentile of nothing", () => {
    const rows = rowsOf([]);
    assert.ok(rows.includes("npm start to the first 200 through the load balancer: 20.0 s"));
    assert.ok(rows.some((row) => row.endsWith("80 and 100 a second, ratio 0.80")));
    assert.ok(rows.some((row) => row.endsWith("30 and 0 a second, no ratio")));
    assert.ok(rows.includes("longest time without a write at a power cut: not measured"));
  });

  it("tells power cuts as a spread of their times and sums of what they cost", () => {
    const counts = { requests: 100, failedRequests: 2, acknowledgedNotes: 80, lostNotes: 0 };
    const parts = {
      directGapSeconds: 0.5,
      unreachableSeconds: undefined,
      expelledSeconds: 6,
      haproxySeconds: 2,
    };
    const cuts = [3, 1, 2].map((gapSeconds) => ({ gapSeconds, parts, rejoinSeconds: 10, ...counts }));
    const rows = rowsOf([...cuts]);
    assert.ok(
      rows.includes(
        "longest time without a write at a power cut: 2.0 s (p50), 3.0 s (p95), 1.0 s to 3.0 s, of 3",
      ),
    );
    assert.ok(rows.includes("  until the others see the member as unreachable: not measured"));
    assert.ok(
      rows.includes("  until the others have expelled it: 6.0 s (p50), 6.0 s (p95), 6.0 s to 6.0 s, of 3"),
    );
    assert.ok(rows.includes("failed requests around the power cuts: 6 of 300"));
    assert.ok(rows.includes("lost acknowledged notes: 0 of 240"));
  });

  it("tells what the monitoring agent costs as ratios of one run", () => {
    assert.ok(rowsOf([]).includes("with the monitoring agent, and without: not measured"));
    const use = (cpuPercent: number) => ({ cpuPercent, memoryMib: 800 });
    const rows = rowsOf([], {
      requestsPerSecond: { with: 50, without: 50 },
      byHost: { "node-1": { with: use(22), without: use(20) } },
    });
    assert.ok(rows.includes("CPU of node-1, the same: 22.0 and 20.0 percent of a CPU, ratio 1.10"));
    assert.ok(rows.includes("memory of node-1, the same: 800.0 and 800.0 MiB, ratio 1.00"));
  });
});
