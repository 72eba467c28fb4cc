import assert from "node:assert/strict";
import type { ConfigurationEvidence as ProgramEvidence } from "../../infra/userdata/evidence";
import { evidenceInput, type ConfigurationEvidence as PolicyEvidence } from "../../policy/evidence/form";
import { isEvidenceComponent, readEvidence } from "../../policy/evidence/host";
import { registeredResource } from "../../policy/frame/resource";
import { ofType, registrations } from "../mocks/registrations";

// The compiler compares the two types, in both directions: `npm run verify` fails where one of them changes alone.
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
const sameForm: Same<ProgramEvidence, PolicyEvidence> = true;

describe("the form of evidence", () => {
  it("is the same type in the program and in the policy pack", () => {
    assert.equal(sameForm, true);
  });

  for (const [stack, tiers] of [
    ["dev", ["DatabaseTier"]],
    ["prod", ["WebTier", "DatabaseTier"]],
  ] as const) {
    it(`is what the components of ${stack} pass, and the pack reads all of it`, async () => {
      const environment = stack === "prod" ? "production" : "development";
      const made = await registrations(stack, { domain: "foobar.com", environment, monitoring: "none" });
      for (const tier of tiers) {
        const [component] = ofType(made, tier);
        const evidence = component?.inputs[evidenceInput] as ProgramEvidence | undefined;
        assert.ok(component !== undefined && evidence !== undefined, `${tier} passes ${evidenceInput}`);
        const { type, name } = component;
        const judged = registeredResource({
          urn: `urn:pulumi:${stack}::secured-web::${type}::${name}`,
          type,
          name,
          props: component.inputs,
          opts: {},
        });
        assert.ok(isEvidenceComponent(judged));
        const { entries, faults } = readEvidence(judged);
        assert.deepEqual(faults, []);
        assert.deepEqual(
          entries.map(({ dropletName, roles, content }) => [
            dropletName,
            { roles, files: Object.fromEntries(content.files) },
          ]),
          Object.entries(evidence),
        );
      }
    });
  }
});
