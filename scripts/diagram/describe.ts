import type { Architecture, Hop } from "./architecture";

/** The picture in words, for screen readers. */
export function describe(architecture: Architecture): {
  readonly title: string;
  readonly description: string;
} {
  const { name, hosts, clientHop, webHop, databaseHop, replicationHop } = architecture;
  const hop = (way: string, { what, how }: Hop) => `${way}: ${what}, ${how}.`;
  const firewalls = [
    architecture.clientFirewall,
    architecture.webFirewall,
    architecture.databaseFirewall,
    architecture.operatorFirewall,
  ].flatMap((firewall) => (firewall ? [`${firewall.between}, ${firewall.ports} ${firewall.source}`] : []));
  return {
    title: `Architecture of ${name}`,
    description: [
      hop("Clients to load balancer", clientHop),
      hop("Load balancer to web", webHop),
      hop("Web to database", databaseHop),
      hop("Between database hosts", replicationHop),
      `Firewalls: ${firewalls.join("; ")}.`,
      `Hosts: ${hosts.map((host) => host.name).join(", ")}.`,
    ].join(" "),
  };
}
