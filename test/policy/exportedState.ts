/** A fixture as `pulumi stack export` would write it. */
import type { Fixture } from "../../policy/frame/fixture";

const specialKey = "4dabf18193072939515e22adb298388d";
const secretMark = "1b47061264138c4ac30d75fd1eb44270";

export const asPlaintext = (value: unknown) => ({
  [specialKey]: secretMark,
  plaintext: JSON.stringify(value),
});
export const asCiphertext = () => ({ [specialKey]: secretMark, ciphertext: "djE6Y2lwaGVy" });

/** @param userData how a droplet's user data is written */
export function exportedState(
  fixture: Fixture,
  userData: (text: unknown) => unknown = asPlaintext,
): Record<string, unknown> {
  const stack = fixture.stack ?? "dev";
  const urnOf = (name: string) =>
    `urn:pulumi:${stack}::example::${fixture.resources[name]?.type ?? ""}::${name}`;
  const resources = Object.entries(fixture.resources).map(([name, resource]) => {
    const {
      type,
      properties,
      references = {},
      outputs = {},
      protect = false,
      ignoreChanges = [],
      additionalSecretOutputs = [],
      secrets = [],
    } = resource;
    const inputs = Object.fromEntries(
      Object.entries(properties).map(([key, value]) => [
        key,
        secrets.includes(key) ? asPlaintext(value) : key === "userData" ? userData(value) : value,
      ]),
    );
    return {
      urn: urnOf(name),
      custom: true,
      id: `${name}-id`,
      type,
      inputs,
      outputs: { ...inputs, ...outputs },
      protect,
      ignoreChanges,
      additionalSecretOutputs,
      propertyDependencies: Object.fromEntries(
        Object.entries(references).map(([property, names]) => [property, names.map(urnOf)]),
      ),
    };
  });
  return { version: 3, deployment: { manifest: {}, resources } };
}
