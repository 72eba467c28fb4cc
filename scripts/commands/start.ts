import type { Command } from "../command";
import { HOSTS_OPTION, STACK_OPTIONS } from "../commandLine";
import { YES_OPTION } from "../packages";
import { Session } from "../session";
import { runUp } from "./up";

const { config, port } = STACK_OPTIONS;

export const command: Command = {
  name: "start",
  summary:
    "Brings up the dev stack in the sandbox: installs what is missing, starts the API, previews, updates.",
  details: `The first run installs the Pulumi CLI (see npm run doctor). You can run it again: the second run changes nothing.
On Linux as root, every droplet boots as a host, and the command waits until they serve the site over HTTPS. The base
image of the hosts is built once (some minutes). Elsewhere, and with --hosts off, droplets are only records.
All data is in .secured-web (SECURED_WEB_HOME); npm stop removes it.`,
  options: { config, port, hosts: HOSTS_OPTION, yes: YES_OPTION },
  run: async (args) => {
    const session = new Session(args, { stack: "dev" });
    const exitCode = await runUp("npm start", session, {
      waitForSite: true,
    });
    process.stdout.write(`\n${nextCommands(session.hosts?.kind === "hosts")}\n`);
    return exitCode;
  },
};

function nextCommands(areHosts: boolean): string {
  const commands = [
    ["npm run status", "backends, uptime check and alerts, live"],
    areHosts
      ? [
          "npm run sandbox -- power node-3 off",
          "cut a host's power: the site stays up (on switches it on again)",
        ]
      : ["npm run preview -- prod", "preview production, checked by the policies"],
    ["npm stop", "take everything down"],
  ] as const;
  const width = Math.max(...commands.map(([command]) => command.length));
  return ["Try next:", ...commands.map(([command, what]) => `  ${command.padEnd(width)}  ${what}`)].join(
    "\n",
  );
}
