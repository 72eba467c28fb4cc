import { setTimeout as delay } from "node:timers/promises";
import { isFresh, type Report, readReport } from "../../infra/rollout/reports";
import { request } from "../../sandbox/index";
import type { Command } from "../command";
import { stackArgument } from "../commandLine";
import { REVOCATION_RESOURCES, revokeHost } from "../engine/certificates";
import { cloudApi } from "../engine/cloudApi";
import { parseUrn } from "../engine/journal";
import type { StoredStack } from "../engine/stateFile";
import { Failure, usageFailure } from "../failure";
import { hostName, noSuchHost } from "../hosts/hostName";
import { interruption } from "../interruption";
import { runSteps, type Step } from "../progress";
import { Session, UPDATE_OPTIONS, withSession } from "../session";
import { reportAccessOf, withReports } from "../status/releases";
import { updateSteps } from "./up";

/** A group removes a member without power after a few seconds, and members report every 15 s. */
const LEAVES_WITHIN_MS = 90_000;
const POLL_MS = 3000;

export const command: Command = {
  name: "revoke",
  summary: "Cuts one host off: within a minute, no other host accepts its certificates.",
  details: `A web host then reaches no database and serves no requests. A database host gets no requests. The command
refuses if no other host of its role serves, or if a database host is still in its group: cut its power first.
To get a new host with new keys: npm run rotate -- STACK host HOST`,
  positionals: ["STACK", "HOST"],
  options: {
    ...UPDATE_OPTIONS,
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
            await checkMayGo(session, { host, isForced: force !== undefined }, report);
            report(`Other hosts will refuse the certificates of ${host} until it is replaced`);
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
async function checkMayGo(
  session: Session,
  { host, isForced }: { readonly host: string; readonly isForced: boolean },
  report: (line: string) => void,
): Promise<void> {
  const access = await reportAccessOf(session.home, session.stack, session.cloud);
  const own = access?.hosts.find(({ name }) => name === host);
  if (access === undefined || own === undefined)
    throw noSuchHost(host, access?.hosts.map(({ name }) => name) ?? []);
  if (isForced) return;
  const read = () =>
    withReports(session.opened.target.environment, interruption.signal, () =>
      Promise.all(access.hosts.map(async (one) => ({ ...one, report: await readReport(one, access) }))),
    );
  const inAnyCase = `To cut ${host} off in any case, add --force ${host}.`;
  const end = Date.now() + LEAVES_WITHIN_MS;
  while (true) {
    const reports = await read();
    const serving = reports.filter(({ name, report }) => name !== host && serves(report));
    const role = own.roles.find((one) => !serving.some(({ roles }) => roles.includes(one)));
    if (role !== undefined)
      throw new Failure(`Without ${host}, the stack has no ${role} host that serves`, {
        remedy: `See: npm run status -- ${session.stack}. ${inAnyCase}`,
      });
    const seenBy = serving.find(({ report }) => hasMember(report, host));
    if (seenBy === undefined) return;
    const dropletId = reports.find(({ name }) => name === host)?.report.status?.dropletId;
    if (Date.now() > end || (await isOn(session, dropletId)))
      throw new Failure(`${host} is still in the group of ${seenBy.name}`, {
        remedy: `Members that restart could not join such a group. Cut the power of ${host} first, or run: npm run rotate -- ${session.stack} host ${host}. ${inAnyCase}`,
      });
    report(`waits until the group of ${host}, whose power is off, has removed it`);
    await delay(POLL_MS, undefined, { signal: interruption.signal });
  }
}

async function isOn(session: Session, dropletId: string | undefined): Promise<boolean> {
  const { body } = await request(session.api ?? cloudApi(), "GET", `/v2/droplets/${dropletId}`);
  return (body as { droplet?: { status?: string } } | undefined)?.droplet?.status !== "off";
}

/** A member reports that it is not well while another one is off, but it serves. */
function serves(report: Report): boolean {
  const { status } = report;
  return isFresh(report) && (status?.group?.writable ?? status?.outcome === "well");
}

function hasMember({ status }: Report, host: string): boolean {
  return status?.group?.members.some((member) => member.host.split(".")[0] === host) ?? false;
}
