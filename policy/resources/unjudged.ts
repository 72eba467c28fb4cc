/**
 * DigitalOcean types that no policy checks, except for secrets and regions in their inputs, and why. The types are those
 * of @pulumi/digitalocean 4.68.0 and 4.80.1.
 */

const noSetting = "it has no setting that makes it more or less secure";
const artificialIntelligence = "the pack does not cover agents and models";
const tuning = "it tunes an engine; DigitalOcean always requires TLS and a password";

/** The type's name (`Domain` for `digitalocean:index/domain:Domain`) -> the reason. */
export const unjudged: Readonly<Record<string, string>> = {
  ByoipPrefix: "it announces addresses; the policies check the resources that use them",
  ContainerRegistries: noSetting,
  ContainerRegistryDockerCredentials:
    "its output is a secret that the provider marks; its rights belong to the clients that use it",
  CustomImage: "its image is outside the stack; supported-images checks the droplets that use it",
  DatabaseAdvancedMysqlConfig: tuning,
  DatabaseAdvancedPostgresqlConfig: tuning,
  DatabaseConnectionPool: "its connections use the cluster's TLS and firewall, which the policies check",
  DatabaseDb: noSetting,
  DatabaseKafkaConfig: tuning,
  DatabaseKafkaSchemaRegistry: noSetting,
  DatabaseKafkaTopic: tuning,
  DatabaseMongodbConfig: tuning,
  DatabaseMysqlConfig: tuning,
  DatabaseOpensearchConfig: tuning,
  DatabasePostgresqlConfig: tuning,
  DatabaseUser: "DigitalOcean generates its password, and the provider marks it as a secret",
  DedicatedInferenceToken: "its output is a secret that the provider marks",
  DnsRecord: noSetting,
  Domain: noSetting,
  DropletSnapshot: "it has the content of its droplet, which the policies check",
  GenaiAgent: artificialIntelligence,
  GenaiAgentKnowledgeBaseAttachment: artificialIntelligence,
  GenaiAgentRoute: artificialIntelligence,
  GenaiFunction: artificialIntelligence,
  GenaiIndexingJobCancel: artificialIntelligence,
  GenaiKnowledgeBase: artificialIntelligence,
  GenaiKnowledgeBaseDataSource: artificialIntelligence,
  GenaiOpenaiApiKey: artificialIntelligence,
  GradientaiAgent: artificialIntelligence,
  GradientaiAgentKnowledgeBaseAttachment: artificialIntelligence,
  GradientaiAgentRoute: artificialIntelligence,
  GradientaiCustomModel: artificialIntelligence,
  GradientaiFunction: artificialIntelligence,
  GradientaiIndexingJobCancel: artificialIntelligence,
  GradientaiKnowledgeBase: artificialIntelligence,
  GradientaiKnowledgeBaseDataSource: artificialIntelligence,
  GradientaiOpenaiApiKey: artificialIntelligence,
  NfsAccessPoint: "only its own VPC reaches it",
  NfsAttachment: "only its own VPC reaches it",
  NfsSnapshot: noSetting,
  PartnerAttachment: "the network at its other end is outside the stack",
  Project: noSetting,
  ProjectResources: noSetting,
  SpacesBucketLogging: noSetting,
  Tag: noSetting,
  VectorDatabase: "its access has no inputs; DigitalOcean generates its keys",
  VolumeAttachment: noSetting,
  VolumeSnapshot: noSetting,
  Vpc: noSetting,
  VpcPeering:
    "the policies check the firewalls of the hosts on both sides, which apply to peered networks too",
};
