// Waits until the hosts' metrics arrive. npm start runs this step after the site answers, if hosts have the agent.

import { setTimeout as delay } from "node:timers/promises";
import { type DatadogAccess, hasCollector, namedHosts, receivedSeries } from "../../sandbox/index";
import { interruption } from "../interruption";
import type { Step } from "../progress";
import type { Session } from "../session";

const WITHIN_MS = 90_000;
const LOOK_EVERY_MS = 1_000;
/** A host whose newest metric is older than this no longer sends. */
const RECENT_SECONDS = 30;
/** A metric that every agent sends about itself. */
const ALIVE = "datadog.agent.running";
const AGENT_FILE = "/etc/datadog-agent/datadog.yaml";

/**
 * Waits until every host's metrics arrive. If they do not, it reports that, but does not fail, because the site is
 * up.
 */
export function figuresStep(session: Session): Step {
  return {
    title: "Metrics",
    run: async (report) => {
      const { hosts, datadog } = session;
      if (hosts?.kind !== "hosts") return "none: droplets are only records, which send nothing";
      if (datadog === undefined) return "none: the stand-in for Datadog is not running";
      if (!(await hasCollector())) return "none: there is no collector";
      const { withAgent, without } = await sortHosts(session);
      const silent = await waitForFigures(datadog, withAgent, report);
      const all = withAgent.length + without.length;
      return [
        `${withAgent.length - silent.length} of ${all} hosts send metrics`,
        ...(silent.length === 0
          ? []
          : [`none from ${silent.join(", ")} (npm run sandbox -- logs HOST datadog-agent)`]),
        // A database host keeps its first user data (infra/components/databaseTier.ts).
        ...(without.length === 0
          ? []
          : [
              `${without.join(", ")} was created without the agent. With the same --config, run npm run replace -- ${session.stack} HOST for one host at a time, or npm stop and npm start`,
            ]),
      ].join("; ");
    },
  };
}

/** The hosts that have sent nothing when the time is over. */
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

/** The names of the hosts whose agent has reported recently. */
async function hostsThatSend(datadog: DatadogAccess): Promise<ReadonlySet<string>> {
  const recent = Date.now() / 1000 - RECENT_SECONDS;
  const series = await receivedSeries(datadog, ALIVE);
  const alive = series.filter(({ last }) => (last?.time ?? 0) > recent);
  return new Set(alive.flatMap(({ tags }) => tags).flatMap((tag) => /^host:(.+)$/.exec(tag)?.[1] ?? []));
}

/** The stack's hosts, split by whether their user data contains the agent's files. */
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
