/** Kubernetes clusters run a supported version, and get its patches without an outage. */
import { describeState } from "../../evidence/host";
import { definePolicy, type JudgmentContext } from "../../frame/definition";
import { mandatoryInProduction } from "../../frame/enforcement";
import type { JudgedResource } from "../../frame/resource";
import { endOfSupport, reportFlag } from "../../resources/support";
import { kubernetesClusterType } from "../../resources/types";
import { endOfKubernetes } from "./releases";

const flags = [
  {
    name: "autoUpgrade",
    wanted: true,
    fallback: false,
    why: "patches for vulnerabilities of the control plane and the nodes then wait until they are installed by hand",
    fix: "set autoUpgrade to true, with a maintenancePolicy that sets the hour",
  },
  {
    name: "surgeUpgrade",
    wanted: true,
    fallback: true,
    why: "an upgrade then takes nodes away before their replacements run, so pods can have no place",
    fix: "set surgeUpgrade to true, or remove it",
  },
];

type Context = JudgmentContext<{ readonly minimumDays: number }>;

export const kubernetesUpgrades = definePolicy({
  name: "kubernetes-upgrades",
  displayName: "Kubernetes upgrades",
  category: "hygiene",
  description:
    "Every Kubernetes cluster runs a release that still receives security updates, and installs its patches automatically, with surge upgrades.",
  severity: "high",
  enforcement: mandatoryInProduction,
  tags: ["kubernetes"],
  types: [kubernetesClusterType],
  remediationSteps:
    "Set version to a current release (getKubernetesVersions), autoUpgrade to true with a maintenancePolicy, and leave surgeUpgrade on.",
  configuration: {
    minimumDays: {
      type: "integer",
      default: 0,
      minimum: 0,
      maximum: 400,
      description: "Days of support that a release must have left.",
    },
  },
  judgeResource(resource, context) {
    if (resource.type !== kubernetesClusterType) return;
    judgeVersion(resource, context);
    for (const flag of flags) reportFlag(resource, flag, context);
  },
});

function judgeVersion(cluster: JudgedResource, context: Context): void {
  const version = cluster.inputs.text("version");
  // The version that a lookup returns is known in the update at the latest, and DigitalOcean offers only supported ones.
  if (version.state === "unknown") return;
  const end = version.state === "known" ? endOfKubernetes(version.value) : null;
  const problem =
    end === null
      ? `the value ${version.state === "known" ? "is not a version of Kubernetes" : describeState(version)}`
      : end === undefined
        ? undefined
        : endOfSupport(end, context.now, context.configuration.minimumDays);
  if (problem === undefined) return;
  context.report(cluster, {
    at: "version",
    problem,
    why: "vulnerabilities found after the end of support stay open, and DigitalOcean upgrades the cluster on a day of its own choice",
    fix: "set version to a current release, such as the latestVersion of getKubernetesVersions",
  });
}
