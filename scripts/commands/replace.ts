import type { Command } from "../command";
import { HOSTS_OPTION, stackArgument } from "../commandLine";
import type { StoredStack } from "../engine/stateFile";
import { usageFailure } from "../failure";
import { runSteps } from "../progress";
import { SESSION_OPTIONS, Session, withSession } from "../session";
import { printOutputs, updateSteps } from "./up";

export const command: Command = {
  name: "replace",
  summary: "Replaces one host by a new droplet with the present settings and user data.",
  details:
    "Database hosts ignore changed user data in a plain update and are protected in production; this lifts both for the\n" +
    "one host and the one run. One at a time: the group must be whole before the next.",
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
          title: "Guard it again",
          run: async (onProgress) => {
            // Without the override: what was lifted for this run is as the settings say.
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
    names.length === 0 ? "It is not up: npm run up" : `Its hosts: ${names.join(", ")}.`,
  );
}
