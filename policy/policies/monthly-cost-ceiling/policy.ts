/** The monthly cost of a stack stays below a ceiling that its owner sets. */
import { describeState, dropletType } from "../../evidence/host";
import { definePolicy } from "../../frame/definition";
import { alwaysMandatory } from "../../frame/enforcement";
import type { JudgedResource } from "../../frame/resource";
import { autoscaleType } from "../../frame/templates";
import type { Field, Inputs } from "../../frame/value";
import { valueOr } from "../../frame/value";
import {
  appType,
  bucketType,
  clusterReplicaType,
  clusterType,
  containerRegistryType,
  dedicatedInferenceType,
  kubernetesClusterType,
  loadBalancerType,
  natGatewayType,
  nfsType,
  nodePoolType,
  volumeType,
} from "../../resources/types";
import {
  backupShares,
  dropletPrices,
  loadBalancerNodePrice,
  pricesDate,
  spacesPrice,
  volumeGibPrice,
} from "./prices";

const why = "an unexpected bill arrives at the end of the month, when the money is spent";

/** Types whose price depends on more than their inputs. */
const unpricedTypes: ReadonlySet<string> = new Set([
  appType,
  containerRegistryType,
  dedicatedInferenceType,
  autoscaleType,
  nfsType,
  natGatewayType,
]);

/** The monthly cost of one resource, or the reason why it is unknown. */
type Cost =
  | { readonly usd: number }
  | { readonly at?: string; readonly problem: string; readonly key?: string };

export const monthlyCostCeiling = definePolicy({
  name: "monthly-cost-ceiling",
  displayName: "Monthly cost ceiling",
  category: "hygiene",
  description: "The list prices of the stack's resources stay below the configured ceiling.",
  severity: "medium",
  enforcement: alwaysMandatory,
  tags: ["cost"],
  types: [
    ...unpricedTypes,
    bucketType,
    clusterReplicaType,
    clusterType,
    dropletType,
    kubernetesClusterType,
    loadBalancerType,
    nodePoolType,
    volumeType,
  ],
  remediationSteps:
    "Use fewer or smaller resources, or raise ceilingUsd. Set prices that are missing from the table in prices.",
  configuration: {
    ceilingUsd: {
      type: "number",
      minimum: 0,
      description:
        "US dollars a month, without tax and traffic. If it is not set, the policy checks nothing.",
    },
    prices: {
      type: "array",
      items: { type: "string" },
      form: {
        expected: 'a name and a price in US dollars a month, such as "db-s-1vcpu-2gb=30"',
        fits: (text) => /^\s*[\w.-]+\s*=\s*\d+(?:\.\d+)?\s*$/.test(text),
      },
      default: [],
      description:
        "Prices in US dollars a month that are missing from the table or wrong in it, such as db-s-1vcpu-2gb=30 (a node) or App=12 (each).",
    },
  },
  judgeStack(resources, context) {
    const { ceilingUsd, prices } = context.configuration;
    if (ceilingUsd === undefined) return;
    const list = new PriceList(prices);
    let sum = resources.some(({ type }) => type === bucketType) ? spacesPrice : 0;
    let dearest: { resource: JudgedResource; usd: number } | undefined;
    for (const resource of resources) {
      const cost = list.costOf(resource);
      if ("usd" in cost) {
        sum += cost.usd;
        if (dearest === undefined || cost.usd > dearest.usd) dearest = { resource, usd: cost.usd };
        continue;
      }
      const key = cost.key ?? "name";
      context.report(resource, {
        ...(cost.at === undefined ? {} : { at: cost.at }),
        problem: cost.problem,
        why: "a sum with a missing part cannot be compared with a ceiling",
        fix: `set the price in this policy's prices, as ${key}=<US dollars a month>, or set the value to a literal`,
      });
    }
    if (sum <= ceilingUsd || dearest === undefined) return;
    context.report(dearest.resource, {
      problem: `the stack costs ${dollars(sum)} a month by the list prices of ${pricesDate}, and the ceiling is ${dollars(ceilingUsd)}. This is its most expensive resource, with ${dollars(dearest.usd)}`,
      why,
      fix: "use fewer or smaller resources, or raise ceilingUsd",
    });
  },
});

const dollars = (usd: number) => `${(Math.round(usd * 100) / 100).toFixed(2)} USD`;

