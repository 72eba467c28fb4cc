import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import { ConfigError } from "../config/configError";
import { type LastingSettings, refusedChanges } from "../config/lastingSettings";
import { projectName } from "../config/table";
import { roleTag, siteTag } from "../topology";
import { refusalHook } from "./refusalHook";

export interface SettingsGuardArgs {
  readonly settings: LastingSettings;
  /** The name of the zone that this update may give up. */
  readonly handOver: string | undefined;
  /** True if the database hosts are a replication group. */
  readonly isGroup: boolean;
  /** The zone of the hosts' internal names. */
  readonly internalZone: string;
}

/**
 * Stores the settings that must not change, and refuses an update that changes them, already in the preview.
 *
 * It is a Stash, whose value is in the stack's state, with hooks that receive the old and the new value. Resources
 * that depend on it are not touched if a hook throws, and the state keeps the old value. Everything in a site depends
 * on it. It only refuses while database hosts exist, so that a first update that failed can be corrected.
 */
export function settingsGuard(
  name: string,
  args: SettingsGuardArgs,
  opts: pulumi.ComponentResourceOptions,
): pulumi.Stash {
  const onlySite = refusalHook(`${name}-internal-names-are-free`, () => refuseForeignNames(args, opts));
  const unchanged = refusalHook(`${name}-settings-stay`, async ({ oldInputs }) => {
    const before = (oldInputs as { input?: Partial<LastingSettings> } | undefined)?.input ?? {};
    const hosts = await databaseHosts(before.label ?? args.settings.label, opts);
    const problems = refusedChanges(before, args.settings, args.handOver, hosts, args.isGroup);
    if (problems.length > 0) throw new Error(problems.join("\n"));
  });
  return new pulumi.Stash(
    `${name}-settings`,
    { input: args.settings },
    { ...opts, hooks: { beforeCreate: [onlySite], beforeUpdate: [unchanged] } },
  );
}

/** The sites of each run of a program, by zone. The key is the run's root resource. */
const sitesByRun = new WeakMap<object, Map<string, string>>();

/**
 * Refuses a second site in a zone in the same program. Its hosts would have the names of the first one's.
 *
 * @throws ConfigError
 */
export function checkOnlySite(label: string, domain: string): void {
  const run = pulumi.runtime.getStackResource();
  if (run === undefined) return;
  const sites = sitesByRun.get(run) ?? new Map<string, string>();
  sitesByRun.set(run, sites);
  const first = sites.get(domain);
  if (first !== undefined) {
    throw new ConfigError([
      `${projectName}:domain: expected a separate zone for each site, got ${domain} for ${first} and ${label}. Their hosts would have the same internal names. Set domain to, for example, ${label.toLowerCase()}.${domain}`,
    ]);
  }
  sites.set(domain, label);
}

/**
 * Refuses a new site in a zone where hosts of another one have internal names: both would be called node-1.internal.
 * A zone that the stack creates has none. The site's own hosts can have names if their state has no stored settings.
 */
async function refuseForeignNames(
  { settings, internalZone }: SettingsGuardArgs,
  { parent }: pulumi.ComponentResourceOptions,
): Promise<void> {
  if (settings.createDomain) return;
  const options = parent === undefined ? {} : { parent };
  const [{ zoneFile }, own] = await Promise.all([
    digitalocean.getDomain({ name: settings.domain }, options),
    taggedDroplets(siteTag(settings.label), options),
  ]);
  const addresses = own.map(({ ipv4AddressPrivate }) => ipv4AddressPrivate);
  const foreign = addressRecords(zoneFile).filter(
    ({ name, address }) => name.endsWith(`.${internalZone}`) && !addresses.includes(address),
  );
  if (foreign.length === 0) return;
  const names = [...new Set(foreign.map(({ name }) => name))].sort();
  throw new Error(
    `${projectName}:domain: the zone ${settings.domain} has the internal names of another stack's hosts (${listed(names)}). The hosts of both stacks would have the same names and connect to each other. Give this stack a separate zone, for example: pulumi config set ${projectName}:domain ${settings.label.toLowerCase()}.${settings.domain}. If those hosts no longer exist, delete their records`,
  );
}

/** The numbers of a site's database hosts that exist: 4 for the droplets dev-db-4 and dev-node-4. */
async function databaseHosts(label: string, { parent }: pulumi.ComponentResourceOptions): Promise<number[]> {
  const droplets = await taggedDroplets(roleTag(label, "database"), parent === undefined ? {} : { parent });
  return droplets.map(({ name }) => Number(/\d+$/.exec(name)?.[0] ?? 0));
}

/** The account's droplets with a tag. DigitalOcean compares tags without regard to case. */
async function taggedDroplets(tag: string, options: pulumi.InvokeOptions) {
  const { droplets } = await digitalocean.getDroplets({}, options);
  return droplets.filter(({ tags }) => tags.some((other) => other.toLowerCase() === tag.toLowerCase()));
}

/** The A records in a zone file, which DigitalOcean returns with absolute names: `www.foobar.com. 300 IN A 192.0.2.1`. */
function addressRecords(zoneFile: string): { readonly name: string; readonly address: string }[] {
  return [...zoneFile.matchAll(/^(\S+)\.[ \t]+(?:\d+[ \t]+)?IN[ \t]+A[ \t]+(\S+)/gim)].map(
    ([, name = "", address = ""]) => ({ name: name.toLowerCase(), address }),
  );
}

/** The first names of a list, and the number of the others. */
function listed(names: readonly string[]): string {
  const rest = names.length - 4;
  return rest > 1 ? `${names.slice(0, 4).join(", ")} and ${rest} more` : names.join(", ");
}
