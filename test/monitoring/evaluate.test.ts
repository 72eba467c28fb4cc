import assert from "node:assert/strict";
import { reduce } from "../../sandbox/datadog/evaluate";
import { Evaluator, type Monitor } from "../../sandbox/datadog/monitors";
import { parseExpression, parseMonitorQuery, QueryError } from "../../sandbox/datadog/query";
import { SeriesStore, type SeriesType } from "../../sandbox/datadog/series";

const begin = 1_700_000_000;

/** Figures of a host, one each ten seconds from `begin`. */
function feed(
  store: SeriesStore,
  metric: string,
  host: string,
  values: number[],
  type: SeriesType = "gauge",
): void {
  store.add({
    metric,
    type,
    interval: 10,
    host,
    tags: ["stack:dev"],
    points: values.map((value, index) => ({ time: begin + index * 10, value })),
  });
}

const window = (count: number) => ({ from: begin, to: begin + count * 10, bucket: 10 });
const value = (store: SeriesStore, query: string, count: number) => {
  const parsed = parseMonitorQuery(`${query} > 0`);
  assert.equal(parsed.kind, "threshold");
  return parsed.kind === "threshold"
    ? Object.fromEntries(reduce(store, parsed.expression, parsed.aggregate, window(count)))
    : {};
};

describe("monitoring: queries over what was received", () => {
  it("adds up hosts before it takes the mean over time", () => {
    const store = new SeriesStore();
    feed(store, "q", "a", [10, 20]);
    feed(store, "q", "b", [1, 3]);
    assert.deepEqual(value(store, "avg(last_5m):sum:q{stack:dev}", 2), { "": 17 });
    assert.deepEqual(value(store, "max(last_5m):sum:q{*}", 2), { "": 23 });
    assert.deepEqual(value(store, "avg(last_5m):avg:q{*} by {host}", 2), { "host:a": 15, "host:b": 2 });
  });

  it("selects by tags, and by the lack of them", () => {
    const store = new SeriesStore();
    feed(store, "q", "a", [10]);
    feed(store, "q", "b", [1]);
    assert.deepEqual(value(store, "avg(last_5m):sum:q{host:a}", 1), { "": 10 });
    assert.deepEqual(value(store, "avg(last_5m):sum:q{!host:a,stack:dev}", 1), { "": 1 });
    assert.deepEqual(value(store, "avg(last_5m):sum:q{stack:prod}", 1), {});
  });

  it("puts counts together before it divides them", () => {
    const store = new SeriesStore();
    feed(store, "bad", "a", [1, 0], "count");
    feed(store, "all", "a", [2, 98], "count");
    assert.deepEqual(value(store, "sum(last_5m):sum:bad{*}.as_count() / sum:all{*}.as_count() * 100", 2), {
      "": 1,
    });
    assert.deepEqual(value(store, "avg(last_5m):sum:all{*}", 2), { "": 5 }, "as a rate");
  });

  it("divides group by group", () => {
    const store = new SeriesStore();
    feed(store, "used", "a", [50]);
    feed(store, "used", "b", [10]);
    feed(store, "most", "a", [100]);
    feed(store, "most", "b", [100]);
    assert.deepEqual(value(store, "avg(last_5m):max:used{*} by {host} / max:most{*} by {host} * 100", 1), {
      "host:a": 50,
      "host:b": 10,
    });
  });

  it("reads operators by their rank", () => {
    const store = new SeriesStore();
    const only = (text: string) => reduce(store, parseExpression(text), "sum", window(1)).get("");
    assert.equal(only("1 + 2 * 3"), 7);
    assert.equal(only("(1 + 2) * 3"), 9);
    assert.equal(only("8 / 4 / 2"), 1);
  });

  for (const [what, query] of [
    ["a missing aggregator", "sum:q{*} > 1"],
    ["a missing scope", "avg(last_5m):sum:q > 1"],
    ["a missing comparison", "avg(last_5m):sum:q{*}"],
    ["a window that is none", "avg(last_5y):sum:q{*} > 1"],
    ["what comes after the end", "avg(last_5m):sum:q{*} > 1 or so"],
    ["a function that is not known here", "avg(last_5m):anomalies(sum:q{*}, 'basic', 2) > 1"],
  ] as const) {
    it(`refuses ${what}`, () => assert.throws(() => parseMonitorQuery(query), QueryError));
  }
});

