// Waits until the booted droplets serve the site: the last step of npm start.

import { existsSync, readFileSync, statSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import {
  act,
  complaint,
  logTail,
  type NamedHost,
  namedHosts,
  setupState,
  unmadeDroplets,
} from "../../sandbox/index";
import { Failure } from "../failure";
import { interruption } from "../interruption";
import type { Step } from "../progress";
import type { Session } from "../session";
import { readStatus, type Status } from "../status/read";
import { groupMembers } from "./members";
import { askSite, describeSite, findSite, type Site, type SiteOutputs } from "./site";

/** On two busy cores three hosts take one to two minutes. */
const READY_WITHIN_MS = 10 * 60_000;
const LOOK_EVERY_MS = 1_000;
/** A host that is off for this long stays off until it is switched on. */
const OFF_FOR_MS = 10_000;

/**
 * Waits until the site answers 200, every member of the group is ONLINE, every backend is healthy, the uptime check
 * is UP and no alert of the site is triggered. Does nothing if droplets are only records.
 */
export function siteStep(session: Session): Step {
  return {
    title: "Site",
    run: async (report) => {
      if (session.hosts?.kind !== "hosts") return "not served: droplets are only records";
      await remakeDroplets(session, report);
      const started = Date.now();
      const watch = new Watch(session, await readOutputs(session), report);
      for (;;) {
        interruption.signal.throwIfAborted();
        const state = await watch.look();
        if (state.ready) return state.text;
        if (state.failed !== undefined) throw await watch.failure(`The site is incomplete: ${state.failed}`);
        if (Date.now() > started + READY_WITHIN_MS) {
          throw await watch.failure(
            `The site was not up within ${READY_WITHIN_MS / 60_000} minutes: ${state.text}`,
          );
        }
        await delay(LOOK_EVERY_MS, undefined, { signal: interruption.signal });
      }
    },
  };
}

/**
 * Boots hosts that an earlier update could not boot (a full disk, a host killed while it booted). The engine
 * considers such a droplet created, and has nothing left to do.
 */
async function remakeDroplets(session: Session, report: (line: string) => void): Promise<void> {
  const { api } = session;
  if (api === undefined) return;
  for (const droplet of await unmadeDroplets(api)) {
    report(`${droplet.name} did not boot when it was created. It is recreated`);
    const rebuild = { type: "rebuild", image: droplet.image.id };
    await withHostsWords(session, () => act(session.home, api, droplet, rebuild));
  }
}

/** Prints the site's address, if hosts serve it. */
export async function printSite(session: Session): Promise<void> {
  if (session.hosts?.kind !== "hosts" || session.api === undefined) return;
  const site = await findSite(session.home, session.api, await readOutputs(session));
  if (site !== undefined) process.stdout.write(`\n${await describeSite(site)}\n`);
}

async function readOutputs(session: Session): Promise<SiteOutputs> {
  return JSON.parse(await session.opened.outputs(false)) as SiteOutputs;
}

/**
 * Runs an update. If it fails, the error includes the hosts' own messages, because the API only knows that the action
 * of a droplet that does not boot has errored.
 */
export async function withHostsWords<T>(session: Session, run: () => Promise<T>): Promise<T> {
  if (session.hosts?.kind !== "hosts") return run();
  const { apiLog } = session.home;
  const before = existsSync(apiLog) ? statSync(apiLog).size : 0;
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Failure) || interruption.signal.aborted || !existsSync(apiLog)) throw error;
    const lines = readFileSync(apiLog).subarray(before).toString("utf8").trim();
    if (lines === "") throw error;
    throw new Failure(
      `${error.message}
Messages of the hosts (${apiLog}):
${lines.replace(/^/gm, "  ")}`,
      {
        cause: error,
        exitCode: error.exitCode,
        ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
      },
    );
  }
}

interface Look {
  readonly ready: boolean;
  readonly text: string;
  /** A condition that only an operator can change. */
  readonly failed?: string;
}

/**
 * Whether monitoring sees a site that serves, and its state in words, which names every alert. An alert of a droplet's
 * own processors, memory or disk is no reason to wait: other work on this machine slows its hosts down as well.
 *
 * @param droplets their names
 */
export function describeWatched(
  { backends, uptime, triggered = [] }: Pick<Status, "backends" | "uptime" | "triggered">,
  droplets: readonly string[],
): { ready: boolean; text: string } {
  const healthy = backends.filter(({ isHealthy }) => isHealthy).length;
  const regions = uptime.flatMap(({ regions }) => Object.values(regions));
  const isUp = regions.every((state) => state === "UP");
  const ofSite = triggered.filter(({ on }) => !droplets.includes(on));
  const alerts = triggered.map(({ name, on }) => (droplets.includes(on) ? `${name} on ${on}` : name));
  return {
    ready: backends.length > 0 && healthy === backends.length && isUp && ofSite.length === 0,
    text: [
      `${healthy} of ${backends.length} backends healthy`,
      ...(regions.length === 0 ? [] : [`uptime check ${isUp ? "UP" : "not UP yet"}`]),
      alerts.length === 0 ? "no alert" : `alerts: ${alerts.join(", ")}`,
    ].join(", "),
  };
}

