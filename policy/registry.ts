/** All policies of the pack. The tests fail if a folder under policies/ is not listed here. */
import type { PolicyDefinition } from "./frame/definition";
import { appPlatformDatabases } from "./policies/app-platform-databases/policy";
import { appPlatformHttps } from "./policies/app-platform-https/policy";
import { databaseGroupQuorum } from "./policies/database-group-quorum/policy";
import { dropletMonitoring } from "./policies/droplet-monitoring/policy";
import { dropletSshKeys } from "./policies/droplet-ssh-keys/policy";
import { dropletsBehindFirewall } from "./policies/droplets-behind-firewall/policy";
import { encryptedDataServices } from "./policies/encrypted-data-services/policy";
import { encryptedDatabaseConnections } from "./policies/encrypted-database-connections/policy";
import { encryptedLogSinks } from "./policies/encrypted-log-sinks/policy";
import { endToEndEncryption } from "./policies/end-to-end-encryption/policy";
import { knownHostConfiguration } from "./policies/known-host-configuration/policy";
import { knownRemoteCommands } from "./policies/known-remote-commands/policy";
import { kubernetesAvailability } from "./policies/kubernetes-availability/policy";
import { kubernetesControlPlane } from "./policies/kubernetes-control-plane/policy";
import { kubernetesUpgrades } from "./policies/kubernetes-upgrades/policy";
import { monthlyCostCeiling } from "./policies/monthly-cost-ceiling/policy";
import { narrowFirewalls } from "./policies/narrow-firewalls/policy";
import { narrowSpacesKeys } from "./policies/narrow-spaces-keys/policy";
import { noExposedSecrets } from "./policies/no-exposed-secrets/policy";
import { noSingleWriterInProduction } from "./policies/no-single-writer-in-production/policy";
import { noWorldOpenDatabase } from "./policies/no-world-open-database/policy";
import { privateNetwork } from "./policies/private-network/policy";
import { privateSpacesBuckets } from "./policies/private-spaces-buckets/policy";
import { recoverableDatabases } from "./policies/recoverable-databases/policy";
import { resourceAlerts } from "./policies/resource-alerts/policy";
import { resourceHygiene } from "./policies/resource-hygiene/policy";
import { separateRolesInProduction } from "./policies/separate-roles-in-production/policy";
import { serviceMetrics } from "./policies/service-metrics/policy";
import { siteUptime } from "./policies/site-uptime/policy";
import { supportedDatabases } from "./policies/supported-databases/policy";
import { supportedImages } from "./policies/supported-images/policy";
import { validCertificates } from "./policies/valid-certificates/policy";
import { versionedBuckets } from "./policies/versioned-buckets/policy";

export const definitions: readonly PolicyDefinition[] = [
  appPlatformDatabases,
  appPlatformHttps,
  databaseGroupQuorum,
  dropletMonitoring,
  dropletSshKeys,
  dropletsBehindFirewall,
  encryptedDataServices,
  encryptedDatabaseConnections,
  encryptedLogSinks,
  endToEndEncryption,
  knownHostConfiguration,
  knownRemoteCommands,
  kubernetesAvailability,
  kubernetesControlPlane,
  kubernetesUpgrades,
  monthlyCostCeiling,
  narrowFirewalls,
  narrowSpacesKeys,
  noExposedSecrets,
  noSingleWriterInProduction,
  noWorldOpenDatabase,
  privateNetwork,
  privateSpacesBuckets,
  recoverableDatabases,
  resourceAlerts,
  resourceHygiene,
  separateRolesInProduction,
  serviceMetrics,
  siteUptime,
  supportedDatabases,
  supportedImages,
  validCertificates,
  versionedBuckets,
];
