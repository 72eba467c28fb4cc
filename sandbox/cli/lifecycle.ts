// The verbs that start and stop a sandbox. A project that embeds the sandbox uses its own commands instead.
import { existsSync, rmdirSync, rmSync } from "node:fs";
import { greeting } from "../api/greeting";
import { apiPort } from "../background/apiPort";
import { ensureApi, recordedPort, stopApi } from "../background/daemon";
import { spacesUrl } from "../client/spaces";
import { missingForHosts } from "../hosts/requirements";
import { hasHosts, makeSandboxFolder, type Sandbox } from "../sandbox";
import type { Command } from "./command";
import { hostsChoiceOption, wantsHosts } from "./hostsChoice";
import { portOption } from "./portOption";

const say = (line: string) => process.stdout.write(`${line}\n`);

/** start, stop, remove and requirements, by their names. */
export function lifecycleVerbs(
  sandbox: Sandbox,
  interruption: () => AbortSignal,
): Readonly<Record<string, Command>> {
  const all = [start(sandbox, interruption), stop(sandbox), remove(sandbox), requirements];
  return Object.fromEntries(all.map((verb) => [verb.name, verb]));
}

const start = (sandbox: Sandbox, interruption: () => AbortSignal): Command => ({
  name: "start",
  summary: "starts the API in the background",
  details: "If it is already running, this prints its address and changes nothing.",
  options: { port: portOption(sandbox.calls), hosts: hostsChoiceOption(sandbox.calls) },
  run: async (args) => {
    makeSandboxFolder(sandbox);
    const signal = interruption();
    const hosts = await wantsHosts(sandbox, args.text("hosts"), say, signal);
    const option = args.text("port") ?? recordedPort(sandbox)?.toString();
    const api = await ensureApi(sandbox, apiPort(option, sandbox), { hosts, signal, onProgress: say });
    const end = `${sandbox.calls.stop} stops it.`;
    const token = process.stdout.isTTY ? api.token : undefined;
    const spaces = await spacesUrl(api);
    say(greeting("DigitalOcean API v2 of the sandbox", api.url, sandbox.tokenFile, end, token, spaces));
    return 0;
  },
});

const stop = (sandbox: Sandbox): Command => ({
  name: "stop",
  summary: "stops the API, and powers its hosts off",
  details: "The account and the disks of hosts stay for the next start.",
  run: async () => {
    const pids = await stopApi(sandbox);
    if (hasHosts(sandbox)) await (await provider()).halt(sandbox.hostsDir);
    say(pids.length === 0 ? "The API was not running." : `Ended process ${pids.join(", ")}.`);
    return 0;
  },
});

const remove = (sandbox: Sandbox): Command => ({
  name: "remove",
  summary: "stops the API and deletes the account, its keys and its hosts",
  run: async () => {
    if (!existsSync(sandbox.dir)) {
      say(`Nothing to remove: there is no ${sandbox.dir}.`);
      return 0;
    }
    await stopApi(sandbox);
    if (hasHosts(sandbox)) await (await provider()).remove(sandbox.hostsDir);
    const { apiStateDir, hostsDir, datadogDir, tokenFile, apiLog, hostsOff } = sandbox;
    for (const path of [apiStateDir, hostsDir, datadogDir, tokenFile, apiLog, hostsOff])
      rmSync(path, { recursive: true, force: true });
    try {
      rmdirSync(sandbox.dir);
      say(`Removed ${sandbox.dir}.`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw error;
      say(`Removed the sandbox. ${sandbox.dir} stays, because it contains other files.`);
    }
    return 0;
  },
});

const requirements: Command = {
  name: "requirements",
  summary: "lists what this machine lacks to boot droplets as hosts",
  details: "Exit code 0 means that nothing is missing, 1 that droplets can only be records here.",
  run: async () => {
    const { reasons, remedy } = await missingForHosts();
    say(
      reasons.length === 0
        ? "Droplets can boot as hosts here."
        : `Droplets are records: ${reasons.join("; ")}`,
    );
    if (remedy !== undefined) say(remedy);
    return reasons.length === 0 ? 0 : 1;
  },
};

/** Loaded on demand, because an account whose droplets are only records does not need it. */
async function provider() {
  return (await import("../hosts/provider.ts")).Provider;
}
