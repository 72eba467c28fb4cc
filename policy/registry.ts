/** Every policy of the pack. A folder under policies/ that is not listed here fails the tests. */
import type { PolicyDefinition } from "./frame/definition";
import { databaseGroupQuorum } from "./policies/database-group-quorum/policy";
import { dropletsBehindFirewall } from "./policies/droplets-behind-firewall/policy";
import { endToEndEncryption } from "./policies/end-to-end-encryption/policy";
import { narrowFirewalls } from "./policies/narrow-firewalls/policy";
import { noSingleWriterInProduction } from "./policies/no-single-writer-in-production/policy";
import { noWorldOpenDatabase } from "./policies/no-world-open-database/policy";
import { privateNetwork } from "./policies/private-network/policy";

export const definitions: readonly PolicyDefinition[] = [
  databaseGroupQuorum,
  dropletsBehindFirewall,
  endToEndEncryption,
  narrowFirewalls,
  noSingleWriterInProduction,
  noWorldOpenDatabase,
  privateNetwork,
];
