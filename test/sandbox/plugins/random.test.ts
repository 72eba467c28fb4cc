import assert from "node:assert/strict";
import { compare } from "bcryptjs";
import fc from "fast-check";
import type { PropertyMap } from "../../../sandbox/plugins/provider/values";
import { drawString } from "../../../sandbox/plugins/random/draw";
import { random } from "../../../sandbox/plugins/random/provider";
import { Plugin, secretNames } from "./harness";

const kinds = { lower: /[a-z]/g, upper: /[A-Z]/g, numeric: /[0-9]/g, special: /[^a-zA-Z0-9]/g };
const minimum = fc.integer({ min: 0, max: 6 });
const wish = fc
  .record({
    ...{
      extra: fc.integer({ min: 0, max: 30 }),
      minLower: minimum,
      minUpper: minimum,
      minNumeric: minimum,
      minSpecial: minimum,
    },
    ...{ lower: fc.boolean(), upper: fc.boolean(), numeric: fc.boolean(), special: fc.boolean() },
    overrideSpecial: fc.option(fc.constantFrom("_", "-+", "~^"), { nil: undefined }),
  })
  .filter(({ lower, upper, numeric, special }) => lower || upper || numeric || special)
  .map(({ extra, overrideSpecial, ...rest }) => ({
    ...rest,
    length: extra + rest.minLower + rest.minUpper + rest.minNumeric + rest.minSpecial,
    ...(overrideSpecial === undefined ? {} : { overrideSpecial }),
  }));

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

