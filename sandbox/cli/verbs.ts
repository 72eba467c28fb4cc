// The verbs of `digitalocean-sandbox VERB`: the actions of an operator on a running sandbox.
import { sandboxDatadog } from "../background/datadogAccess";
import { act, findDroplet, loadBalancers, requireApi } from "../client/account";
import { receivedMetrics, receivedSeries } from "../client/metrics";
import { Failure, usageFailure } from "../failure";
import type { Host } from "../hosts/host/host";
import type { Instance } from "../hosts/instance";
import type { NamedHost } from "../hosts/namedHosts";
import type { Hop } from "../hosts/operate";
import { existingRoots } from "../hosts/roots";
import { hasHosts, type Sandbox } from "../sandbox";
import type { Command } from "./command";
import { metricsText, seriesText } from "./metricsText";
import { statusText } from "./statusText";

/** Loaded on demand, because `--help` does not need it. */
const operate = () => import("../hosts/operate.ts");
const named = () => import("../hosts/namedHosts.ts");

const status = (sandbox: Sandbox): Command => ({
  name: "status",
  summary: "droplets, backends, certificates, uptime, alerts",
  details: "If a part is unavailable (the API is not running, a host is off), the output says so.",
  options: { json: { type: "boolean", doc: "print it as JSON" } },
  run: async (args) => {
    const found = await (await import("./status.ts")).sandboxStatus(sandbox);
    process.stdout.write(
      args.flag("json")
        ? `${JSON.stringify(found, undefined, 2)}\n`
        : `${statusText(found, sandbox.calls)}\n`,
    );
    return 0;
  },
});

const exec = (sandbox: Sandbox): Command => ({
  name: "exec",
  summary: "runs a program on a host",
  details:
    "As root, with this terminal. The exit code is the program's. HOST: its name, the end of its name, or its id.",
  positionals: ["HOST", "--", "CMD..."],
  passThrough: true,
  run: async ({ positionals: [wanted, ...rest] }) => {
    const command = rest[0] === "--" ? rest.slice(1) : rest;
    if (wanted === undefined || wanted === "--" || command.length === 0)
      throw missing(sandbox, exec(sandbox), "HOST and CMD");
    return (await operate()).exec(await running(sandbox, wanted), command);
  },
});

const shell = (sandbox: Sandbox): Command => ({
  name: "shell",
  summary: "a login shell on a host, as root",
  positionals: ["HOST"],
  run: async ({ positionals: [wanted = ""] }) => (await operate()).shell(await running(sandbox, wanted)),
});

const logs = (sandbox: Sandbox): Command => ({
  name: "logs",
  summary: "a host's journal, or one unit's",
  details: "The last 500 lines; for a host that is off, the end of its console.",
  positionals: ["HOST", "[UNIT]"],
  options: { follow: { type: "boolean", doc: "follow the log" } },
  run: async (args) => {
    const [wanted = "", unit] = args.positionals;
    const { host } = await hostOf(sandbox, wanted);
    return (await operate()).logs(host, unit, args.flag("follow"));
  },
});

const ACTIONS: Readonly<Record<string, string>> = { on: "power_on", off: "power_off", cycle: "power_cycle" };

const power = (sandbox: Sandbox): Command => ({
  name: "power",
  summary: "on, off (cuts the power), cycle",
  details:
    "It uses the API, so that the account knows the state. The command returns when the machine is done.",
  positionals: ["HOST", "on|off|cycle"],
  run: async ({ positionals: [wanted = "", word = ""] }) => {
    const type = ACTIONS[word];
    if (type === undefined) throw usageFailure(`power: expected on, off or cycle, got "${word}"`);
    const api = requireApi(sandbox);
    const droplet = await findDroplet(sandbox, api, wanted);
    const isOn = droplet.status === "active";
    if (word !== "cycle" && isOn === (word === "on")) {
      process.stdout.write(`${droplet.name} is already ${word}.
`);
      return 0;
    }
    await act(sandbox, api, droplet, { type });
    process.stdout.write(`${droplet.name}: ${type} is done.\n`);
    return 0;
  },
});

const curl = (sandbox: Sandbox): Command => ({
  name: "curl",
  summary: "curl from a client on the internet, with the sandbox's own DNS",
  details: `Requests go through the load balancer, as from the internet: ${sandbox.calls.verb} curl https://www.example.com/
It trusts certificates from the sandbox's issuer. The exit code is curl's.`,
  positionals: ["ARGS..."],
  passThrough: true,
  run: async ({ positionals: args }) => {
    if (args.length === 0) throw missing(sandbox, curl(sandbox), "ARGS");
    const instance = await (await named()).openHosts(sandbox);
    return (await operate()).curl(instance, args, existingRoots(sandbox));
  },
});

const HOPS = [
  "client            the client on the internet, to the load balancer",
  "balancer[:NAME]   the load balancer's private side, to the web hosts",
  "HOST              a host's private interface: to and between databases",
  "HOST:public       its public interface: packages, the monitoring agent",
  "services          DNS and metadata",
].join("\n  ");

