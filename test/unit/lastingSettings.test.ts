import assert from "node:assert/strict";
import { lastingSettings, refusedChanges } from "../../infra/config/lastingSettings";
import { completeConfig } from "../../infra/config/parse";
import type { Settings } from "../../infra/config/types";

const given = { domain: "foobar.com", database: { count: 5 } };
const settings = (more: Partial<Settings> = {}, label = "dev") =>
  lastingSettings(label, completeConfig({ ...given, ...more }));
const five = [1, 2, 3, 4, 5];

describe("settings that a stack keeps", () => {
  const refused: [change: Partial<Settings>, setting: string][] = [
    [{ region: "ams3" }, "secured-web:region: cannot change from nyc3 to ams3."],
    [
      { vpc: { ipRange: "10.99.0.0/20" } },
      "secured-web:vpc.ipRange: cannot change from 10.110.0.0/20 to 10.99.0.0/20.",
    ],
    [{ topology: "separated" }, "secured-web:topology: cannot change from converged to separated."],
    [{ domain: "example.com" }, "secured-web:domain: cannot change from foobar.com to example.com."],
    [{ database: { count: 3 } }, "secured-web:database.count: cannot change from 5 to 3."],
    [{ createDomain: false }, "secured-web:createDomain: cannot change from true to false."],
  ];
  for (const [change, setting] of refused) {
    it(`${setting} This is refused as long as database hosts exist`, () => {
      const problems = refusedChanges(settings(), settings(change), undefined, five, false);
      assert.equal(problems.length, 1);
      assert.ok(problems[0]?.startsWith(setting), problems[0]);
      assert.deepEqual(refusedChanges(settings(), settings(change), undefined, [], false), []);
    });
  }

  it("include the label, which is in the name of the database group", () => {
    const [problem = ""] = refusedChanges(settings(), settings({}, "staging"), undefined, five, false);
    assert.match(problem, /^label .*cannot change from dev to staging/);
  });

  it("allow more database hosts, and the former number if the new hosts were never created", () => {
    const three = settings({ database: { count: 3 } });
    assert.deepEqual(refusedChanges(three, settings(), undefined, [1, 2, 3], false), []);
    assert.deepEqual(refusedChanges(settings(), three, undefined, [1, 2, 3], false), []);
    assert.equal(refusedChanges(settings(), three, undefined, [1, 2, 3, 5], false).length, 1);
  });

  it("allow fewer members of a group, which leave it before they are deleted", () => {
    assert.deepEqual(
      refusedChanges(settings(), settings({ database: { count: 3 } }), undefined, five, true),
      [],
    );
    assert.equal(refusedChanges(settings(), settings({ region: "ams3" }), undefined, five, true).length, 1);
  });

  it("allow to give up the zone whose name is set, and to take it back", () => {
    const without = settings({ createDomain: false });
    assert.deepEqual(refusedChanges(settings(), without, "foobar.com", five, false), []);
    assert.equal(refusedChanges(settings(), without, "example.com", five, false).length, 1);
    assert.deepEqual(refusedChanges(without, settings(), undefined, five, false), []);
  });

  it("allow volumes that grow, and none that shrink or go", () => {
    const volumes = (volumeGib: number) => settings({ database: { count: 5, storage: "volume", volumeGib } });
    const check = (before: ReturnType<typeof settings>, after: ReturnType<typeof settings>) =>
      refusedChanges(before, after, undefined, five, true);
    assert.deepEqual(check(settings(), volumes(10)), []);
    assert.deepEqual(check(volumes(10), volumes(20)), []);
    const setBack = /volumeGib: cannot change from 20 to \d+\. .* Set it back: .*volumeGib 20$/;
    for (const after of [volumes(10), settings()])
      assert.match(check(volumes(20), after).join("\n"), setBack);
  });

  it("allow every value if the last update stored none", () => {
    assert.deepEqual(refusedChanges({}, settings({ region: "ams3" }), undefined, five, false), []);
  });
});
