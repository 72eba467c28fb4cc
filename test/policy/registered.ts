/** The policies with their fixtures, found through the folders, so that no policy can go untested. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { PolicyDefinition } from "../../policy/frame/definition";
import type { PolicyFixtures } from "../../policy/frame/fixture";
import { definitions } from "../../policy/registry";

export const policiesDir = join(__dirname, "../../policy/policies");

export const policyFolders = readdirSync(policiesDir, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();

export interface RegisteredPolicy {
  readonly definition: PolicyDefinition;
  readonly fixtures: PolicyFixtures;
}

export const registeredPolicies: readonly RegisteredPolicy[] = definitions.map((definition) => {
  const { fixtures } = require(join(policiesDir, definition.name, "fixtures")) as {
    fixtures: PolicyFixtures;
  };
  return { definition, fixtures };
});
