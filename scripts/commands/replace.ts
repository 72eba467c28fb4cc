import type { Command } from "../command";
import { HOSTS_OPTION, stackArgument } from "../commandLine";
import { parseUrn } from "../engine/journal";
import type { StoredStack } from "../engine/stateFile";
import { describeLoss, FORCE_OPTION, forceHelp, isForced, nothingToForce } from "../hosts/force";
import { hostName, noSuchHost } from "../hosts/hostName";
import { runSteps, type Step } from "../progress";
import { Session, UPDATE_OPTIONS, withSession } from "../session";
import { printOutputs, updateSteps } from "./up";

export const command: Command = {
  name: "replace",
  summary: "Replaces one host with a new droplet that has the current settings and user data.",
  details: `Only this host changes, whatever else is pending. A database host goes when all other members are ONLINE and have
applied everything; a web host goes when its successor is well.
${forceHelp("replace")}`,
  positionals: ["STACK", "HOST"],
  options: { ...UPDATE_OPTIONS, hosts: HOSTS_OPTION, force: FORCE_OPTION },
  run: (args) => {
    const [stackName, given = ""] = args.positionals;
    const stack = stackArgument(stackName);
    const host = hostName(stack, given);
    const forced = isForced("replace", stack, { host: given, force: args.text("force") });
    const settings = ["replaceHost", ...(forced ? ["forceHost"] : [])];
    const overrides = settings.map((name) => ({ path: [`secured-web:${name}`], value: host }));
    const session = new Session(args, { stack, overrides });
    return withSession("npm run replace", session, () => replaceHost(session, { stack, host, forced }));
  },
};

/**
 * Replaces one host, and nothing else.
 *
 * @param given.prepare called with the stack's state before the preview
 * @param given.finish steps after the host has been replaced
 */
export async function replaceHost(
  session: Session,
  given: {
    readonly stack: string;
    readonly host: string;
    readonly forced?: boolean;
    readonly prepare?: (stored: StoredStack) => Promise<void>;
    readonly finish?: readonly Step[];
  },
): Promise<number> {
  const { stack, host, forced = false, prepare, finish = [] } = given;
  let target: readonly string[] = [];
  let replace: readonly string[] = [];
  let unprotected: string | undefined;
  const steps = [
    ...session.preparation({ hosts: true }),
    {
      title: `Host ${host}`,
      run: async (report: (line: string) => void) => {
        const stored = await session.opened.storedStack();
        const urn = dropletUrn(stored, stack, host);
        target = hostUrns(stored, host);
        const gates = target.filter((one) => one.endsWith(`::main-${host}-may-stop`));
        if (forced) {
          if (gates.length === 0) throw nothingToForce(host);
          report(describeLoss("replace", host));
        }
        // A provider that the settings add is created in any case, and must find its parent.
        target = [...target, `urn:pulumi:${stack}::secured-web::**DatadogMonitors::main`];
        await prepare?.(stored);
        // A gate waits when it is created.
        replace = [urn, ...gates];
        if (stored.resources.some((one) => one.urn === urn && one.protect)) {
          unprotected = urn;
          await session.opened.unprotect(urn);
        }
        return "found";
      },
    },
    ...updateSteps(session, () => ({ target, replace })),
  ];
  try {
    await runSteps(steps);
  } finally {
    // Also after a refused preview: the droplet is then still the old one.
    if (unprotected !== undefined) await session.opened.protectIfStored(unprotected);
  }
  await runSteps([...finish]);
  await printOutputs(session);
  return 0;
}

/** The resources of a host, the project, which names its droplet, and the former certificates. */
function hostUrns({ resources }: StoredStack, host: string): string[] {
  const own = `main-${host}`;
  return resources
    .filter(({ urn, type }) => {
      const { name } = parseUrn(urn);
      return (
        name === own ||
        name.startsWith(`${own}-`) ||
        type === "digitalocean:index/project:Project" ||
        name === "main-former"
      );
    })
    .map(({ urn }) => urn);
}

/** @throws Failure (exit code 2) that lists the stack's hosts */
function dropletUrn({ resources }: StoredStack, stack: string, host: string): string {
  const droplets = resources.filter(({ type }) => type === "digitalocean:index/droplet:Droplet");
  const found = droplets.find(({ inputs }) => inputs?.name === `${stack}-${host}`);
  if (found !== undefined) return found.urn;
  const names = droplets.map(({ inputs }) => hostName(stack, String(inputs?.name)));
  throw noSuchHost(host, names.sort());
}
