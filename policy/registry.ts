/** Every policy of the pack. A folder under policies/ that is not listed here fails the tests. */
import type { PolicyDefinition } from "./frame/definition";
import { endToEndEncryption } from "./policies/end-to-end-encryption/policy";
import { noSingleWriterInProduction } from "./policies/no-single-writer-in-production/policy";
import { noWorldOpenDatabase } from "./policies/no-world-open-database/policy";

export const definitions: readonly PolicyDefinition[] = [
  endToEndEncryption,
  noSingleWriterInProduction,
  noWorldOpenDatabase,
];
