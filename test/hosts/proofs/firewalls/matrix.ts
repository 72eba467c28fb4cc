/** Who reaches what, measured: connections from the network of each source to each port of each target. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  balancerNamespace,
  clientNamespace,
  dropletNamespace,
  namespacePath,
} from "../../../../sandbox/hosts/instance";
import { CLIENT_ADDRESS } from "../../../../sandbox/hosts/network/addresses";
import { runIn } from "../../../../sandbox/hosts/network/namespace";
import type { World } from "../../world/world";
import type { WorldHost } from "../../world/worldHost";

const LISTEN = join(__dirname, "listen.cjs");
const PROBE = join(__dirname, "probe.cjs");

/** SSH, HTTP, HTTPS, MySQL, its X protocol, group communication and health, nginx's and HAProxy's status, any other. */
export const PORTS = [
  "22",
  "53",
  "53/udp",
  "80",
  "443",
  "3306",
  "33060",
  "33061",
  "8081",
  "8082",
  "47110",
] as const;
export type Port = (typeof PORTS)[number];

/** A network namespace that connections come from, and which of its addresses, where it has several. */
export interface Source {
  readonly namespace: string;
  readonly from?: string;
}

/** Sources by name; targets by name and address. */
export interface Places {
  readonly sources: Readonly<Record<string, Source>>;
  readonly targets: Readonly<Record<string, string>>;
}

/** By target and port: the sources that get through, in the order of their names. What is not there is closed. */
export type Matrix = Readonly<Record<string, Partial<Record<Port, readonly string[]>>>>;

export const sourceOf = {
  internet: (world: World): Source => ({ namespace: clientNamespace(world.instance) }),
  operators: (world: World, from: string): Source => ({ namespace: clientNamespace(world.instance), from }),
  balancer: (world: World, balancerId: string): Source => ({
    namespace: balancerNamespace(world.instance, balancerId),
  }),
  droplet: (world: World, dropletId: number): Source => ({
    namespace: dropletNamespace(world.instance, dropletId),
  }),
};

/** Measures everything once. A host does not ask itself: its own traffic never leaves it. */
export async function measure(
  { sources, targets }: Places,
  self: Readonly<Record<string, string>>,
): Promise<Matrix> {
  const matrix: Record<string, Partial<Record<Port, string[]>>> = {};
  await Promise.all(
    Object.entries(sources).map(async ([source, { namespace, from }]) => {
      const cells = Object.entries(targets)
        .filter(([target]) => !target.startsWith(`${self[source]} `))
        .flatMap(([target, address]) => PORTS.map((port) => ({ target, address, port })));
      const probes = cells.map(({ address, port }) => ({
        address,
        port: Number.parseInt(port, 10),
        protocol: port.endsWith("/udp") ? "udp" : "tcp",
        from,
      }));
      const answer = await runIn(namespace, process.execPath, [PROBE], { input: JSON.stringify(probes) });
      const isOpen = JSON.parse(answer) as boolean[];
      cells.forEach(({ target, port }, index) => {
        if (!isOpen[index]) return;
        matrix[target] ??= {};
        matrix[target][port] ??= [];
        matrix[target][port].push(source);
      });
    }),
  );
  return sorted(matrix);
}

/** The same matrix in one order of targets, ports and sources: to be compared. */
export function sorted(matrix: Matrix): Matrix {
  const rows = Object.entries(matrix)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([target, ports]): [string, Matrix[string]] => {
      const cells = PORTS.flatMap((port) => (ports[port] ? [[port, [...ports[port]].sort()] as const] : []));
      return [target, Object.fromEntries(cells)];
    });
  return Object.fromEntries(rows);
}

/** Something answers on every port of a host's public and private address from now on. */
export async function listenOn(host: WorldHost): Promise<void> {
  await host.write("/root/listen.cjs", await readFile(LISTEN, "utf8"));
  const what = `${host.privateIp},${host.publicIp} ${tcpPorts()}`;
  await host.run(`systemd-run --quiet --unit=proof-listen /usr/bin/node /root/listen.cjs ${what}`);
}

export async function stopListening(host: WorldHost): Promise<void> {
  await host.run("systemctl stop proof-listen.service; rm -f /root/listen.cjs");
}

/** The same on the client's address, which is the internet for the hosts. Gives what ends it. */
export async function listenOnInternet(world: World): Promise<() => Promise<void>> {
  const into = [`--net=${namespacePath(clientNamespace(world.instance))}`, "--"];
  const child = spawn("nsenter", [...into, process.execPath, LISTEN, CLIENT_ADDRESS, tcpPorts()], {
    stdio: "inherit",
  });
  return async () => {
    const ended = once(child, "close");
    child.kill("SIGTERM");
    await ended;
  };
}

const tcpPorts = (): string => PORTS.filter((port) => !port.endsWith("/udp")).join(",");
