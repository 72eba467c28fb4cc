/** Managed databases run versions that still receive security updates. */
import { describeState } from "../../evidence/host";
import { definePolicy } from "../../frame/definition";
import { mandatoryInProduction } from "../../frame/enforcement";
import { endOfSupport } from "../../resources/support";
import { clusterType } from "../../resources/types";
import { endOfDatabase, engineNames } from "./releases";

const why =
  "vulnerabilities found after the end of support stay open, and DigitalOcean upgrades the database on a day of its own choice";

export const supportedDatabases = definePolicy({
  name: "supported-databases",
  displayName: "Supported databases",
  category: "hygiene",
  description: "Every managed database runs a version of its engine that still receives security updates.",
  severity: "high",
  enforcement: mandatoryInProduction,
  tags: ["database"],
  types: [clusterType],
  remediationSteps: "Set version of the DatabaseCluster to a current release of its engine.",
  configuration: {
    minimumDays: {
      type: "integer",
      default: 0,
      minimum: 0,
      maximum: 3650,
      description: "Days of support that a version must have left.",
    },
  },
  judgeResource(resource, context) {
    if (resource.type !== clusterType) return;
    const engine = resource.inputs.text("engine");
    const version = resource.inputs.text("version");
    const report = (at: string, problem: string) =>
      context.report(resource, { at, problem, why, fix: "set version to a current release of the engine" });
    if (engine.state !== "known") report("engine", `the value ${describeState(engine)}`);
    else if (!engineNames.includes(engine.value)) report("engine", "DigitalOcean has no such engine");
    else if (version.state === "known") {
      if (!/^\d{1,3}(\.\d{1,3})*$/.test(version.value)) report("version", "the value is not a version");
      const end = endOfDatabase(engine.value, version.value);
      const problem =
        end === undefined ? undefined : endOfSupport(end, context.now, context.configuration.minimumDays);
      if (problem !== undefined) report("version", problem);
      // Without a version, DigitalOcean installs the newest.
    } else if (version.state !== "absent") report("version", `the value ${describeState(version)}`);
  },
});
