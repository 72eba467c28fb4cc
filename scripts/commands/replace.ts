import type { Command } from "../command";
import { HOSTS_OPTION, stackArgument } from "../commandLine";
import type { StoredStack } from "../engine/stateFile";
import { usageFailure } from "../failure";
import { runSteps } from "../progress";
import { SESSION_OPTIONS, Session, withSession } from "../session";
import { printOutputs, updateSteps } from "./up";

export const command: Command = {
  name: "replace",
  summary: "Replaces one host with a new droplet that has the current settings and user data.",
  details: `In a plain update, database hosts ignore changed user data, and in production they are protected. This command
lifts both for one host and one run. Before you replace the next host, check that all members are ONLINE.`,
  positionals: ["STACK", "HOST"],
  options: { ...SESSION_OPTIONS, hosts: HOSTS_OPTION },
  run: (args) => {
    const [stackName, host = ""] = args.positionals;
    const override = { path: ["secured-web:replaceHost"], value: host };
    const session = new Session(args, { stack: stackArgument(stackName), overrides: [override] });
    return withSession("npm run replace", session, async () => {
      let urn = "";
      await runSteps([
        ...session.preparation({ hosts: true }),
        {
          title: `Host ${host}`,
          run: async () => {
            urn = dropletUrn(await session.opened.storedStack(), session.stack, host);
            await session.opened.unprotect(urn);
            return "found";
          },
        },
        ...updateSteps(session, () => [urn]),
        {
          title: "Restore the protection",
          run: async (onProgress) => {
            // Without the override, so that the settings apply again.
            await session.reopenWithout(override);
            return (await session.opened.up({ onProgress })).summary;
          },
        },
      ]);
      await printOutputs(session);
      return 0;
    });
  },
};

/**
 * The droplet of a host, by the host's name ("node-1") or the droplet's ("dev-node-1").
 *
 * @throws Failure (exit code 2) that lists the stack's hosts
 */
export function dropletUrn({ resources }: StoredStack, stack: string, host: string): string {
  const droplets = resources.filter(({ type }) => type === "digitalocean:index/droplet:Droplet");
  const found = droplets.find(({ inputs }) => inputs?.name === host || inputs?.name === `${stack}-${host}`);
  if (found !== undefined) return found.urn;
  const names = droplets.map(({ inputs }) => String(inputs?.name).replace(`${stack}-`, "")).sort();
  throw usageFailure(
    `The stack has no host "${host}"`,
    names.length === 0 ? "The stack is not up. Run: npm run up" : `Its hosts: ${names.join(", ")}.`,
  );
}