describe("the random plugin", () => {
  let plugin: Plugin;

  before(async () => {
    plugin = await Plugin.start(random);
  });
  after(() => plugin.stop());

  it("draws strings of the asked length, with the asked minima and of allowed characters alone", () => {
    fc.assert(
      fc.property(wish, (asked) => {
        const drawn = drawString(asked);
        assert.equal([...drawn].length, asked.length);
        for (const kind of ["lower", "upper", "numeric", "special"] as const) {
          const least = asked[`min${kind.charAt(0).toUpperCase()}${kind.slice(1)}` as "minLower"];
          const found = count(drawn, kinds[kind]);
          assert.ok(found >= least, `${kind}: ${found} of ${least}`);
          if (!asked[kind]) assert.equal(found, least, `${kind} is not allowed beyond its minimum`);
        }
        if (asked.overrideSpecial !== undefined) {
          const others = (drawn.match(kinds.special) ?? []).filter(
            (one) => !asked.overrideSpecial?.includes(one),
          );
          assert.deepEqual(others, []);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("draws every character about equally often", () => {
    const only = {
      lower: false,
      upper: false,
      special: false,
      minLower: 0,
      minUpper: 0,
      minNumeric: 0,
      minSpecial: 0,
    };
    const drawn = drawString({ ...only, numeric: true, length: 20_000 });
    for (let digit = 0; digit < 10; digit++) {
      const found = count(drawn, new RegExp(String(digit), "g"));
      assert.ok(found > 1700 && found < 2300, `${digit}: ${found} times in 20,000`); // 2,000, standard deviation 42
    }
  });

  it("RandomPassword: secret, with its bcrypt hash, the same in a refresh, another for every change", async () => {
    const news = { length: 20, special: false, minNumeric: 3, keepers: { a: "1" } };
    const live = await plugin.create("RandomPassword", news);
    const result = String(live.state.result);
    assert.equal(live.id, "none");
    assert.match(result, /^[a-zA-Z0-9]{20}$/);
    assert.ok(await compare(result, String(live.state.bcryptHash)));
    assert.deepEqual(live.inputs, { ...news, __defaults: [], keepers: { a: "1" } });
    assert.deepEqual(
      [live.state.lower, live.state.numeric, live.state.number, live.state.minUpper],
      [true, true, true, 0],
    );
    const raw = await plugin.createRaw("RandomPassword", live.inputs, false);
    assert.deepEqual(secretNames(raw.getProperties()), ["bcryptHash", "result"]);
    assert.deepEqual((await plugin.read("RandomPassword", live))?.state, live.state);
    assert.deepEqual((await plugin.diff("RandomPassword", live, live.inputs)).changed, []);
    for (const change of [
      { length: 21 },
      { special: true },
      { numeric: false },
      { number: false },
      { keepers: { a: "2" } },
      { minLower: 1 },
      { overrideSpecial: "_" },
    ]) {
      const diff = await plugin.diff(
        "RandomPassword",
        live,
        await plugin.checked("RandomPassword", { ...news, ...change }),
      );
      assert.ok(diff.replaces.includes(Object.keys(change)[0] ?? ""), JSON.stringify(change));
    }
    const { special: _, ...without } = news;
    assert.deepEqual(
      (await plugin.diff("RandomPassword", live, await plugin.checked("RandomPassword", without))).replaces,
      ["special"],
    );
    await plugin.delete("RandomPassword", live);
  });

  it("RandomPassword: refuses a length below the sum of the minima, and contradictory values of number and numeric", async () => {
    const short = await plugin.check("RandomPassword", { length: 3, minLower: 2, minUpper: 2 });
    assert.match(short.failures.join(), /"length" must be 4 or more/);
    const both = await plugin.check("RandomPassword", { length: 3, number: true, numeric: false });
    assert.match(both.failures.join(), /"number" conflicts with "numeric"/);
    const none = { length: 3, lower: false, upper: false, numeric: false, special: false };
    await assert.rejects(plugin.create("RandomPassword", none), /no kind of character is allowed/);
  });

  it("RandomPassword and RandomString: imported by their value", async () => {
    const password = await plugin.import("RandomPassword", "hunter22");
    assert.deepEqual([password?.id, password?.state.result, password?.state.length], ["none", "hunter22", 8]);
    const text = await plugin.import("RandomString", "abc");
    assert.deepEqual([text?.id, text?.state.result], ["abc", "abc"]);
    assert.deepEqual(
      (await plugin.diff("RandomString", text!, await plugin.checked("RandomString", { length: 3 }))).changed,
      [],
    );
  });

  it("RandomString: no secret, its value is its id", async () => {
    const live = await plugin.create("RandomString", { length: 12, upper: false });
    assert.equal(live.id, live.state.result);
    assert.doesNotMatch(live.id, /[A-Z]/);
  });

  it("RandomId: one number in four forms", async () => {
    const live = await plugin.create("RandomId", { byteLength: 8, prefix: "p-" });
    const { b64Url, b64Std, hex, dec } = live.state as Record<string, string>;
    const bytes = Buffer.from(live.id, "base64url");
    assert.equal(bytes.length, 8);
    assert.deepEqual(
      [b64Url, b64Std, hex, dec],
      [
        bytes.toString("base64url"),
        bytes.toString("base64"),
        bytes.toString("hex"),
        BigInt(`0x${bytes.toString("hex")}`).toString(),
      ].map((form) => `p-${form}`),
    );
    const imported = await plugin.import("RandomId", `p-,${live.id}`);
    assert.deepEqual([imported?.id, imported?.state], [live.id, live.state]);
    assert.match((await plugin.check("RandomId", { byteLength: 0 })).failures.join(), /1 or more/);
  });

  it("RandomPet: words, separator, prefix, length", async () => {
    assert.match((await plugin.create("RandomPet", {})).id, /^[a-z]+-[a-z]+$/);
    assert.match(
      (await plugin.create("RandomPet", { length: 4, separator: "_", prefix: "web" })).id,
      /^web(_[a-z]+){4}$/,
    );
    assert.match((await plugin.create("RandomPet", { length: 1 })).id, /^[a-z]+$/);
    const { state } = await plugin.create("RandomPet", {});
    assert.deepEqual(state, { length: 2, separator: "-" });
  });

  it("RandomUuid: version 4, imported by itself alone", async () => {
    const live = await plugin.create("RandomUuid", {});
    assert.match(live.id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(live.state.result, live.id);
    assert.equal((await plugin.import("RandomUuid", live.id))?.id, live.id);
    await assert.rejects(plugin.import("RandomUuid", "not-a-uuid"), /is not a UUID/);
  });

  it("makes another value each time", async () => {
    const drawn = await Promise.all(
      Array.from({ length: 20 }, () => plugin.create("RandomString", { length: 16 } as PropertyMap)),
    );
    assert.equal(new Set(drawn.map(({ id }) => id)).size, 20);
  });
});
