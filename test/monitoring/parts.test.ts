import assert from "node:assert/strict";
import { LoadAverage } from "../../sandbox/monitoring/loadAverage";
import { countBetween } from "./live/counts";

describe("monitoring: load averages of a host", () => {
  it("come near to a steady number of tasks at the pace of each span, and go down after", () => {
    const load = new LoadAverage(1);
    load.add(0, 0);
    let averages = load.add(4, 0);
    for (let second = 1; second <= 300; second++) averages = load.add(4, second);
    const [one, five, fifteen] = averages;
    // After one time constant 1 - 1/e of the way is done.
    assert.ok(Math.abs(five - 4 * (1 - Math.exp(-1))) < 0.01, String(five));
    assert.ok(one > 3.9 && fifteen < five);
    const [after] = load.add(0, 360);
    assert.ok(after < one / 2);
  });

  it("follow faster where time passes faster", () => {
    const load = new LoadAverage(60);
    load.add(6, 0);
    const [, five] = load.add(6, 5);
    assert.ok(Math.abs(five - 6 * (1 - Math.exp(-1))) < 0.01, String(five));
  });
});

describe("monitoring: counts out of rates", () => {
  const series = (points: [time: number, value: number][]) => [
    {
      metric: "m",
      type: "gauge" as const,
      interval: 0,
      tags: new Map<string, string[]>(),
      points: points.map(([time, value]) => ({ time, value })),
    },
  ];

  it("are whole however unevenly the figures came", () => {
    // A counter at 0, 20, 20, 120 at the seconds 0, 2, 4, 14.
    const rates = series([
      [0, 999],
      [2, 10],
      [4, 0],
      [14, 10],
    ]);
    assert.equal(countBetween(rates, 0, 14), 120);
    assert.equal(countBetween(rates, 2, 14), 100);
  });

  it("take a span's share where a time lies within it, and nothing from before the first figure", () => {
    const rates = series([
      [0, 999],
      [2, 10],
      [4, 5],
    ]);
    assert.equal(countBetween(rates, 1, 3), 15);
    assert.equal(countBetween(rates, -10, 0), 0);
  });
});
