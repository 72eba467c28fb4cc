/** Generated from registry.ts by `node --import tsx policy/write-pages.ts`. Do not edit. */
export { appPlatformDatabases } from "./policies/app-platform-databases/policy";
export { appPlatformHttps } from "./policies/app-platform-https/policy";
export { databaseGroupQuorum } from "./policies/database-group-quorum/policy";
export { dropletMonitoring } from "./policies/droplet-monitoring/policy";
export { dropletSshKeys } from "./policies/droplet-ssh-keys/policy";
export { dropletsBehindFirewall } from "./policies/droplets-behind-firewall/policy";
export { encryptedDataServices } from "./policies/encrypted-data-services/policy";
export { encryptedDatabaseConnections } from "./policies/encrypted-database-connections/policy";
export { encryptedLogSinks } from "./policies/encrypted-log-sinks/policy";
export { endToEndEncryption } from "./policies/end-to-end-encryption/policy";
export { knownHostConfiguration } from "./policies/known-host-configuration/policy";
export { knownRemoteCommands } from "./policies/known-remote-commands/policy";
export { kubernetesAvailability } from "./policies/kubernetes-availability/policy";
export { kubernetesControlPlane } from "./policies/kubernetes-control-plane/policy";
export { kubernetesUpgrades } from "./policies/kubernetes-upgrades/policy";
export { monthlyCostCeiling } from "./policies/monthly-cost-ceiling/policy";
export { narrowFirewalls } from "./policies/narrow-firewalls/policy";
export { narrowSpacesKeys } from "./policies/narrow-spaces-keys/policy";
export { noExposedSecrets } from "./policies/no-exposed-secrets/policy";
export { noSingleWriterInProduction } from "./policies/no-single-writer-in-production/policy";
export { noWorldOpenDatabase } from "./policies/no-world-open-database/policy";
export { privateNetwork } from "./policies/private-network/policy";
export { privateSpacesBuckets } from "./policies/private-spaces-buckets/policy";
export { recoverableDatabases } from "./policies/recoverable-databases/policy";
export { resourceAlerts } from "./policies/resource-alerts/policy";
export { resourceHygiene } from "./policies/resource-hygiene/policy";
export { separateRolesInProduction } from "./policies/separate-roles-in-production/policy";
export { serviceMetrics } from "./policies/service-metrics/policy";
export { siteUptime } from "./policies/site-uptime/policy";
export { supportedDatabases } from "./policies/supported-databases/policy";
export { supportedImages } from "./policies/supported-images/policy";
export { validCertificates } from "./policies/valid-certificates/policy";
export { versionedBuckets } from "./policies/versioned-buckets/policy";

/** The names of the package's policies. */
export type PolicyName =
  | "app-platform-databases"
  | "app-platform-https"
  | "database-group-quorum"
  | "droplet-monitoring"
  | "droplet-ssh-keys"
  | "droplets-behind-firewall"
  | "encrypted-data-services"
  | "encrypted-database-connections"
  | "encrypted-log-sinks"
  | "end-to-end-encryption"
  | "known-host-configuration"
  | "known-remote-commands"
  | "kubernetes-availability"
  | "kubernetes-control-plane"
  | "kubernetes-upgrades"
  | "monthly-cost-ceiling"
  | "narrow-firewalls"
  | "narrow-spaces-keys"
  | "no-exposed-secrets"
  | "no-single-writer-in-production"
  | "no-world-open-database"
  | "private-network"
  | "private-spaces-buckets"
  | "recoverable-databases"
  | "resource-alerts"
  | "resource-hygiene"
  | "separate-roles-in-production"
  | "service-metrics"
  | "site-uptime"
  | "supported-databases"
  | "supported-images"
  | "valid-certificates"
  | "versioned-buckets";
