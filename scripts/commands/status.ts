import { setTimeout as delay } from "node:timers/promises";
import type { ReportAccess } from "../../infra/rollout/reports";
import { ensureToken, runningApi, sandboxDatadog, spacesUrl } from "../../sandbox/index";
import type { Command } from "../command";
import { STACK_OPTIONS, stackArgument } from "../commandLine";
import { cloudApi } from "../engine/cloudApi";
import { sandboxEnvironment } from "../engine/environment";
import { Failure } from "../failure";
import { findHome } from "../home";
import { interruption } from "../interruption";
import { backupAges, sendBackupAges } from "../status/backups";
import { cloudDatadog } from "../status/cloudDatadog";
import { readStatus, type Sources } from "../status/read";
import { releasesOf, reportAccessOf } from "../status/releases";
import { statusText } from "../status/text";

const refreshMs = 5000;
/** Cursor home, then clear to the end of the screen. Clearing first would flicker. */
const toTop = "\x1b[H";
const clearRest = "\x1b[J";

export const command: Command = {
  name: "status",
  summary: "Shows a stack live: web and database QPS, latency, errors, members, backends, alerts.",
  details: `On a terminal it refreshes every five seconds until Ctrl-C. Otherwise, and with --json, it prints once.
With --cloud it reads your account (DIGITALOCEAN_TOKEN) and Datadog (DD_API_KEY, DD_APP_KEY, DD_SITE).`,
  positionals: ["[STACK]"],
  options: {
    cloud: STACK_OPTIONS.cloud,
    json: { type: "boolean", doc: "as JSON, once" },
    "send-backup-ages": {
      type: "boolean",
      doc: "only print the age of each database host's newest backup, and send it to Datadog; for a timer",
    },
  },
  run: async (args) => {
    const sources = sourcesOf(stackArgument(args.positionals[0]), args.flag("cloud"));
    if (args.flag("send-backup-ages")) return sendBackups(sources, args.flag("json"));
    const isLive = process.stdout.isTTY && !args.flag("json");
    interruption.listen();
    do {
      const status = await readStatus(sources);
      if (args.flag("json")) process.stdout.write(`${JSON.stringify(status, null, 2)}\n`);
      else {
        const text = statusText(status, { width: process.stdout.columns ?? 200, colors: isLive });
        process.stdout.write(
          isLive ? `${toTop}${text.replaceAll("\n", "\x1b[K\n")}${clearRest}` : `${text}\n`,
        );
      }
      if (isLive) await delay(refreshMs, undefined, { signal: interruption.signal }).catch(() => {});
    } while (isLive && !interruption.signal.aborted);
    return 0;
  },
};

async function sendBackups({ api, datadog, stack }: Sources, json: boolean): Promise<number> {
  if (datadog === undefined) {
    throw new Failure("No Datadog to send the backup ages to", {
      remedy: "Set DD_API_KEY and DD_APP_KEY (with --cloud), or start the stack with monitoring=datadog.",
    });
  }
  const ages = await backupAges(api, stack, new Date());
  await sendBackupAges(datadog, stack, ages);
  const lines = ages.map(
    ({ host, newest, hours }) => `${host}: ${hours.toFixed(1)} h (${newest ?? "no backup; age of the host"})`,
  );
  process.stdout.write(`${json ? JSON.stringify(ages, null, 2) : lines.join("\n") || "no database host"}\n`);
  return 0;
}

function sourcesOf(stack: string, cloud: boolean): Sources {
  if (cloud) {
    const access = whenUp(() => reportAccessOf(findHome(), stack, true));
    const releases = async () => releasesOf(await access(), process.env);
    return { stack, api: cloudApi(), datadog: cloudDatadog(), readReleases: releases };
  }
  const home = findHome();
  const running = runningApi(home);
  if (running === undefined) {
    throw new Failure("The sandbox's API is not running", { remedy: "Start it: npm start" });
  }
  const api = { url: running.url, token: ensureToken(home) };
  const access = whenUp(() => reportAccessOf(home, stack, false));
  const releases = async () => {
    const services = { standIns: true, spaces: await spacesUrl(api) };
    return releasesOf(await access(), sandboxEnvironment(home, api, services));
  };
  return { stack, api, datadog: sandboxDatadog(home), readReleases: releases, isSandbox: true };
}

/** Reads the keys once, because Pulumi's CLI must decrypt the state for it. Until they exist, each call tries again. */
function whenUp(read: () => Promise<ReportAccess | undefined>): () => Promise<ReportAccess | undefined> {
  let known: ReportAccess | undefined;
  return async () => {
    known ??= await read();
    return known;
  };
}
