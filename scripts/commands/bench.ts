import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiAccess, freePort, type HostsMode, hostsMode, request, stopApi } from "../../sandbox/index";
import { type HostFigures, hostRows, hostsUnavailable, measureHosts } from "../bench/hosts";
import { median } from "../bench/median";
import type { Command } from "../command";
import { type CommandArguments, HOSTS_OPTION } from "../commandLine";
import { Failure, usageFailure } from "../failure";
import { findHome, homeAt } from "../home";
import { runQuietly, runSteps, type Step } from "../progress";
import { Session, withSession } from "../session";

/** Enough runs that one slow run does not change the median. */
const DEFAULT_PREVIEWS = 5;
const DEFAULT_POWER_CUTS = 10;

export const command: Command = {
  name: "bench",
  summary:
    "Measures the dev stack in a separate sandbox: previews, up, destroy, then the stack on running hosts.",
  details: `All results are from one run on this machine, and none is checked against a limit. Your running sandbox is not affected.
The measurement of hosts takes seven minutes, and half a minute for each power cut; --hosts off skips it.`,
  options: {
    json: { type: "boolean", doc: "print only the results, as JSON, on stdout" },
    previews: {
      type: "string",
      value: "N",
      doc: `number of previews of each kind; the result is their median (default ${DEFAULT_PREVIEWS})`,
    },
    "power-cuts": {
      type: "string",
      value: "N",
      doc: `number of power cuts of a database host under writes (default ${DEFAULT_POWER_CUTS})`,
    },
    hosts: HOSTS_OPTION,
  },
  run: async (args) => {
    const json = args.flag("json");
    const run = json ? runQuietly : runSteps;
    const previews = count("--previews", args.text("previews"), DEFAULT_PREVIEWS);
    const powerCuts = count("--power-cuts", args.text("power-cuts"), DEFAULT_POWER_CUTS);
    const mode = hostsMode(args.text("hosts"), findHome());
    const figures = await measure(previews, run);
    const hosts = mode === "off" ? undefined : await measureOnHosts(powerCuts, mode, run);
    process.stdout.write(
      json
        ? `${JSON.stringify({ ...figures, ...(hosts === undefined ? {} : { hosts }) }, undefined, 2)}\n`
        : `\n${table([...rows(figures), ...(hosts === undefined ? [] : hostRows(hosts))])}\n`,
    );
    return 0;
  },
};

/** The results of running hosts; none, with the reason, if the machine cannot run hosts. */
async function measureOnHosts(
  powerCuts: number,
  mode: HostsMode,
  run: typeof runSteps,
): Promise<HostFigures | undefined> {
  const reason = await hostsUnavailable();
  if (reason !== undefined && mode === "on") throw new Failure(`Hosts cannot run here: ${reason}`);
  let figures: HostFigures | undefined;
  await run([
    {
      title: "the dev stack on hosts",
      run: async (report) => {
        if (reason !== undefined) return `left out: ${reason}`;
        figures = await measureHosts(powerCuts, report);
        return `${powerCuts} power cuts`;
      },
    },
  ]);
  return figures;
}

export interface Figures {
  readonly previews: number;
  /** Medians. */
  readonly previewWithoutPackSeconds: number;
  readonly previewWithPackSeconds: number;
  /** The cost of the pack: with it minus without it. */
  readonly packSeconds: number;
  readonly packRatio: number;
  readonly upSeconds: number;
  readonly upWithoutChangesSeconds: number;
  readonly destroySeconds: number;
  readonly apiRequestsPerUp: number;
  readonly apiRequestsPerUpWithoutChanges: number;
  readonly userDataBytes: Readonly<Record<string, number>>;
}

function count(option: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (/^[1-9]\d?$/.test(text)) return Number(text);
  throw usageFailure(`${option}: expected 1 to 99, got "${text}"`);
}

