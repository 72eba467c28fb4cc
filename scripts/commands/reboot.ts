import { tellForcedStop, untilGroupIsWhole, untilWell } from "../../infra/rollout/gate";
import { type ReportAccess, readReport } from "../../infra/rollout/reports";
import { type ApiAccess, request } from "../../sandbox/index";
import type { Command } from "../command";
import { stackArgument } from "../commandLine";
import { cloudApi } from "../engine/cloudApi";
import { HostTable } from "../engine/hostTable";
import { Failure } from "../failure";
import { describeLoss, FORCE_OPTION, forceHelp, isForced, nothingToForce } from "../hosts/force";
import { hostName, noSuchHost } from "../hosts/hostName";
import { interruption } from "../interruption";
import { runSteps, type Step } from "../progress";
import { SESSION_OPTIONS, Session, withSession } from "../session";
import { reportAccessOf, withReports } from "../status/releases";

/** A host boots, its services start and a member joins its group. */
const WELL_WITHIN_SECONDS = 900;

export const command: Command = {
  name: "reboot",
  summary: "Reboots one host, or all hosts of a stack one after another.",
  details: `Each host must be well before the next one reboots. A database host reboots only when all other members are ONLINE
and have applied everything. \`npm run status\` shows the hosts whose reboot is due.
${forceHelp("reboot")}`,
  positionals: ["STACK", "[HOST]"],
  options: { ...SESSION_OPTIONS, force: FORCE_OPTION },
  run: (args) => {
    const [stackName, given] = args.positionals;
    const stack = stackArgument(stackName);
    const forced = isForced("reboot", stack, { host: given, force: args.text("force") });
    const session = new Session(args, { stack });
    return withSession("npm run reboot", session, async () => {
      let access: ReportAccess | undefined;
      await runSteps([
        ...session.preparation(),
        {
          title: "Hosts",
          run: async (report) => {
            const place = await reportAccessOf(session.home, session.stack, session.cloud);
            if (place === undefined)
              throw new Failure("The stack's hosts do not report yet", { remedy: "Run: npm run up" });
            access = place;
            const chosen = chosenHosts(place, given);
            const names = chosen.map(({ name }) => name).join(", ");
            if (forced) {
              if (!chosen.every((host) => isMember(host, place))) throw nothingToForce(names);
              report(describeLoss("reboot", names));
            }
            return names;
          },
        },
      ]);
      if (access === undefined) return 0;
      const place = access;
      await runSteps(chosenHosts(place, given).map((host) => rebootStep(session, place, host, forced)));
      return 0;
    });
  },
};

/** @throws Failure (exit code 2) that lists the stack's hosts */
function chosenHosts({ hosts, stack }: ReportAccess, given: string | undefined): ReportAccess["hosts"] {
  if (given === undefined) return hosts;
  const chosen = hosts.filter(({ name }) => name === hostName(stack, given));
  if (chosen.length > 0) return chosen;
  throw noSuchHost(
    given,
    hosts.map(({ name }) => name),
  );
}

type RebootedHost = ReportAccess["hosts"][number];

/** True if a host is a member of a database group, which can do without one member. A single writer's hosts have none. */
function isMember({ roles }: RebootedHost, { replication }: ReportAccess): boolean {
  return replication === "group" && roles.includes("database");
}

/** @param forced true if the host does not wait for its group */
function rebootStep(session: Session, access: ReportAccess, host: RebootedHost, forced: boolean): Step {
  return {
    title: `Reboot ${host.name}`,
    run: (report) =>
      withReports(
        session.opened.target.environment,
        interruption.signal,
        async () => {
          const others = access.hosts.filter((one) => isMember(one, access) && one !== host);
          if (isMember(host, access) && others.length > 0) {
            if (forced) await tellForcedStop(host.name, others, access);
            else await untilGroupIsWhole(host.name, others, access, WELL_WITHIN_SECONDS);
          }
          const { status } = await readReport(host, access);
          if (status === undefined)
            throw new Failure(`${host.name} has not reported yet`, { remedy: "Run: npm run status" });
          await requestReboot(session.api ?? cloudApi(), host.name, status.dropletId);
          await untilWell(
            host,
            { dropletId: status.dropletId, endedBoot: status.bootId },
            access,
            WELL_WITHIN_SECONDS,
          );
          return "well";
        },
        new HostTable(report).tell,
      ),
  };
}

async function requestReboot(api: ApiAccess, host: string, dropletId: string): Promise<void> {
  const { status, body } = await request(api, "POST", `/v2/droplets/${dropletId}/actions`, {
    body: { type: "reboot" },
  });
  if (status < 300) return;
  throw new Failure(
    `${host} does not reboot: ${(body as { message?: string })?.message ?? `HTTP ${status}`}`,
  );
}