class Watch {
  #told = "";
  /** By the droplet's position in the outputs. */
  readonly #offSince = new Map<number, number>();

  constructor(
    private readonly session: Session,
    private readonly outputs: SiteOutputs,
    private readonly report: (line: string) => void,
  ) {}

  async look(): Promise<Look> {
    const hosts = await this.#hosts();
    const [setup, group, site] = await Promise.all([this.#setup(hosts), this.#group(hosts), this.#site()]);
    // Monitoring reacts to the site, so it is asked last.
    const watched = site.ready && group.ready ? await this.#watched() : { ready: false, text: "" };
    const text = [site.text, group.text, watched.text, setup.text].filter((part) => part !== "").join("; ");
    if (text !== this.#told) this.report(text);
    this.#told = text;
    const failed = setup.failed;
    if (failed !== undefined) return { ready: false, text, failed };
    return { ready: watched.ready, text };
  }

  /** An error that contains the messages of each host that is not up. */
  async failure(message: string): Promise<Failure> {
    const complaints = await Promise.all((await this.#hosts()).map(complaint));
    const told = complaints.filter((text) => text !== "");
    const log =
      told.length > 0 ? [] : [`The end of ${this.session.home.apiLog}:\n${logTail(this.session.home)}`];
    return new Failure([message, ...told, ...log].join("\n"), {
      remedy: [
        "Details: npm run sandbox -- status, npm run sandbox -- logs HOST (and power HOST on)",
        "Fix the cause and run npm start again, or start from scratch: npm stop, then npm start.",
      ].join("\n"),
    });
  }

  async #hosts(): Promise<NamedHost[]> {
    const names = new Set(this.outputs.droplets.map(({ name }) => name));
    const all = await namedHosts(this.session.home);
    return all.filter(({ name }) => names.has(name));
  }

  async #setup(hosts: readonly NamedHost[]): Promise<{ text: string; failed?: string }> {
    const states = await Promise.all(
      this.outputs.droplets.map(({ name }) => {
        const host = hosts.find((one) => one.name === name);
        if (host !== undefined) return setupState(host);
        return { done: false, failed: false, off: true, text: `${name} has no disk` };
      }),
    );
    const failed = states.filter(({ failed }) => failed).map(({ text }) => text);
    if (failed.length > 0) return { text: failed.join("; "), failed: `Set-up failed: ${failed.join("; ")}` };
    const off = states.filter(({ off }, index) => this.#isOffForGood(index, off));
    if (off.length > 0) return { text: "", failed: off.map(({ text }) => text).join("; ") };
    const busy = states.filter(({ done }) => !done).map(({ text }) => text);
    return { text: busy.join("; ") };
  }

  #isOffForGood(index: number, off: boolean): boolean {
    if (!off) this.#offSince.delete(index);
    else if (!this.#offSince.has(index)) this.#offSince.set(index, Date.now());
    return Date.now() - (this.#offSince.get(index) ?? Date.now()) > OFF_FOR_MS;
  }

  /** A source with replicas has one writer and no group. */
  async #group(hosts: readonly NamedHost[]): Promise<{ ready: boolean; text: string }> {
    const { droplets, databaseWriters } = this.outputs;
    if (databaseWriters.length < 2) return { ready: true, text: "" };
    const names = droplets.filter(({ roles }) => roles.includes("database")).map(({ name }) => name);
    const views = await Promise.all(hosts.filter(({ name }) => names.includes(name)).map(groupMembers));
    const online = views.map((view = []) => view.filter(({ state }) => state === "ONLINE").length);
    const most = Math.max(0, ...online);
    const ready = online.length === names.length && online.every((count) => count === names.length);
    return { ready, text: `${most} of ${names.length} database members ONLINE` };
  }

  /** As npm run status shows it right after this. */
  async #watched(): Promise<{ ready: boolean; text: string }> {
    const { api, stack } = this.session;
    if (api === undefined) return { ready: true, text: "" };
    const status = await readStatus({ stack, api, datadog: undefined, isSandbox: true });
    return describeWatched(
      status,
      this.outputs.droplets.map(({ name }) => name),
    );
  }

  async #site(): Promise<{ ready: boolean; text: string }> {
    const { home, api } = this.session;
    const site: Site | undefined = api && (await findSite(home, api, this.outputs));
    if (site === undefined) return { ready: false, text: "the load balancer is not published yet" };
    const answer = await askSite(site);
    if (typeof answer === "string") return { ready: false, text: `the site: ${answer}` };
    return { ready: answer === 200, text: `the site answers ${answer}` };
  }
}
