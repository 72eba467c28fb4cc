/** The table of resource types is complete, and it is what the policies do. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { definitions } from "../../policy/registry";
import { everyType } from "../../policy/resources/types";
import { faultsOfTypes, withTypeTable } from "../../policy/type-table";
import { newestProviderTypes } from "./newestProviderTypes";
import { registeredPolicies } from "./registered";

/** The types that the installed provider can construct. */
function installedTypes(): readonly string[] {
  const sdk = dirname(require.resolve("@pulumi/digitalocean/package.json"));
  const found = readFileSync(join(sdk, "index.js"), "utf8").matchAll(/case "(digitalocean:[^"]+)"/g);
  return [...new Set([...found].map(([, type = ""]) => type))];
}

describe("the table of resource types", () => {
  const installed = installedTypes();
  const all = [...new Set([...installed, ...newestProviderTypes])];

  it("has every type of the installed provider and of the newest one", () => {
    assert.ok(installed.length >= 80 && newestProviderTypes.length >= 85);
    assert.deepEqual(faultsOfTypes(all, definitions), []);
  });

  it("fails for a type that is new, or gone", () => {
    const [new_] = faultsOfTypes([...all, "digitalocean:index/quantum:Quantum"], definitions);
    assert.match(new_ ?? "", /^Quantum: add it/);
    const gone = all.filter((type) => !type.endsWith(":Droplet"));
    assert.deepEqual(faultsOfTypes(gone, definitions), ["Droplet: the provider has no such type"]);
  });

  it("fails for a policy that leaves out a type", () => {
    const without = definitions.map((one) =>
      one.name === "narrow-firewalls" || one.name.includes("database")
        ? { ...one, types: (one.types ?? []).filter((type) => !type.endsWith("DatabaseFirewall")) }
        : one,
    );
    assert.deepEqual(
      faultsOfTypes(all, without).map((fault) => fault.split(":")[0]),
      ["DatabaseFirewall"],
    );
  });

  it("is the page (else: node --import tsx policy/write-pages.ts)", () => {
    const page = readFileSync(join(__dirname, "../../policy/resource-types.md"), "utf8");
    assert.equal(withTypeTable(page, definitions), page);
    assert.ok(page.includes("| Firewall | "));
  });

  for (const { definition, fixtures } of registeredPolicies) {
    it(`${definition.name} reports only types that it lists`, () => {
      const { types = [] } = definition;
      assert.ok(definition.types !== undefined);
      const reported = fixtures.invalid.flatMap(({ violations, resources }) =>
        violations.map(({ resource }) => resources[resource]?.type ?? ""),
      );
      const unlisted = reported.filter(
        (type) =>
          type.startsWith("digitalocean:") &&
          !type.endsWith(":DropletAutoscale") &&
          !types.includes(type) &&
          !types.includes(everyType),
      );
      assert.deepEqual([...new Set(unlisted)], []);
    });
  }
});
