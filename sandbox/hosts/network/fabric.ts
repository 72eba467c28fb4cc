import {
  balancerNamespace,
  clientNamespace,
  dropletNamespace,
  type Instance,
  publicNamespace,
  servicesNamespace,
  vpcNamespace,
} from "../instance";
import type { Droplet, Vpc } from "../world";
import {
  CLIENT_ADDRESS,
  CLIENT_GATEWAY,
  CLIENT_NETWORK,
  DNS_ADDRESS,
  METADATA_ADDRESS,
  rangeOf,
  SPACES_ADDRESS,
  toText,
} from "./addresses";
import { addNamespace, deleteNamespace, ip, namespaceExists, runIn } from "./namespace";

/**
 * The provider's network. One router namespace joins all public addresses, and one for each VPC joins its private
 * ones. VPCs share no namespace, so they can only reach each other through the public side, even if their ranges
 * overlap.
 *
 * A separate cable (a veth pair) connects each host to the router. The host keeps DigitalOcean's netmask, and the
 * router answers ARP for all other hosts (proxy_arp). So every packet between two hosts of one network is routed, and
 * the router's nftables see it with connection tracking. Strict reverse path filtering restricts a host to its own
 * address.
 */
const ROUTER = {
  "net.ipv4.ip_forward": 1,
  "net.ipv4.conf.all.rp_filter": 1,
  "net.ipv4.conf.default.rp_filter": 1,
  "net.ipv4.conf.default.proxy_arp": 1,
  "net.ipv4.conf.all.send_redirects": 0,
  "net.ipv4.conf.default.send_redirects": 0,
};

/** A cable from a namespace to a router. */
export interface Cable {
  readonly router: string;
  /** The name of the router's end, which the firewall's rules use. */
  readonly port: string;
  readonly namespace: string;
  readonly device: string;
  readonly mac: string;
  readonly address: string;
}

/** The router's end of a droplet's cable; the same name in the public router and in the VPC's. */
export const dropletPort = (dropletId: number): string => `d${dropletId}`;
export const balancerPort = (balancerId: string): string => `b${balancerId.slice(0, 8)}`;

/** A locally administered address that the droplet keeps forever. */
export function macOf(dropletId: number, kind: "public" | "private"): string {
  const bytes = [24, 16, 8, 0].map((shift) =>
    (Math.floor(dropletId / 2 ** shift) % 256).toString(16).padStart(2, "0"),
  );
  return ["02", kind === "public" ? "0a" : "0b", ...bytes].join(":");
}

/** Creates the public router, the services' and the client's namespaces if they are absent. */
export async function ensurePublicNetwork(instance: Instance): Promise<void> {
  const router = publicNamespace(instance);
  if (!(await namespaceExists(router))) {
    await addNamespace(router, ROUTER);
    await ip(router, [`addr add ${CLIENT_GATEWAY}/32 dev lo`]);
  }
  const services = servicesNamespace(instance);
  if (!(await namespaceExists(services))) {
    await addNamespace(services);
    const cable = { router, port: "services", namespace: services, device: "eth0", mac: "02:0c:00:00:00:35" };
    await plug({ ...cable, address: DNS_ADDRESS });
    await ip(services, [`addr add ${DNS_ADDRESS}/32 dev eth0`, `addr add ${METADATA_ADDRESS}/32 dev lo`]);
    await ip(services, ["link set eth0 up", "route add default dev eth0"]);
    await ip(router, [`route add ${METADATA_ADDRESS}/32 dev services`]);
    await ip(router, [`neigh add ${METADATA_ADDRESS} lladdr ${cable.mac} dev services nud permanent`]);
    await ip(services, [`addr add ${SPACES_ADDRESS}/32 dev eth0`]);
    await ip(router, [`route add ${SPACES_ADDRESS}/32 dev services`]);
    await ip(router, [`neigh add ${SPACES_ADDRESS} lladdr ${cable.mac} dev services nud permanent`]);
  }
  const client = clientNamespace(instance);
  if (!(await namespaceExists(client))) {
    await addNamespace(client);
    await plug({
      router,
      port: "client",
      namespace: client,
      device: "eth0",
      mac: "02:0c:00:00:00:0a",
      address: CLIENT_ADDRESS,
    });
    await ip(client, [
      `addr add ${CLIENT_ADDRESS}/24 dev eth0`,
      "link set eth0 up",
      `route add default via ${CLIENT_GATEWAY}`,
    ]);
    // A test can assign more addresses of its network to the client.
    await ip(router, [`route add ${CLIENT_NETWORK} dev client`]);
  }
}