async function measure(previews: number, run: typeof runSteps): Promise<Figures> {
  const home = homeAt(mkdtempSync(join(tmpdir(), "secured-web-bench-")));
  const session = new Session(withPort(await freePort()), { stack: "dev", home });
  const without: number[] = [];
  const withPack: number[] = [];
  const single: Record<"up" | "again" | "destroy", Measured> = {
    up: NOTHING,
    again: NOTHING,
    destroy: NOTHING,
  };
  let userDataBytes: Record<string, number> = {};
  const timed = (title: string, name: keyof typeof single, work: () => Promise<unknown>): Step => ({
    title,
    run: async () => {
      single[name] = await measureOne(session.api, work);
      return `${single[name].seconds.toFixed(1)} s, ${single[name].requests} API requests`;
    },
  });
  try {
    await withSession("npm run bench", session, async () => {
      await run([
        ...session.preparation(),
        timed("up", "up", () => session.opened.up()),
        timed("up without changes", "again", () => session.opened.up()),
        {
          title: `${previews} previews without and with the policy pack`,
          run: async (report) => {
            // Alternating, so that a slow minute of the machine affects both.
            for (let i = 0; i < previews; i++) {
              without.push(
                (await measureOne(undefined, () => session.opened.preview({ withoutPolicies: true })))
                  .seconds,
              );
              withPack.push((await measureOne(undefined, () => session.opened.preview())).seconds);
              report(`${without.at(-1)?.toFixed(2)} s without, ${withPack.at(-1)?.toFixed(2)} s with`);
            }
            return "done";
          },
        },
        {
          title: "user data",
          run: async () => {
            userDataBytes = await session.opened.userDataBytes();
            return `${Object.keys(userDataBytes).length} hosts`;
          },
        },
        timed("destroy", "destroy", () => session.opened.destroy()),
      ]);
      return 0;
    });
  } finally {
    await stopApi(home);
    rmSync(home.dir, { recursive: true, force: true });
  }
  const [plain, judged] = [median(without), median(withPack)];
  return {
    previews,
    previewWithoutPackSeconds: round(plain),
    previewWithPackSeconds: round(judged),
    packSeconds: round(judged - plain),
    packRatio: round(judged / plain),
    upSeconds: round(single.up.seconds),
    upWithoutChangesSeconds: round(single.again.seconds),
    destroySeconds: round(single.destroy.seconds),
    apiRequestsPerUp: single.up.requests,
    apiRequestsPerUpWithoutChanges: single.again.requests,
    userDataBytes,
  };
}

interface Measured {
  readonly seconds: number;
  readonly requests: number;
}

const NOTHING: Measured = { seconds: 0, requests: 0 };

async function measureOne(api: ApiAccess | undefined, work: () => Promise<unknown>): Promise<Measured> {
  const before = api === undefined ? 0 : await requestsLeft(api);
  const begin = process.hrtime.bigint();
  await work();
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  // The request that asks also counts.
  return { seconds, requests: api === undefined ? 0 : before - (await requestsLeft(api)) - 1 };
}

/** The API counts requests in its rate-limit headers, as DigitalOcean's API does. */
async function requestsLeft(api: ApiAccess): Promise<number> {
  const { headers } = await request(api, "GET", "/v2/account");
  return Number(headers.get("ratelimit-remaining"));
}

const round = (value: number) => Math.round(value * 100) / 100;

function rows(figures: Figures): [string, string][] {
  return [
    ["preview without the pack (median)", `${figures.previewWithoutPackSeconds} s of ${figures.previews}`],
    ["preview with the pack (median)", `${figures.previewWithPackSeconds} s of ${figures.previews}`],
    ["the pack's share", `${figures.packSeconds} s, ratio ${figures.packRatio}`],
    ["up of dev", `${figures.upSeconds} s, ${figures.apiRequestsPerUp} API requests`],
    [
      "up without changes",
      `${figures.upWithoutChangesSeconds} s, ${figures.apiRequestsPerUpWithoutChanges} API requests`,
    ],
    ["destroy of dev", `${figures.destroySeconds} s`],
    ...Object.entries(figures.userDataBytes).map(([host, bytes]): [string, string] => [
      `user data of ${host}`,
      `${bytes} bytes of 65536`,
    ]),
  ];
}

function table(rows: readonly [string, string][]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
}

function withPort(port: number): CommandArguments {
  return {
    positionals: [],
    flag: () => false,
    text: (name) => (name === "port" ? String(port) : undefined),
    texts: () => [],
  };
}
