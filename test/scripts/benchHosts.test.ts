import assert from "node:assert/strict";
import { hostRows, percentile } from "../../scripts/bench/hosts";

describe("bench: the figures of hosts", () => {
  it("percentiles are values that were measured (nearest rank)", () => {
    const values = [5, 1, 4, 2, 3, 6, 7, 8, 9, 10];
    assert.deepEqual([percentile(values, 0.5), percentile(values, 0.95), percentile([3], 0.5)], [5, 10, 3]);
  });

  it("tells rates as a ratio of one run, and no percentile of nothing", () => {
    const rates = { readsPerSecond: 80, writesPerSecond: 30 };
    const rows = hostRows({
      secondsToDroplets: 1,
      secondsToFirst200: 20.04,
      secondsToAllOnline: 25,
      memoryMibByHost: { "node-1": 700 },
      failoverGapsSeconds: [],
      encrypted: rates,
      plain: { readsPerSecond: 100, writesPerSecond: 0 },
    }).map(([name, value]) => `${name}: ${value}`);
    assert.ok(rows.includes("first 200 through the load balancer: 20.0 s"));
    assert.ok(rows.some((row) => row.endsWith("80 and 100 a second, ratio 0.80")));
    assert.ok(rows.some((row) => row.endsWith("30 and 0 a second, no ratio")));
    assert.ok(rows.some((row) => row.endsWith("not measured")));
  });
});
