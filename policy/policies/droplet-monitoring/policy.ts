/** Every droplet runs DigitalOcean's metrics agent. */
import { describeState, dropletType } from "../../evidence/host";
import type { PolicyDefinition } from "../../frame/definition";
import { mandatoryInProduction } from "../../frame/enforcement";

export const dropletMonitoring: PolicyDefinition = {
  name: "droplet-monitoring",
  displayName: "Droplet monitoring",
  category: "monitoring",
  description: "Every droplet has DigitalOcean's monitoring enabled.",
  severity: "medium",
  enforcement: mandatoryInProduction,
  tags: [],
  types: [dropletType],
  remediationSteps: "Set monitoring to true on every Droplet.",
  judgeResource(resource, context) {
    if (resource.type !== dropletType) return;
    const monitoring = resource.inputs.flag("monitoring");
    if (monitoring.state === "known" && monitoring.value) return;
    const problem =
      monitoring.state === "known"
        ? "monitoring is false"
        : monitoring.state === "absent"
          ? "monitoring is not set, and DigitalOcean's default is false"
          : `the value ${describeState(monitoring)}`;
    context.report(resource, {
      at: "monitoring",
      problem,
      why: "without the metrics agent there are no graphs of memory and disk, and alerts on them never fire",
      fix: "set monitoring to true",
    });
  },
};
