/** How long `npm start` takes, as a user types it. */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openInstance } from "../../../sandbox/hosts/instance";
import { readPublished } from "../../../sandbox/hosts/publish";
import { freePort, rootsFile } from "../../../sandbox/index";
import { homeAt, PROJECT_DIR } from "../../../scripts/home";
import { askSite } from "../../../scripts/hosts/site";
import { waitFor } from "../../waitFor";

const SITE = "www.dev.foobar.com";
const WITHIN_S = 600;

export interface StartFigures {
  /** Until the site has answered 200 through the load balancer. */
  readonly secondsToFirst200: number;
  /** Until the command has seen every member ONLINE, which it ends with. */
  readonly secondsToAllOnline: number;
}

/** Runs it in a home of its own, with warm caches, and removes all of it. */
export async function measureStart(tell: (line: string) => void): Promise<StartFigures> {
  const home = homeAt(join(await mkdtemp(join(tmpdir(), "sw-bench-start-")), "home"));
  const env = {
    ...process.env,
    SECURED_WEB_HOME: home.dir,
    SECURED_WEB_HOSTS: "on",
    SECURED_WEB_API_PORT: String(await freePort()),
  };
  const run = (...args: string[]): ChildProcess =>
    spawn(process.execPath, [join(PROJECT_DIR, "scripts", "run.mjs"), ...args], {
      cwd: PROJECT_DIR,
      env,
      stdio: ["ignore", "ignore", "inherit"],
    });
  try {
    const begin = Date.now();
    const since = () => (Date.now() - begin) / 1000;
    const start = run("start");
    const whole = ended(start).then((code) => {
      if (code !== 0) throw new Error(`npm start ended with ${code}`);
      return since();
    });
    const first200 = waitFor(
      "the first 200",
      async () => {
        if (start.exitCode) throw new Error(`npm start ended with ${start.exitCode}`);
        return (await siteAnswers(home)) && since();
      },
      { within: WITHIN_S, every: 0.1 },
    );
    const [secondsToFirst200, secondsToAllOnline] = await Promise.all([first200, whole]);
    tell(`npm start: first 200 after ${secondsToFirst200} s, all ONLINE after ${secondsToAllOnline} s`);
    return { secondsToFirst200, secondsToAllOnline };
  } finally {
    await ended(run("stop", "--force"));
    await rm(join(home.dir, ".."), { recursive: true, force: true });
  }
}

async function siteAnswers(home: ReturnType<typeof homeAt>): Promise<boolean> {
  const roots = rootsFile(home);
  if (!existsSync(roots)) return false;
  const published = await readPublished(await openInstance(home.hostsDir));
  const port = published.find(({ entryPort }) => entryPort === 443)?.port;
  if (port === undefined) return false;
  return (await askSite({ name: SITE, loadBalancerIp: "", port, roots })) === 200;
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
}
