import assert from "node:assert/strict";
import { judgeFixture, proxyThrows } from "./harness";
import { registeredPolicies } from "./registered";

describe("policy fixtures", () => {
  it("run behind the SDK's proxy, which throws for unknown values", () => {
    assert.ok(proxyThrows());
  });

  for (const { definition, fixtures } of registeredPolicies) {
    describe(definition.name, () => {
      for (const fixture of fixtures.valid) {
        it(`passes: ${fixture.title}`, () => {
          assert.deepEqual(judgeFixture(definition, fixture), []);
        });
      }
      for (const fixture of fixtures.invalid) {
        it(`refuses: ${fixture.title}`, () => {
          const seen = judgeFixture(definition, fixture);
          for (const { resource, says, at } of fixture.violations) {
            const found = seen.some(
              (one) => one.resource === resource && one.at === at && one.message.includes(says),
            );
            assert.ok(
              found,
              `no violation of ${resource} at ${at} says "${says}" in ${JSON.stringify(seen, null, 2)}`,
            );
          }
          assert.equal(seen.length, fixture.violations.length, JSON.stringify(seen, null, 2));
        });
      }
    });
  }
});
