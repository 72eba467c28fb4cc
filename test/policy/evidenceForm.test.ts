import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { releaseDocument } from "../../infra/releases/document";
import * as program from "../../infra/releases/envelope";
import { evidenceOf, type ConfigurationEvidence as ProgramEvidence } from "../../infra/userdata/evidence";
import { firstReleasePath as programPath } from "../../infra/userdata/firstRelease";
import type { ReleaseFile as ProgramFile } from "../../infra/userdata/releaseForm";
import type { HostContext } from "../../infra/userdata/types";
import type { EvidenceEntry } from "../../policy/evidence/entry";
import { evidenceInput, type ConfigurationEvidence as PolicyEvidence } from "../../policy/evidence/form";
import { isEvidenceComponent, readEvidence, releaseContradictions } from "../../policy/evidence/host";
import { isRelease, objectAddress } from "../../policy/evidence/release";
import type { ReleaseFile as PolicyFile } from "../../policy/evidence/release-form";
import * as form from "../../policy/evidence/release-form";
import { registeredResource } from "../../policy/frame/resource";
import { bucketObjectType } from "../../policy/resources/types";
import { ofType, registrations } from "../mocks/registrations";
import { contextsOf, fakeSecrets } from "../payload/contexts";

// The compiler compares the two types, in both directions: `npm run verify` fails where one of them changes alone.
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
const sameForm: Same<ProgramEvidence, PolicyEvidence> = true;

const sameFile: Same<ProgramFile, PolicyFile> = true;

describe("the form of a release", () => {
  it("is the same in the program and in the policy pack", () => {
    assert.ok(sameFile);
    assert.deepEqual(
      [program.releasePayloadType, program.releaseContentType, programPath],
      [form.releasePayloadType, form.releaseContentType, form.compressedFirstReleasePath],
    );
  });

  it("is what the program makes, and the pack reads its files and its droplet's name", () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const key = String(privateKey.export({ type: "pkcs8", format: "pem" }));
    for (const context of contextsOf({ topology: "separated", settings: { releases: true } })) {
      const secrets = fakeSecrets(context.host);
      const document = releaseDocument(context, secrets);
      const { releasesUrl = "" } = secrets.release ?? {};
      const [, bucket, region, objectKey] =
        /^https:\/\/(.+)\.(.+)\.digitaloceanspaces\.com\/(.+)$/.exec(releasesUrl) ?? [];
      const object = registeredResource({
        urn: `urn:pulumi:dev::secured-web::${bucketObjectType}::${context.host.name}`,
        type: bucketObjectType,
        name: context.host.name,
        props: { bucket, region, key: objectKey, content: program.envelope(document, 1, key) },
        opts: {},
      });
      assert.ok(isRelease(object));
      const { entries, faults } = readEvidence(object);
      assert.deepEqual(faults, []);
      const [release] = entries;
      assert.equal(release?.dropletName, context.host.dropletName);
      assert.deepEqual(
        [...release.content.files],
        document.files.map(({ path, content }) => [path, content]),
      );
      for (const { path, mode } of document.files)
        assert.equal(release.content.modes.get(path)?.permissions, mode);
      assert.equal(form.releaseAddress(release.content.files), objectAddress(object));
      assert.deepEqual(releaseContradictions(release, evidenceFor(context)), []);
    }
  });
});

/** The evidence that a tier passes for a host, as the pack reads it. */
function evidenceFor(context: HostContext): readonly EvidenceEntry[] {
  const props = { [evidenceInput]: evidenceOf([context]) };
  const type = "example:index:Tier";
  return readEvidence(
    registeredResource({ urn: `urn:pulumi:dev::x::${type}::tier`, type, name: "tier", props, opts: {} }),
  ).entries;
}

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
