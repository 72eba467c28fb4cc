/** The internet cannot reach the control plane of a Kubernetes cluster. */
import { describeState } from "../../evidence/host";
import type { JudgmentContext, PolicyDefinition } from "../../frame/definition";
import { mandatoryInProduction } from "../../frame/enforcement";
import type { JudgedResource } from "../../frame/resource";
import { openAddress, takesNarrowAddress } from "../../resources/firewall-rules";
import { flagProblem } from "../../resources/support";
import { kubernetesClusterType, ofType } from "../../resources/types";

const why =
  "anyone who can reach the Kubernetes API can try stolen tokens and exploit vulnerabilities of the API server";
const fix =
  "set controlPlaneFirewall to enabled: true, with the networks of operators and pipelines in allowedAddresses";
const at = "controlPlaneFirewall";

export const kubernetesControlPlane: PolicyDefinition = {
  name: "kubernetes-control-plane",
  displayName: "Kubernetes control plane",
  category: "network",
  description: "The control plane of every Kubernetes cluster is reachable only from known networks.",
  severity: "high",
  enforcement: mandatoryInProduction,
  tags: ["kubernetes"],
  types: [kubernetesClusterType],
  remediationSteps:
    "Set controlPlaneFirewall with enabled: true, and with the networks of operators and pipelines in allowedAddresses.",
  judgeResource(resource, context) {
    if (resource.type === kubernetesClusterType) judgeCluster(resource, context);
  },
  judgeStack(resources, context) {
    // The references of unknown addresses are known now.
    for (const cluster of ofType(resources, kubernetesClusterType)) judgeCluster(cluster, context);
  },
};

function judgeCluster(cluster: JudgedResource, context: JudgmentContext): void {
  const report = (problem: string, place = at) => context.report(cluster, { at: place, problem, why, fix });
  const firewall = cluster.inputs.object(at);
  if (firewall.state !== "known") {
    const problem =
      firewall.state === "absent"
        ? "it is not set, so everyone can reach the Kubernetes API"
        : `the value ${describeState(firewall)}`;
    report(problem);
    return;
  }
  const problem = flagProblem(firewall.value, "enabled", true, false);
  if (problem !== undefined) report(problem);
  const addresses = firewall.value.texts("allowedAddresses");
  if (addresses.state !== "known") {
    if (addresses.state === "absent" || (addresses.state === "unknown" && takesNarrowAddress(cluster, at)))
      return;
    report(`the value of allowedAddresses ${describeState(addresses)}`);
    return;
  }
  for (const [index, address] of addresses.value.entries()) {
    if (address.state === "unknown" && takesNarrowAddress(cluster, at)) continue;
    const open = openAddress(address);
    if (open !== undefined) report(open, `${at}.allowedAddresses[${index}]`);
  }
}
