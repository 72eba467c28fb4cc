/** Every droplet is behind a cloud firewall. */
import { dropletType } from "../../evidence/host";
import { definePolicy } from "../../frame/definition";
import { alwaysMandatory } from "../../frame/enforcement";
import type { JudgedResource } from "../../frame/resource";
import { DropletSelectors } from "../../resources/selectors";
import { tagsOf } from "../../resources/tags";
import { firewallType, ofType } from "../../resources/types";

const why = "a droplet without a cloud firewall is open to the whole internet on all ports";
const fix = "give a Firewall one of the droplet's tags, or the droplet's id in dropletIds";

export const dropletsBehindFirewall = definePolicy({
  name: "droplets-behind-firewall",
  displayName: "Droplets behind a firewall",
  category: "network",
  description: "Every droplet is behind a cloud firewall that selects it by tag or by id.",
  severity: "critical",
  enforcement: alwaysMandatory,
  tags: [],
  types: [dropletType],
  remediationSteps: "Give a Firewall one of the droplet's tags, or the droplet's id in dropletIds.",
  configuration: {
    firewalledTags: {
      type: "array",
      items: { type: "string", minLength: 1 },
      default: [],
      description: "Tags of droplets that a firewall outside this stack protects.",
    },
  },
  judgeStack(resources, context) {
    const firewalls = new DropletSelectors(ofType(resources, firewallType));
    const guardedElsewhere = new Set(context.configuration.firewalledTags);
    const isGuardedElsewhere = (droplet: JudgedResource) =>
      [...tagsOf(droplet).names].some((tag) => guardedElsewhere.has(tag));
    for (const droplet of ofType(resources, dropletType)) {
      const { certain, possible } = firewalls.of(droplet);
      if (certain.length > 0 || isGuardedElsewhere(droplet)) continue;
      const problem =
        possible.length > 0
          ? `it is unknown whether a firewall protects it: the tags or droplets of Firewall "${possible[0]?.name}", or this droplet's tags, are unknown`
          : "no firewall selects this droplet";
      context.report(droplet, { at: "tags", problem, why, fix });
    }
  },
});
