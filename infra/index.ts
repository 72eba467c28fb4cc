/** The program of a stack: configuration, topology, components, outputs. */
import * as pulumi from "@pulumi/pulumi";
import { listedPrices } from "./components/offers";
import { SecuredWeb } from "./components/securedWeb";
import { parseConfig } from "./config/parse";
import { monthlyCost } from "./monthlyCost";
import { isConfigSecret } from "./pulumiInternals";
import { asRunError } from "./runErrors";
import { buildTopology } from "./topology";

/**
 * Registers the resources of the current stack and returns its outputs.
 *
 * @throws pulumi.RunError that lists every wrong setting, before anything is registered
 */
async function program() {
  try {
    const stack = pulumi.getStack();
    const config = parseConfig(pulumi.runtime.allConfig(), isConfigSecret);
    const topology = buildTopology(stack, config);
    const prices = await listedPrices({});
    const site = new SecuredWeb("main", { label: stack, ...config });
    return {
      url: site.url,
      loadBalancerIp: site.loadBalancerIp,
      droplets: site.droplets,
      databaseWriters: site.databaseWriters,
      ssh: site.ssh,
      rollout: site.rollout,
      monthlyCostUsd: pulumi.output(monthlyCost(config, topology, prices)),
    };
  } catch (error) {
    throw asRunError(error);
  }
}

// Pulumi calls an entry module that is a function. Scripts and tests call it too.
export = program;