describe("monitoring: states of monitors", () => {
  const monitor = (query: string, options: Monitor["options"] = {}): Monitor => ({
    id: 1,
    name: "m",
    type: "query alert",
    query,
    message: "",
    tags: [],
    options,
  });
  const at = (index: number) => begin + index * 10;

  function states(
    values: number[],
    query: string,
    options: Monitor["options"] = {},
    until = values.length,
  ): string[] {
    const store = new SeriesStore();
    const evaluator = new Evaluator(store, { timeScale: 60, bucket: 10 });
    feed(store, "q", "a", values);
    const seen: string[] = [];
    for (let index = 2; index <= until + 1; index++) {
      evaluator.evaluate([monitor(query, options)], [], at(index));
      seen.push([...evaluator.states(1).values()].map(({ state }) => state).join());
    }
    return seen;
  }

  it("alert and clear", () => {
    assert.deepEqual(states([1, 1, 9, 9, 1], "avg(last_10m):sum:q{*} > 5"), [
      "OK",
      "OK",
      "Alert",
      "Alert",
      "OK",
    ]);
  });

  it("warn before they alert", () => {
    assert.deepEqual(
      states([1, 4, 9], "avg(last_10m):sum:q{*} > 5", { thresholds: { critical: 5, warning: 3 } }),
      ["OK", "Warn", "Alert"],
    );
  });

  it("tell silence where they are asked to, and only then", () => {
    const query = "avg(last_10m):sum:q{*} > 5";
    const silent = { notify_no_data: true, no_data_timeframe: 20 };
    assert.equal(states([1, 1], query, silent, 8).at(-1), "No Data");
    assert.equal(states([1, 1], query, {}, 8).at(-1), "OK");
  });

  it("compare with the time before", () => {
    const values = [...Array(12).fill(100), ...Array(8).fill(20)];
    const seen = states(values, "pct_change(avg(last_10m),last_1h):sum:q{*} < -70");
    assert.ok(seen.includes("Alert"), seen.join());
    assert.equal(seen.at(-1), "OK", "an hour later the new rate is the usual one");
  });

  it("alert where both windows of an objective burn too fast", () => {
    const store = new SeriesStore();
    const evaluator = new Evaluator(store, { timeScale: 60, bucket: 10 });
    const objective = {
      id: "o",
      name: "o",
      query: {
        numerator: "sum:all{*}.as_count() - sum:bad{*}.as_count()",
        denominator: "sum:all{*}.as_count()",
      },
      thresholds: [{ timeframe: "30d", target: 99 }],
    };
    feed(store, "all", "a", Array(30).fill(100), "count");
    feed(store, "bad", "a", [...Array(10).fill(0), ...Array(10).fill(50), ...Array(10).fill(0)], "count");
    const burning = monitor('burn_rate("o").over("30d").long_window("1h").short_window("10m") > 14.4');
    const seen = Array.from({ length: 30 }, (_, index) => {
      evaluator.evaluate([burning], [objective], at(index + 2));
      return evaluator.overall(1);
    });
    assert.equal(seen[5], "OK");
    assert.equal(seen[18], "Alert");
    assert.equal(seen[24], "OK", "the short window ends the alert while the long one still burns");
  });

  it("tell each change of state once", () => {
    const store = new SeriesStore();
    const evaluator = new Evaluator(store, { timeScale: 60, bucket: 10 });
    feed(store, "q", "a", [9, 9, 9, 1]);
    for (let index = 2; index <= 5; index++) {
      evaluator.evaluate([monitor("avg(last_10m):sum:q{*} by {host} > 5")], [], at(index));
    }
    assert.deepEqual(
      evaluator.transitions.map(({ group, from, to }) => ({ group, from, to })),
      [
        { group: "host:a", from: "OK", to: "Alert" },
        { group: "host:a", from: "Alert", to: "OK" },
      ],
    );
  });
});