class PriceList {
  private readonly given = new Map<string, number>();

  constructor(prices: readonly string[]) {
    for (const entry of prices) {
      const [key = "", price = ""] = entry.split("=");
      if (/^\d+(\.\d+)?$/.test(price.trim())) this.given.set(key.trim(), Number(price));
    }
  }

  costOf(resource: JudgedResource): Cost {
    const { type, inputs, isTemplate } = resource;
    // The price of a pool includes its droplets.
    if (isTemplate) return { usd: 0 };
    if (type === dropletType) return this.droplet(inputs);
    if (type === loadBalancerType) return this.balancer(inputs);
    if (type === volumeType) return times(inputs.integer("size"), "size", volumeGibPrice);
    if (type === clusterType) return this.nodes(inputs, "size", inputs.integer("nodeCount"), "nodeCount");
    if (type === clusterReplicaType) return this.nodes(inputs, "size", { state: "known", value: 1 }, "");
    if (type === nodePoolType) return this.nodes(inputs, "size", inputs.integer("nodeCount"), "nodeCount");
    if (type === kubernetesClusterType) return this.kubernetes(inputs);
    if (unpricedTypes.has(type)) return this.priced(type.split(":").at(-1) ?? type);
    return { usd: 0 };
  }

  private droplet(inputs: Inputs): Cost {
    const price = this.size(inputs, "size");
    if (!("usd" in price)) return price;
    const backups = inputs.flag("backups");
    if (backups.state === "unknown" || backups.state === "mistyped") return unread("backups", backups);
    if (!valueOr(backups, false)) return price;
    const plan = inputs.object("backupPolicy");
    const name = plan.state === "known" ? plan.value.text("plan") : undefined;
    const share = backupShares.get(name === undefined ? "weekly" : valueOr(name, "daily")) ?? 0.3;
    return { usd: price.usd * (1 + share) };
  }

  private balancer(inputs: Inputs): Cost {
    const type = inputs.text("type");
    const kind = type.state === "absent" ? "REGIONAL" : valueOr(type, "").toUpperCase();
    const nodes = inputs.integer("sizeUnit");
    const count: Field<number> = nodes.state === "absent" ? { state: "known", value: 1 } : nodes;
    if (kind === "REGIONAL")
      return times(count, "sizeUnit", this.given.get("LoadBalancer") ?? loadBalancerNodePrice);
    if (type.state !== "known") return unread("type", type);
    const price = this.priced(kind === "GLOBAL" ? "GLOBAL" : "REGIONAL_NETWORK");
    return "usd" in price ? times(count, "sizeUnit", price.usd) : price;
  }

  private kubernetes(inputs: Inputs): Cost {
    const pool = inputs.object("nodePool");
    if (pool.state !== "known") return unread("nodePool", pool);
    return this.nodes(pool.value, "size", pool.value.integer("nodeCount"), "nodePool.nodeCount");
  }

  private nodes(inputs: Inputs, input: string, count: Field<number>, at: string): Cost {
    const price = this.size(inputs, input);
    return "usd" in price ? times(count, at, price.usd) : price;
  }

  private size(inputs: Inputs, input: string): Cost {
    const size = inputs.text(input);
    if (size.state !== "known") return unread(input, size);
    const price = this.given.get(size.value) ?? dropletPrices.get(size.value.toLowerCase());
    if (price !== undefined) return { usd: price };
    const isSlug = /^[a-z0-9][a-z0-9-]{1,40}$/.test(size.value);
    const shown = isSlug && /(vcpu|^(c|g|m|s|db|so|gd)\d?-)/.test(size.value) ? size.value : undefined;
    return {
      at: input,
      problem: `${shown === undefined ? "its size" : `size ${shown}`} has no price in the policy's table of ${pricesDate}`,
      ...(shown === undefined ? {} : { key: shown }),
    };
  }

  private priced(key: string): Cost {
    const price = this.given.get(key);
    return price === undefined
      ? { problem: `a resource of this type has no price in the policy's table of ${pricesDate}`, key }
      : { usd: price };
  }
}

function unread(at: string, field: Field<unknown>): Cost {
  return { at, problem: `its price is unknown: the value ${describeState(field)}` };
}

function times(count: Field<number>, at: string, price: number): Cost {
  return count.state === "known" ? { usd: count.value * price } : unread(at, count);
}
