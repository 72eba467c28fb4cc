import { isFresh, type Report, readReport } from "../../infra/rollout/reports";
import type { Command } from "../command";
import { stackArgument } from "../commandLine";
import { REVOCATION_RESOURCES, revokeHost } from "../engine/certificates";
import { parseUrn } from "../engine/journal";
import type { StoredStack } from "../engine/stateFile";
import { Failure, usageFailure } from "../failure";
import { hostName, noSuchHost } from "../hosts/hostName";
import { interruption } from "../interruption";
import { runSteps, type Step } from "../progress";
import { SESSION_OPTIONS, Session, withSession } from "../session";
import { reportAccessOf, withReports } from "../status/releases";
import { updateSteps } from "./up";

export const command: Command = {
  name: "revoke",
  summary: "Cuts one host off: within a minute, no other host accepts its certificates.",
  details: `A web host then reaches no database and serves no requests. A database host gets no requests; it must have left its
group, because its power is off for example. Without another host of its role that serves, the command refuses.
To get a new host with new keys: npm run rotate -- STACK host HOST`,
  positionals: ["STACK", "HOST"],
  options: {
    ...SESSION_OPTIONS,
    force: {
      type: "string",
      value: "HOST",
      doc: "HOST again: also if no other host of its role serves, or it is in its group",
    },
  },
  run: (args) => {
    const [stackName, given = ""] = args.positionals;
    const stack = stackArgument(stackName);
    const host = hostName(stack, given);
    const force = args.text("force");
    if (force !== undefined && hostName(stack, force) !== host)
      throw usageFailure(`--force: expected the name of the host to revoke (${host}), got "${force}"`);
    const session = new Session(args, { stack });
    return withSession("npm run revoke", session, async () => {
      await runSteps([
        ...session.preparation(),
        {
          title: `Host ${host}`,
          run: async (report) => {
            await checkMayGo(session, host, force !== undefined);
            report(`${host} is cut off: it cannot reach other hosts, nor they it, until it is replaced`);
            return "its certificates are known";
          },
        },
        ...revocationSteps(session, async (stored) => session.reopenWith([revokeHost(stored, host)])),
      ]);
      return 0;
    });
  },
};

/** Updates the lists of revoked certificates, and nothing else. */
export function revocationSteps(session: Session, prepare: (stored: StoredStack) => Promise<void>): Step[] {
  let target: readonly string[] = [];
  return [
    {
      title: "Lists of revoked certificates",
      run: async () => {
        const stored = await session.opened.storedStack();
        target = stored.resources
          .map(({ urn }) => urn)
          .filter((urn) => REVOCATION_RESOURCES.includes(parseUrn(urn).name));
        await prepare(stored);
        return "hosts read them within seconds";
      },
    },
    ...updateSteps(session, () => ({ target })),
  ];
}

/** @throws Failure if the stack lacks the host, cannot do without it, or has it in its group */
async function checkMayGo(session: Session, host: string, isForced: boolean): Promise<void> {
  const access = await reportAccessOf(session.home, session.stack, session.cloud);
  const own = access?.hosts.find(({ name }) => name === host);
  if (access === undefined || own === undefined)
    throw noSuchHost(host, access?.hosts.map(({ name }) => name) ?? []);
  if (isForced) return;
  const { environment } = session.opened.target;
  const others = access.hosts.filter((one) => one !== own);
  const reports = await withReports(environment, interruption.signal, () =>
    Promise.all(others.map(async (one) => ({ ...one, report: await readReport(one, access) }))),
  );
  const inAnyCase = `To cut ${host} off in any case, add --force ${host}.`;
  const serving = reports.filter(({ report }) => serves(report));
  const role = own.roles.find((one) => !serving.some(({ roles }) => roles.includes(one)));
  if (role !== undefined)
    throw new Failure(`Without ${host}, the stack has no ${role} host that serves`, {
      remedy: `See: npm run status -- ${session.stack}. ${inAnyCase}`,
    });
  const seenBy = serving.find(({ report }) => hasMember(report, host));
  if (seenBy !== undefined)
    throw new Failure(`${host} is still in the group of ${seenBy.name}`, {
      remedy: `Members that restart could not join such a group. Cut the power of ${host} first, or run: npm run rotate -- ${session.stack} host ${host}. ${inAnyCase}`,
    });
}

/** A member is not well while another one is off, but serves. */
function serves(report: Report): boolean {
  const { status } = report;
  return isFresh(report) && (status?.group?.writable ?? status?.outcome === "well");
}

function hasMember({ status }: Report, host: string): boolean {
  return status?.group?.members.some((member) => member.host.split(".")[0] === host) ?? false;
}