/** Creates a VPC's router if it is absent. */
export async function ensureVpc(instance: Instance, vpc: Vpc): Promise<void> {
  const router = vpcNamespace(instance, vpc.id);
  if (await namespaceExists(router)) return;
  await addNamespace(router, ROUTER);
  await ip(router, [`addr add ${toText(rangeOf(vpc.ip_range).first + 1)}/32 dev lo`]);
}

/** Creates a cable: the namespace's end has the name and MAC, the router gets a route and a fixed neighbour. */
export async function plug({ router, port, namespace, device, mac, address }: Cable): Promise<void> {
  await runIn(router, "ip", [
    "link",
    "add",
    port,
    "type",
    "veth",
    "peer",
    "name",
    device,
    "address",
    mac,
    "netns",
    namespace,
  ]);
  // By default, proxy ARP waits up to 0.8 s for the owner's answer. Here no other machine can answer.
  await runIn(router, "sysctl", ["-qw", `net.ipv4.neigh.${port}.proxy_delay=0`]);
  await ip(router, [
    `link set ${port} up`,
    `route replace ${address}/32 dev ${port}`,
    `neigh replace ${address} lladdr ${mac} dev ${port} nud permanent`,
  ]);
}

/** Recreates a droplet's namespace with its interfaces, so that rules and addresses from an old one are removed. */
export async function plugDroplet(instance: Instance, droplet: Droplet): Promise<string> {
  const namespace = dropletNamespace(instance, droplet.id);
  await deleteNamespace(namespace);
  await addNamespace(namespace, { "net.ipv6.conf.default.disable_ipv6": 0 });
  const port = dropletPort(droplet.id);
  if (droplet.public) {
    const router = publicNamespace(instance);
    await ensureGateway(router, droplet.public.gateway);
    const mac = macOf(droplet.id, "public");
    await plug({ router, port, namespace, device: "eth0", mac, address: droplet.public.ip_address });
  }
  if (droplet.private) {
    const router = vpcNamespace(instance, droplet.vpcId);
    const mac = macOf(droplet.id, "private");
    await plug({ router, port, namespace, device: "eth1", mac, address: droplet.private.ip_address });
  }
  return namespace;
}

/** The gateway's address belongs to the router, so that a host can reach and ping it. */
async function ensureGateway(router: string, gateway: string): Promise<void> {
  await ip(router, [`addr replace ${gateway}/32 dev lo`]);
}

/** Creates a load balancer's namespace, between the public router and its VPC, unless it exists. */
export async function plugBalancer(
  instance: Instance,
  balancer: { id: string; ip: string; vpcId: string; privateAddress: string },
): Promise<string> {
  const namespace = balancerNamespace(instance, balancer.id);
  if (await namespaceExists(namespace)) return namespace;
  await addNamespace(namespace);
  const port = balancerPort(balancer.id);
  const id = balancer.id.replaceAll("-", "").slice(0, 8).match(/../g)?.join(":") ?? "00:00:00:00";
  const [publicRouter, vpcRouter] = [publicNamespace(instance), vpcNamespace(instance, balancer.vpcId)];
  const { ip: address, privateAddress } = balancer;
  await plug({ router: publicRouter, port, namespace, device: "eth0", mac: `02:0d:${id}`, address });
  await plug({
    router: vpcRouter,
    port,
    namespace,
    device: "eth1",
    mac: `02:0e:${id}`,
    address: privateAddress,
  });
  return namespace;
}

/** Assigns the addresses to a load balancer's interfaces. On a host, cloud-init does this. */
export async function addressBalancer(
  namespace: string,
  publicAddress: string,
  privateAddress: string,
  vpcRange: string,
): Promise<void> {
  await ip(namespace, [
    `addr replace ${publicAddress}/32 dev eth0`,
    `addr replace ${privateAddress}/32 dev eth1`,
    "link set eth0 up",
    "link set eth1 up",
    "route replace default dev eth0",
    `route replace ${vpcRange} dev eth1 src ${privateAddress}`,
  ]);
}
