/** The rate of false alarms of no-exposed-secrets on ordinary names, and the rate at which it finds keys in them. */
import assert from "node:assert/strict";
import { droplet } from "../../policy/fixtures/texts";
import { findSecret } from "../../policy/parsers/secrets";
import { noExposedSecrets } from "../../policy/policies/no-exposed-secrets/policy";
import { judgeFixture } from "./harness";
import { generatedKeys, ordinaryNames } from "./ordinaryNames";

/** True if the policy objects to a droplet with this text as its name, its tag, or a part of its description. */
function isRefused(text: string): boolean {
  const resources = { "web-1": droplet(text, { tags: ["web", text] }) };
  return judgeFixture(noExposedSecrets, { title: "name", resources }).length > 0;
}

const NAMES = 1_000;
const KEYS_PER_FORM = 40;

describe("no-exposed-secrets on names", function () {
  this.timeout(60_000);

  it(`raises no alarm on ${NAMES} ordinary names`, () => {
    const refused = ordinaryNames(NAMES).filter(isRefused);
    console.log(`      ${refused.length} false alarms on ${NAMES} names`);
    assert.deepEqual(refused, []);
  });

  it("raises no alarm on a setting whose value is an ordinary name", () => {
    const refused = ordinaryNames(NAMES).filter(
      (name) => !/^(image|commit):/.test(name) && findSecret(`secret_name = ${name}\n`) !== undefined,
    );
    console.log(`      ${refused.length} false alarms on ${NAMES} settings`);
    assert.deepEqual(refused, []);
  });

  it("finds keys, as a whole name and after a word", () => {
    const keys = generatedKeys(KEYS_PER_FORM);
    const missed = keys.filter(({ key }) => !isRefused(key) || !isRefused(`web:${key}`));
    console.log(`      ${missed.length} of ${keys.length} keys missed`);
    assert.deepEqual(missed, []);
  });
});
