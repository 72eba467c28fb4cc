import type { Command } from "../command";
import { HOSTS_OPTION } from "../commandLine";
import { describeWarnings } from "../engine/report";
import { figuresStep } from "../hosts/figures";
import { printSite, siteStep, withHostsWords } from "../hosts/ready";
import { packageSteps, YES_OPTION } from "../packages";
import { runSteps, type Step } from "../progress";
import { SESSION_OPTIONS, Session, withSession } from "../session";

export const command: Command = {
  name: "up",
  summary: "Creates or updates a stack: a preview with the policies first, then the update.",
  details:
    "STACK is dev where none is given. Droplets boot as hosts where this machine can run them. Works on the sandbox, whose API is started where it does not run.\n" +
    "A policy's refusal comes before the first change. Safe to repeat: nothing changes the second time.",
  positionals: ["[STACK]"],
  options: { ...SESSION_OPTIONS, hosts: HOSTS_OPTION, yes: YES_OPTION },
  run: (args) => runUp("npm run up", new Session(args)),
};

/** The whole of an update, for `up` and `start`; `waitForSite` until hosts serve it, where droplets are hosts. */
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

/** Preview with the policies, then update. */
export function updateSteps(session: Session, replace: () => readonly string[] = () => []): Step[] {
  return [
    {
      title: "Preview with the policies",
      run: async (onProgress) => {
        // A log gets each resource once, from the update below.
        const onResource = process.stdout.isTTY ? onProgress : () => {};
        const journal = await session.opened.preview({ onProgress: onResource, replace: replace() });
        for (const line of describeWarnings(journal)) onProgress(line);
        return journal.summary;
      },
    },
    {
      title: "Update",
      run: async (onProgress) => {
        const update = () => session.opened.up({ onProgress, replace: replace() });
        return (await withHostsWords(session, update)).summary;
      },
    },
  ];
}

export async function printOutputs(session: Session): Promise<void> {
  process.stdout.write(
    `\nOutputs of ${session.stack}:\n${(await session.opened.outputs(false)).trimEnd()}\n`,
  );
}
