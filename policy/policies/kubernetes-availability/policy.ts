/** A Kubernetes cluster in production survives the loss of one machine, and its deletion keeps its volumes. */
import { describeState } from "../../evidence/host";
import type { JudgmentContext, PolicyDefinition } from "../../frame/definition";
import { productionOnly } from "../../frame/enforcement";
import type { JudgedResource } from "../../frame/resource";
import { type Inputs, valueOr } from "../../frame/value";
import { reportFlag } from "../../resources/support";
import { kubernetesClusterType, nodePoolType, ofType } from "../../resources/types";

const keepsVolumes = {
  name: "destroyAllAssociatedResources",
  wanted: false,
  fallback: false,
  why: "deleting or replacing the cluster then also deletes the volumes with its data, and their snapshots",
  fix: "remove destroyAllAssociatedResources",
};

export const kubernetesAvailability: PolicyDefinition = {
  name: "kubernetes-availability",
  displayName: "Kubernetes availability",
  category: "data",
  description:
    "Every Kubernetes cluster in production has a highly available control plane and at least two nodes, and its deletion keeps volumes.",
  severity: "high",
  enforcement: productionOnly,
  tags: ["kubernetes", "availability"],
  types: [kubernetesClusterType],
  remediationSteps:
    "Set ha to true, nodeCount (or minNodes) of a node pool to 2 or more, and leave destroyAllAssociatedResources off.",
  judgeResource(resource, context) {
    if (resource.type !== kubernetesClusterType) return;
    const isHighlyAvailable = {
      name: "ha",
      wanted: true,
      fallback: isHighlyAvailableByDefault(resource),
      why: "while the only control plane is down, no pod starts, moves or scales",
      fix: "set ha to true; it cannot be switched off again",
    };
    for (const flag of [isHighlyAvailable, keepsVolumes]) reportFlag(resource, flag, context);
  },
  judgeStack(resources, context) {
    const pools = ofType(resources, nodePoolType);
    for (const cluster of ofType(resources, kubernetesClusterType)) judgeNodes(cluster, pools, context);
  },
};

/** From 1.36, the control plane is highly available unless `ha` is false (documentation of the provider, 4.80). */
function isHighlyAvailableByDefault({ inputs }: JudgedResource): boolean {
  const minor = /^1\.(\d+)\./.exec(valueOr(inputs.text("version"), ""))?.[1];
  return minor !== undefined && Number(minor) >= 36;
}

function judgeNodes(
  cluster: JudgedResource,
  pools: readonly JudgedResource[],
  context: JudgmentContext,
): void {
  const own = cluster.inputs.object("nodePool");
  const others = pools.filter((pool) => pool.references("clusterId").some(({ urn }) => urn === cluster.urn));
  if (own.state === "known") {
    const counts = [own.value, ...others.map(({ inputs }) => inputs)].map(fewestNodes);
    if (counts.reduce<number>((sum, count) => sum + (count ?? 0), 0) >= 2) return;
    const isUnknown = counts.includes(undefined);
    reportNodes(
      cluster,
      isUnknown ? "the number of nodes is unknown" : "the cluster can have a single node",
      context,
    );
    return;
  }
  reportNodes(cluster, `the value ${describeState(own)}`, context);
}

/** The least number of nodes that a pool can have; undefined if it is unknown. */
function fewestNodes(pool: Inputs): number | undefined {
  const scales = pool.flag("autoScale");
  if (scales.state === "unknown" || scales.state === "mistyped") return undefined;
  const count = pool.integer(valueOr(scales, false) ? "minNodes" : "nodeCount");
  return count.state === "absent" ? 1 : valueOr(count, undefined);
}

function reportNodes(cluster: JudgedResource, problem: string, context: JudgmentContext): void {
  context.report(cluster, {
    at: "nodePool",
    problem,
    why: "while the only node is down or is upgraded, nothing runs",
    fix: "set nodeCount (with autoScale: minNodes) to 2 or more",
  });
}
