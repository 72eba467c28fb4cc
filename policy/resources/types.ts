/** Type tokens of the DigitalOcean provider, as the engine writes them. They are the same in 4.68.0 and 4.80.1. */

const token = (module: string, name: string) => `digitalocean:index/${module}:${name}`;

/** In `types` of a policy: it checks inputs of resources of every DigitalOcean type. */
export const everyType = "digitalocean:*";

export const appType = token("app", "App");
export const bucketType = token("spacesBucket", "SpacesBucket");
export const bucketObjectType = token("spacesBucketObject", "SpacesBucketObject");
export const bucketPolicyType = token("spacesBucketPolicy", "SpacesBucketPolicy");
export const bucketCorsType = token("spacesBucketCorsConfiguration", "SpacesBucketCorsConfiguration");
export const cdnType = token("cdn", "Cdn");
export const certificateType = token("certificate", "Certificate");
export const clusterType = token("databaseCluster", "DatabaseCluster");
export const clusterFirewallType = token("databaseFirewall", "DatabaseFirewall");
export const clusterReplicaType = token("databaseReplica", "DatabaseReplica");
export const containerRegistryType = token("containerRegistry", "ContainerRegistry");
export const customImageType = token("customImage", "CustomImage");
export const dedicatedInferenceType = token("dedicatedInference", "DedicatedInference");
export const dropletSnapshotType = token("dropletSnapshot", "DropletSnapshot");
export const domainType = token("domain", "Domain");
export const firewallType = token("firewall", "Firewall");
export const floatingIpType = token("floatingIp", "FloatingIp");
export const floatingIpAssignmentType = token("floatingIpAssignment", "FloatingIpAssignment");
export const kubernetesClusterType = token("kubernetesCluster", "KubernetesCluster");
export const loadBalancerType = token("loadBalancer", "LoadBalancer");
export const logsinkOpensearchType = token("databaseLogsinkOpensearch", "DatabaseLogsinkOpensearch");
export const logsinkRsyslogType = token("databaseLogsinkRsyslog", "DatabaseLogsinkRsyslog");
export const monitorAlertType = token("monitorAlert", "MonitorAlert");
export const natGatewayType = token("vpcNatGateway", "VpcNatGateway");
export const nfsType = token("nfs", "Nfs");
export const nodePoolType = token("kubernetesNodePool", "KubernetesNodePool");
export const onlineMigrationType = token("databaseOnlineMigration", "DatabaseOnlineMigration");
export const projectType = token("project", "Project");
export const projectResourcesType = token("projectResources", "ProjectResources");
export const redisConfigType = token("databaseRedisConfig", "DatabaseRedisConfig");
export const reservedIpType = token("reservedIp", "ReservedIp");
export const reservedIpAssignmentType = token("reservedIpAssignment", "ReservedIpAssignment");
export const reservedIpv6Type = token("reservedIpv6", "ReservedIpv6");
export const reservedIpv6AssignmentType = token("reservedIpv6Assignment", "ReservedIpv6Assignment");
export const spacesKeyType = token("spacesKey", "SpacesKey");
export const sshKeyType = token("sshKey", "SshKey");
export const tagType = token("tag", "Tag");
export const uptimeAlertType = token("uptimeAlert", "UptimeAlert");
export const uptimeCheckType = token("uptimeCheck", "UptimeCheck");
export const valkeyConfigType = token("databaseValkeyConfig", "DatabaseValkeyConfig");
export const volumeType = token("volume", "Volume");
export const volumeAttachmentType = token("volumeAttachment", "VolumeAttachment");
export const volumeSnapshotType = token("volumeSnapshot", "VolumeSnapshot");
export const vpcType = token("vpc", "Vpc");

/** The resources of one type. */
export function ofType<R extends { readonly type: string }>(
  resources: readonly R[],
  type: string,
): readonly R[] {
  return resources.filter((resource) => resource.type === type);
}
