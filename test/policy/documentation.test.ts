/** No false alarm on the examples of Pulumi's own documentation: a mandatory policy objects where the table says, and why. */
import assert from "node:assert/strict";
import { levelOf } from "../../policy/frame/compile";
import { definitions } from "../../policy/registry";
import { documentedExamples, runExample } from "./documentedExamples";
import { judgeFixture } from "./harness";

const UNSOUND: Readonly<Record<string, { readonly why: string; readonly examples: readonly string[] }>> = {
  "droplets-behind-firewall": {
    why: "a droplet without any cloud firewall: all of its ports are open to the internet",
    examples: [
      "customImage 1",
      "databaseFirewall 2",
      "droplet 1",
      "dropletAutoscale 1",
      "dropletSnapshot 1",
      "floatingIp 1",
      "floatingIpAssignment 1",
      "loadBalancer 1",
      "project 2",
      "projectResources 1",
      "reservedIp 1",
      "reservedIpAssignment 1",
      "sshKey 1",
      "tag 1",
      "volume 1",
      "volumeAttachment 1",
      "vpc 2",
      "vpcPeering 2",
    ],
  },
  "end-to-end-encryption": {
    why: "the load balancer takes or sends plain HTTP",
    examples: ["certificate 3", "loadBalancer 1"],
  },
  "no-world-open-database": {
    why: "a managed database without a DatabaseFirewall takes connections from the whole internet",
    examples: [
      "databaseCluster 1",
      "databaseCluster 2",
      "databaseCluster 3",
      "databaseCluster 4",
      "databaseCluster 5",
      "databaseCluster 6",
      "databaseCluster 7",
      "databaseConnectionPool 1",
      "databaseDb 1",
      "databaseFirewall 3",
      "databaseKafkaConfig 1",
      "databaseKafkaSchemaRegistry 1",
      "databaseKafkaTopic 1",
      "databaseLogsinkOpensearch 1",
      "databaseLogsinkOpensearch 4",
      "databaseLogsinkRsyslog 1",
      "databaseMongodbConfig 1",
      "databaseMysqlConfig 1",
      "databaseOnlineMigration 1",
      "databaseOpensearchConfig 1",
      "databasePostgresqlConfig 1",
      "databaseRedisConfig 1",
      "databaseReplica 1",
      "databaseUser 1",
      "databaseUser 2",
      "databaseValkeyConfig 1",
    ],
  },
  "private-spaces-buckets": {
    why: "a bucket that everybody may list",
    examples: ["cdn 1", "cdn 2"],
  },
  "valid-certificates": {
    why: "its files do not exist here, and the text in their place is no certificate",
    examples: ["certificate 1"],
  },
};

/** More of them cannot run alone than this only if the documentation or the mocks got worse. */
const MOST_THAT_CANNOT_RUN = 13;

describe("the examples of Pulumi's documentation", function () {
  this.timeout(120_000);
  const settings = { stack: "dev", config: new Map<string, string>() };
  const mandatory = definitions.filter(
    (definition) => levelOf(definition, settings, { stack: "dev", project: "examples" }) === "mandatory",
  );
  const objections = new Map<string, string[]>();
  const cannotRun: string[] = [];
  let ran = 0;

  before(async () => {
    for (const example of documentedExamples()) {
      const fixture = await runExample(example);
      if (typeof fixture === "string") {
        cannotRun.push(`${example.name}: ${fixture}`);
        continue;
      }
      ran++;
      for (const { name } of mandatory.filter((definition) => judgeFixture(definition, fixture).length > 0)) {
        objections.set(name, [...(objections.get(name) ?? []), example.name]);
      }
    }
    console.log(
      `      ${ran} examples ran; ${cannotRun.length} could not:\n        ${cannotRun.join("\n        ")}`,
    );
  });

  it("run, but for those that leave out what they refer to", () => {
    assert.ok(ran > 80, `${ran} ran`);
    assert.ok(cannotRun.length <= MOST_THAT_CANNOT_RUN, cannotRun.join("\n"));
  });

  for (const [policy, { why, examples }] of Object.entries(UNSOUND)) {
    it(`${policy} objects to ${examples.length}: ${why}`, () => {
      assert.deepEqual([...(objections.get(policy) ?? [])].sort(), [...examples].sort());
    });
  }

  it("have no objection of another mandatory policy", () => {
    assert.deepEqual(
      [...objections].filter(([policy]) => !(policy in UNSOUND)),
      [],
    );
  });
});
