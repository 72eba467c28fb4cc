/**
 * One `up` of one droplet, which it may wait for as long as WITHIN tells: node --import tsx oneDroplet.ts STACK WITHIN.
 * A process of its own, as a user's `pulumi up` is: where a program has failed, the SDK may lose a resource that the
 * next program of the same process registers. The failure's text is on stderr.
 */
import * as digitalocean from "@pulumi/digitalocean";
import { LocalWorkspace, PulumiCommand, Stack } from "@pulumi/pulumi/automation";

async function main([stackName = "", create = ""]: readonly string[]): Promise<void> {
  const { ENGINE_WORK_DIR: workDir = "", ENGINE_HOME: pulumiHome = "", ENGINE_CLI: root = "" } = process.env;
  const workspace = await LocalWorkspace.create({
    workDir,
    pulumiHome,
    pulumiCommand: await PulumiCommand.get({ root }),
    program: async () => {
      const inputs = { name: "web", region: "nyc3", size: "s-1vcpu-1gb", image: "ubuntu-24-04-x64" };
      new digitalocean.Droplet("web", inputs, { customTimeouts: { create, update: "60s" } });
    },
  });
  const { summary } = await (await Stack.select(stackName, workspace)).up();
  process.stdout.write(JSON.stringify(summary.resourceChanges));
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(String(error));
    process.exit(1);
  },
);
