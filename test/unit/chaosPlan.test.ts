import assert from "node:assert/strict";
import * as fc from "fast-check";
import { type FaultName, faultNames } from "../../scripts/chaos/report";
import { FAULTS } from "../hosts/chaos/faults";
import { leavesMajority, plan, type Step } from "../hosts/chaos/plan";
import { randomFrom, shuffled } from "../hosts/chaos/random";

const ALL = new Map(faultNames.map((name) => [name, FAULTS[name]]));
const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });

function steps(seed: number, count: number, faults = ALL, members = 3, keepsMajority = false): Step[] {
  const generator = plan(seed, faults, { members, keepsMajority });
  return Array.from({ length: count }, () => generator.next().value);
}

describe("chaos: the plan of faults", () => {
  it("is the same for the same seed, and another for another", () => {
    assert.deepEqual(steps(7, 100), steps(7, 100));
    assert.notDeepEqual(steps(7, 100), steps(8, 100));
  });

  it("has every fault once before any comes again", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const first = steps(seed, faultNames.length).map(({ strikes }) => strikes[0]?.fault);
        assert.deepEqual(new Set(first), new Set(faultNames));
      }),
    );
  });

  it("strikes members that exist, and with two faults each other ones", () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 3, max: 5 }), (seed, members) => {
        for (const { strikes, seconds } of steps(seed, 40, ALL, members)) {
          const struck = strikes.flatMap((strike) => strike.members);
          assert.ok(struck.length > 0 && struck.every((member) => member >= 0 && member < members));
          assert.equal(new Set(struck).size, struck.length);
          assert.ok(strikes.length <= 2 && seconds >= 4 && seconds <= 12);
          const isAlone = strikes.some(({ fault }) => FAULTS[fault].isAlone);
          assert.ok(!isAlone || strikes.length === 1);
        }
      }),
    );
  });

  it("leaves a majority of the members if it has to", () => {
    const reachesOf = ({ strikes }: Step) => strikes.map(({ fault }) => FAULTS[fault]);
    fc.assert(
      fc.property(seeds, (seed) => {
        const all = steps(seed, 60, ALL, 3, true);
        assert.ok(all.every((step) => leavesMajority(reachesOf(step), 3)));
        assert.ok(all.some(({ strikes }) => strikes.length === 2));
      }),
    );
    assert.ok(steps(1, 60).some((step) => !leavesMajority(reachesOf(step), 3)));
    const [two, one] = [FAULTS["power-two"], FAULTS["power-one"]];
    assert.deepEqual(
      [
        leavesMajority([two], 5),
        leavesMajority([two, one], 5),
        leavesMajority([one], 3),
        leavesMajority([], 3),
      ],
      [true, false, true, true],
    );
    assert.throws(() => steps(1, 1, new Map([["power-all", FAULTS["power-all"]]]), 3, true), /majority/);
  });

  it("combines faults, and repeats the only one there is", () => {
    const counts = steps(1, 200).map(({ strikes }) => strikes.length);
    assert.ok(counts.filter((count) => count === 2).length > 20);
    const only = new Map<FaultName, (typeof FAULTS)[FaultName]>([["power-all", FAULTS["power-all"]]]);
    assert.ok(
      steps(1, 5, only).every(({ strikes }) => strikes.length === 1 && strikes[0]!.members.length === 3),
    );
  });

  it("random numbers are between 0 and 1 and spread, and a shuffle keeps every element", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const random = randomFrom(seed);
        const numbers = Array.from({ length: 400 }, random);
        assert.ok(numbers.every((number) => number >= 0 && number < 1));
        const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
        assert.ok(mean > 0.35 && mean < 0.65, String(mean));
        assert.deepEqual(shuffled([1, 2, 3, 4], random).sort(), [1, 2, 3, 4]);
      }),
    );
  });
});
