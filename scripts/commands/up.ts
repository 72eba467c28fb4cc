import type { Command } from "../command";
import { HOSTS_OPTION } from "../commandLine";
import { describeWarnings } from "../engine/report";
import type { OperationOptions } from "../engine/stack";
import { figuresStep } from "../hosts/figures";
import { printSite, siteStep, withHostsWords } from "../hosts/ready";
import { packageSteps, YES_OPTION } from "../packages";
import { runSteps, type Step } from "../progress";
import { Session, UPDATE_OPTIONS, withSession } from "../session";

export const command: Command = {
  name: "up",
  summary: "Creates or updates a stack: a preview with the policies first, then the update.",
  details: `The default STACK is dev. Droplets boot as hosts if this machine can run them. It works on the sandbox, and starts its API if it is not running.
If a policy refuses, nothing is changed. You can run it again: the second run changes nothing.`,
  positionals: ["[STACK]"],
  options: { ...UPDATE_OPTIONS, hosts: HOSTS_OPTION, yes: YES_OPTION },
  run: (args) => runUp("npm run up", new Session(args)),
};

/** A whole update, for `up` and `start`. With `waitForSite` and hosts, it waits until they serve the site. */
export function runUp(
  name: string,
  session: Session,
  { waitForSite = false }: { waitForSite?: boolean } = {},
): Promise<number> {
  return withSession(name, session, async () => {
    await runSteps([
      ...packageSteps(await session.agreeOnPackages(name)),
      ...session.preparation({ hosts: true }),
      ...updateSteps(session),
      ...(waitForSite ? [siteStep(session)] : []),
      ...(waitForSite && session.hasAgent ? [figuresStep(session)] : []),
    ]);
    await printOutputs(session);
    await printSite(session);
    return 0;
  });
}

/**
 * Preview with the policies, unless the command line skips it, then update.
 *
 * @param selection the only resources to change, and those to replace; default: all, none
 */
export function updateSteps(
  session: Session,
  selection: () => Pick<OperationOptions, "target" | "replace"> = () => ({}),
): Step[] {
  const preview: Step = {
    title: "Preview with the policies",
    run: async (onProgress) => {
      // A log shows each resource once, in the update below.
      const onResource = process.stdout.isTTY ? onProgress : () => {};
      const journal = await session.opened.preview({ onProgress: onResource, ...selection() });
      for (const line of describeWarnings(journal)) onProgress(line);
      return journal.summary;
    },
  };
  const update: Step = {
    title: "Update",
    run: async (onProgress) => {
      const run = () => session.opened.up({ onProgress, ...selection() });
      return (await withHostsWords(session, run)).summary;
    },
  };
  return session.skipsPreview ? [update] : [preview, update];
}

export async function printOutputs(session: Session): Promise<void> {
  process.stdout.write(
    `\nOutputs of ${session.stack}:\n${(await session.opened.outputs(false)).trimEnd()}\n`,
  );
}
