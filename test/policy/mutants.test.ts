import assert from "node:assert/strict";
import type { HarmlessMutants } from "../../policy/frame/fixture";
import { unknownValue } from "../../policy/frame/value";
import { judgeFixture } from "./harness";
import { type Change, mutants, removed } from "./mutants";
import { registeredPolicies } from "./registered";

const changes: readonly Change[] = [
  ["removed", removed],
  ["emptied", undefined],
  ["unknown", unknownValue],
  ["mistyped", { odd: true }],
];

/** Of every policy; those of one policy stand in its fixtures. */
const harmlessEverywhere: readonly HarmlessMutants[] = [
  {
    path: /^(name|region|size|image|type|version|nodeCount)$/,
    reason: "says nothing of what the policy demands",
  },
  {
    path: /^userData$/,
    change: /removed|emptied/,
    reason: "a host without user data is configured by nobody",
  },
];

describe("mutants of the valid fixtures", function () {
  this.timeout(180_000);

  const total = { caught: 0, harmless: 0 };

  for (const { definition, fixtures } of registeredPolicies) {
    it(`${definition.name}: each is caught, or harmless for a named reason`, () => {
      const own = fixtures.harmlessMutants ?? [];
      const used = new Set<HarmlessMutants>();
      const survivors: string[] = [];
      let caught = 0;
      let harmless = 0;
      for (const fixture of fixtures.valid.filter(({ leftAlone }) => leftAlone !== true)) {
        for (const [name, resource] of Object.entries(fixture.resources)) {
          for (const { path, change, value } of mutants(resource.properties, changes)) {
            const resources = { ...fixture.resources, [name]: { ...resource, properties: value } };
            if (judgeFixture(definition, { ...fixture, resources }).length > 0) {
              caught += 1;
              continue;
            }
            const exception = [...own, ...harmlessEverywhere].find(
              (one) =>
                one.path.test(path) && (one.change ?? /./).test(change) && (one.resource ?? /./).test(name),
            );
            if (exception === undefined) survivors.push(`${fixture.title}: ${name}.${path} ${change}`);
            else {
              harmless += 1;
              used.add(exception);
            }
          }
        }
      }
      total.caught += caught;
      total.harmless += harmless;
      console.log(
        `      ${definition.name}: ${caught} caught, ${harmless} harmless, ${survivors.length} survived`,
      );
      assert.deepEqual(survivors, []);
      assert.deepEqual(
        own.filter((exception) => !used.has(exception)).map(({ path, change }) => `${path} ${change ?? ""}`),
        [],
        "an exception that excepts nothing",
      );
    });
  }

  /** It objects to what is no secret and should be one: made secret, these of its examples are sound. */
  const SOUND_WHEN_SECRET = [
    "a migration with a password in plain text",
    "a key of Datadog, and a variable of a command, in plain text",
    "user data with a key that is not a secret",
    "a password in a script",
    "keys of services in a command",
    "a webhook that is not a secret",
  ];

  for (const { definition, fixtures } of registeredPolicies) {
    it(`${definition.name}: making every input a secret hides no violation`, () => {
      const hidden = fixtures.invalid.filter((fixture) => {
        const resources = Object.fromEntries(
          Object.entries(fixture.resources).map(([name, resource]) => [
            name,
            { ...resource, secrets: Object.keys(resource.properties) },
          ]),
        );
        return judgeFixture(definition, { ...fixture, resources }).length === 0;
      });
      assert.deepEqual(
        hidden.map(({ title }) => title),
        definition.name === "no-exposed-secrets" ? SOUND_WHEN_SECRET : [],
      );
    });
  }

  after(() => {
    console.log(`      all policies: ${total.caught} caught, ${total.harmless} harmless for a named reason`);
  });
});
