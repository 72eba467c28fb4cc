import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const FOLDER = "etc/systemd/system/cloud-final.service.d";
const FILE = "90-sandbox-package-delay.conf";
/** On the host's disk: its packages are installed. */
const INSTALLED = "/var/lib/cloud/sandbox-packages-installed";

/**
 * Makes a host's packages take time, as a real droplet's do: cloud-init's final stage, which installs packages and runs
 * scripts, starts this much later. This happens once on each disk, so a reboot and a snapshot of the host are fast. It
 * writes to the host's disk (`upper`) while it is not mounted.
 */
export async function writePackageDelay(upper: string, seconds: number): Promise<void> {
  const folder = join(upper, FOLDER);
  await rm(join(folder, FILE), { force: true });
  if (seconds === 0) return;
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, FILE),
    `[Service]
ExecStartPre=/bin/sh -c 'test -e ${INSTALLED} || { sleep ${seconds} && touch ${INSTALLED}; }'
`,
  );
}

const VARIABLE = "DIGITALOCEAN_SANDBOX_PACKAGE_SECONDS";

/** The seconds that packages take on a new host: the variable, or 0. Throws if it is not a whole number. */
export function packageSeconds(env: NodeJS.ProcessEnv = process.env): number {
  const text = env[VARIABLE] || "0";
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new Error(`${VARIABLE}: expected a whole number of seconds, got "${text}"`);
}
