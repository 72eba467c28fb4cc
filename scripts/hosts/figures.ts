// From "the site answers" to "its figures arrive": what npm start waits for where hosts have the agent.

import { setTimeout as delay } from "node:timers/promises";
import { type DatadogAccess, hasCollector, namedHosts, receivedSeries } from "../../sandbox/index";
import { interruption } from "../interruption";
import type { Step } from "../progress";
import type { Session } from "../session";

const WITHIN_MS = 90_000;
const LOOK_EVERY_MS = 1_000;
/** A host whose last figure is older sends none any more. */
const RECENT_SECONDS = 30;
/** What every agent sends of itself. */
const ALIVE = "datadog.agent.running";
const AGENT_FILE = "/etc/datadog-agent/datadog.yaml";

/** Waits until every host's figures arrive. That they do not is told, and is no failure: the site is up. */
export function figuresStep(session: Session): Step {
  return {
    title: "Figures",
    run: async (report) => {
      const { hosts, datadog } = session;
      if (hosts?.kind !== "hosts") return "none: droplets are records, which send nothing";
      if (datadog === undefined) return "none: there is no stand-in of Datadog";
      if (!(await hasCollector())) return "none: there is no collector";
      const { withAgent, without } = await sortHosts(session);
      const silent = await waitForFigures(datadog, withAgent, report);
      const all = withAgent.length + without.length;
      return [
        `${withAgent.length - silent.length} of ${all} hosts send theirs`,
        ...(silent.length === 0
          ? []
          : [`none from ${silent.join(", ")} (npm run sandbox -- logs HOST datadog-agent)`]),
        // A database host's user data is of its first day (infra/components/databaseTier.ts).
        ...(without.length === 0
          ? []
          : [
              `${without.join(", ")} came up without the agent: with the same --config, npm run replace -- ${session.stack} HOST one by one, or npm stop and npm start`,
            ]),
      ].join("; ");
    },
  };
}

/** The hosts that send nothing within the time. */
async function waitForFigures(
  datadog: DatadogAccess,
  names: readonly string[],
  report: (line: string) => void,
): Promise<readonly string[]> {
  const deadline = Date.now() + WITHIN_MS;
  let told = "";
  for (;;) {
    interruption.signal.throwIfAborted();
    const sending = await hostsThatSend(datadog);
    const silent = names.filter((name) => !sending.has(name));
    if (silent.length === 0 || Date.now() > deadline) return silent;
    const text = `nothing yet from ${silent.join(", ")}`;
    if (text !== told) report(text);
    told = text;
    await delay(LOOK_EVERY_MS, undefined, { signal: interruption.signal });
  }
}

/** The hosts whose agent has told of itself lately, by name. */
async function hostsThatSend(datadog: DatadogAccess): Promise<ReadonlySet<string>> {
  const recent = Date.now() / 1000 - RECENT_SECONDS;
  const series = await receivedSeries(datadog, ALIVE);
  const alive = series.filter(({ last }) => (last?.time ?? 0) > recent);
  return new Set(alive.flatMap(({ tags }) => tags).flatMap((tag) => /^host:(.+)$/.exec(tag)?.[1] ?? []));
}

/** The stack's hosts by whether their user data has brought the agent's files. */
async function sortHosts(session: Session): Promise<{ withAgent: string[]; without: string[] }> {
  const outputs = JSON.parse(await session.opened.outputs(false)) as { droplets: { name: string }[] };
  const names = new Set(outputs.droplets.map(({ name }) => name));
  const hosts = await namedHosts(session.home);
  const sorted = { withAgent: [] as string[], without: [] as string[] };
  for (const { name, host } of hosts.filter((one) => names.has(one.name))) {
    const hasAgent = (await host.readFile(AGENT_FILE)) !== undefined;
    sorted[hasAgent ? "withAgent" : "without"].push(name);
  }
  return sorted;
}
