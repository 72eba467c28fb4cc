/** A marked request and a marked row on their way through the infrastructure, and which hops show the mark. */
import { randomBytes } from "node:crypto";
import type { Hop as Place } from "../../../sandbox/hosts/operate";
import { waitFor } from "../../waitFor";
import { hostsWithout } from "../checkers/replicated";
import type { World } from "../world/world";
import type { WorldHost } from "../world/worldHost";
import type { AgentHop } from "./agent";
import { Capture, contains, type Segment } from "./capture";

export const HOPS = [
  "client - load balancer",
  "load balancer - web",
  "web - database",
  "database - database",
  "agent - internet",
] as const;
export type HopName = (typeof HOPS)[number];

export interface Seen {
  /** Bytes that TCP carried. */
  readonly bytes: number;
  readonly marked: boolean;
}

/** What a capture of every hop saw, in a stack with separated roles. */
export type OnTheWire = Readonly<Record<HopName, Seen>>;

/**
 * Captures every hop while a client sends marked requests (header, query, path, body; at least one through every web
 * host) until the rows are on every database host, and the log line of one at the agent's intake.
 *
 * @param origin where the client goes, e.g. "https://www.foobar.com"
 */
export async function passMarked(world: World, origin: string, agent?: AgentHop): Promise<OnTheWire> {
  const mark = `mark${randomBytes(12).toString("hex")}`;
  const { load_balancers } = await world.account.call<{ load_balancers: { id: string }[] }>(
    "GET",
    "load_balancers",
  );
  const capture = await Capture.start(world.instance, placesOf(world, load_balancers[0]?.id ?? ""));
  let packets: ReadonlyMap<string, readonly Segment[]>;
  try {
    await sendMarked(world, origin, mark);
    if (agent) await logMarked(world, origin, mark, agent);
  } finally {
    packets = await capture.stop();
  }
  return Object.fromEntries(
    HOPS.map((hop) => {
      const list = segmentsOf(world, hop, packets);
      const bytes = list.reduce((sum, { payload }) => sum + payload.length, 0);
      return [hop, { bytes, marked: contains(list, mark) }];
    }),
  ) as Record<HopName, Seen>;
}

function placesOf(world: World, balancerId: string): ReadonlyMap<string, Place> {
  const places: [string, Place][] = [
    ["client", { at: "client" }],
    ["balancer", { at: "balancer", balancerId, side: "private" }],
  ];
  for (const { name, identity } of world.hosts) {
    for (const side of ["public", "private"] as const) {
      places.push([`${name} ${side}`, { at: "droplet", dropletId: identity.dropletId, side }]);
    }
  }
  return new Map(places);
}

async function sendMarked(world: World, origin: string, mark: string): Promise<void> {
  const left = new Set(world.hostsWith("web").map(({ identity }) => identity.dropletName));
  const send = async () => {
    const text = `${mark} ${randomBytes(4).toString("hex")}`;
    const args = ["--header", `X-Mark: ${mark}`, "--json", JSON.stringify({ text })];
    const answer = await world.client.curl(`${origin}/api/notes?mark=${mark}`, args);
    if (answer.status !== 201)
      throw new Error(`${answer.status} ${answer.error} ${answer.body.slice(0, 200)}`);
    const without = await hostsWithout(text, world.hostsWith("database"));
    if (without.length > 0) throw new Error(`the row is not on ${without.join(", ")}`);
    left.delete((JSON.parse(answer.body) as { servedBy: string }).servedBy);
    return left.size === 0;
  };
  await waitFor("a marked row through every web host", send, { within: 90 });
  const page = await world.client.curl(`${origin}/`);
  if (!page.body.includes(mark)) throw new Error(`the page does not show the marked row: ${page.status}`);
}

/** A page that is not there: nginx logs its path, and the agent sends the log. */
async function logMarked(world: World, origin: string, mark: string, agent: AgentHop): Promise<void> {
  const { status } = await world.client.curl(`${origin}/${mark}`);
  if (status !== 404) throw new Error(`a page that is not there: ${status}`);
  await waitFor("the marked line at the intake", async () => agent.has(mark), { within: 60 });
}

function segmentsOf(
  world: World,
  hop: HopName,
  packets: ReadonlyMap<string, readonly Segment[]>,
): readonly Segment[] {
  const at = (place: string) => packets.get(place) ?? [];
  const of = (hosts: readonly WorldHost[], side: string) =>
    hosts.flatMap(({ name }) => at(`${name} ${side}`));
  const between = (list: readonly Segment[], port: number, isEnd: (address: string) => boolean) =>
    list.filter(
      ({ from, to }) => [from, to].some((end) => end.endsWith(`:${port}`)) && (isEnd(from) || isEnd(to)),
    );
  const isAt = (addresses: readonly string[]) => (end: string) => addresses.includes(end.split(":")[0] ?? "");
  const [web, database] = [world.hostsWith("web"), world.hostsWith("database")];
  const databases = isAt(database.map(({ privateIp }) => privateIp));
  switch (hop) {
    case "client - load balancer":
      return at("client").filter(({ from, to }) => [from, to].some(isAt([world.loadBalancerIp])));
    case "load balancer - web":
      return between(at("balancer"), 443, isAt(web.map(({ privateIp }) => privateIp)));
    case "web - database":
      return between(of(web, "private"), 3306, databases);
    case "database - database":
      return of(database, "private").filter(({ from, to }) => databases(from) && databases(to));
    case "agent - internet":
      return of(world.hosts, "public");
  }
}