const capture = (sandbox: Sandbox): Command => ({
  name: "capture",
  summary: "tcpdump on a hop",
  details: `Runs until Ctrl-C. The arguments after HOP are for tcpdump: -c 10, -w FILE, -A, port 3306 ...

Hops:
  ${HOPS}`,
  positionals: ["HOP", "[FLAGS...]"],
  passThrough: true,
  run: async ({ positionals: [word, ...flags] }) => {
    if (word === undefined) throw missing(sandbox, capture(sandbox), "HOP");
    const instance = await (await named()).openHosts(sandbox);
    return (await operate()).capture(instance, await hopOf(sandbox, instance, word), flags);
  },
});

const metrics = (sandbox: Sandbox): Command => ({
  name: "metrics",
  summary: "metrics that the Datadog stand-in has received",
  details: `Lists the names of all metrics, or the series of one metric with their tags and last values. Hosts send them if they
have the agent's files: ${sandbox.calls.startMonitored}. The stand-in keeps the last two hours, until the API stops.`,
  positionals: ["[NAME]"],
  options: { json: { type: "boolean", doc: "print it as JSON" } },
  run: async (args) => {
    const access = sandboxDatadog(sandbox);
    if (access === undefined)
      throw new Failure("The sandbox's API is not running, and neither is the Datadog stand-in", {
        remedy: `${sandbox.calls.startMonitored} starts both.`,
      });
    const [name] = args.positionals;
    const json = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`;
    if (name === undefined) {
      const all = await receivedMetrics(access);
      if (all.length === 0 && !args.flag("json")) throw nothingReceived(sandbox);
      process.stdout.write(args.flag("json") ? json(all) : `${metricsText(all)}\n`);
      return 0;
    }
    const series = await receivedSeries(access, name);
    if (series.length === 0)
      throw new Failure(`No metric ${name} has been received`, {
        remedy: `To list the metrics that were received, run ${sandbox.calls.verb} metrics`,
      });
    process.stdout.write(args.flag("json") ? json(series) : `${seriesText(name, series)}\n`);
    return 0;
  },
});

function nothingReceived(sandbox: Sandbox): Failure {
  const { startMonitored, examine } = sandbox.calls;
  return new Failure("No metrics were received", {
    remedy: hasHosts(sandbox)
      ? `Check that the hosts have an agent: ${startMonitored}`
      : `Droplets are only records here, which send nothing. Hosts do, on Linux as root (${examine}).`,
  });
}

/** The verbs for one sandbox, by their names. */
export function verbsOf(sandbox: Sandbox): Readonly<Record<string, Command>> {
  const all = [status, exec, shell, logs, power, curl, capture, metrics].map((verb) => verb(sandbox));
  return Object.fromEntries(all.map((verb) => [verb.name, verb]));
}

function missing({ calls }: Sandbox, { name, positionals = [] }: Command, what: string): Failure {
  return usageFailure(`${name} needs ${what}`, `Usage: ${[calls.verb, name, ...positionals].join(" ")}`);
}

async function hostOf(sandbox: Sandbox, wanted: string): Promise<NamedHost> {
  const { findHost, openHosts } = await named();
  return findHost(await openHosts(sandbox), wanted, sandbox.calls);
}

async function running(sandbox: Sandbox, wanted: string): Promise<Host> {
  const { name, host } = await hostOf(sandbox, wanted);
  if ((await host.init()) !== undefined) return host;
  throw new Failure(`${name} is off`, {
    remedy: `Run ${sandbox.calls.verb} power ${name} on; to see its last messages, run ${sandbox.calls.verb} logs ${name}.`,
  });
}

async function hopOf(sandbox: Sandbox, instance: Instance, word: string): Promise<Hop> {
  const [place = "", detail] = word.split(":");
  if (place === "client" || place === "services") return { at: place };
  if (place === "balancer")
    return { at: "balancer", balancerId: await balancerId(sandbox, detail), side: "private" };
  if (detail !== undefined && detail !== "public" && detail !== "private")
    throw usageFailure(`capture: unknown hop "${word}"`, `Hops:\n${HOPS}`);
  const { host } = await (await named()).findHost(instance, place, sandbox.calls);
  return { at: "droplet", dropletId: host.dropletId, side: detail ?? "private" };
}

async function balancerId(sandbox: Sandbox, name: string | undefined): Promise<string> {
  const all = await loadBalancers(requireApi(sandbox));
  const found = all.filter((one) => name === undefined || one.name === name);
  const [one] = found;
  if (one !== undefined && found.length === 1) return one.id;
  const names = all.map((other) => other.name).join(", ");
  throw usageFailure(
    one === undefined
      ? `There is no load balancer${name ? ` "${name}"` : ""}`
      : "There are several load balancers",
    names === ""
      ? `The account has none: ${sandbox.calls.start}`
      : `Load balancers: ${names}; as in balancer:${all[0]?.name}.`,
  );
}
