import { access, readdir } from "node:fs/promises";
import { namespacePath } from "../instance";
import { type RunOptions, run } from "../run";

/** Runs a program inside a network namespace. Throws CommandFailed. */
export function runIn(namespace: string, program: string, args: readonly string[], options?: RunOptions) {
  return run("nsenter", [`--net=${namespacePath(namespace)}`, "--", program, ...args], options);
}

/** Runs `ip` commands, one per line, in one process. The first that fails throws. */
export async function ip(namespace: string, commands: readonly string[]): Promise<void> {
  await runIn(namespace, "ip", ["-batch", "-"], { input: `${commands.join("\n")}\n` });
}

export async function namespaceExists(name: string): Promise<boolean> {
  return access(namespacePath(name)).then(
    () => true,
    () => false,
  );
}

/**
 * Creates a namespace with its loopback up. `sysctls` are set before any interface exists that would inherit others.
 */
export async function addNamespace(
  name: string,
  sysctls: Readonly<Record<string, number>> = {},
): Promise<void> {
  await run("ip", ["netns", "add", name]);
  // IPv6 is not routed between hosts, and its link-local traffic would only appear in captures.
  const settings = { "net.ipv6.conf.default.disable_ipv6": 1, ...sysctls };
  const assignments = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  await runIn(name, "sysctl", ["-qw", ...assignments]);
  await ip(name, ["link set lo up"]);
}

/** Removes a namespace with all its interfaces; does nothing if it does not exist. */
export async function deleteNamespace(name: string): Promise<void> {
  if (!(await namespaceExists(name))) return;
  // A process that started in the meantime may still hold the namespace, so its cables are removed now.
  const links = JSON.parse(await runIn(name, "ip", ["-json", "link", "show"])) as {
    ifname: string;
    link_type: string;
  }[];
  const cables = links
    .filter(({ link_type }) => link_type === "ether")
    .map(({ ifname }) => `link del ${ifname}`);
  if (cables.length > 0) await ip(name, cables).catch(() => {});
  await run("ip", ["netns", "del", name]);
}

/** The namespaces whose names start with an instance's id. */
export async function namespacesOf(instanceId: string): Promise<string[]> {
  const all = await readdir("/run/netns").catch(() => []);
  return all.filter((name) => name.startsWith(`${instanceId}-`));
}
