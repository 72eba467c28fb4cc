/**
 * The position of each part of the architecture. A request flows from top to bottom. A firewall is a wall across its
 * path, and an allowed hop is a gate in the wall. The parts that monitor the hosts are next to them.
 */
import type { Architecture, Firewall, Hop, Host } from "./architecture";
import { cardRows, gateRows, hostRows, nameHeight, type Rows, rowsWidth, wallRows } from "./cards";
import { describe } from "./describe";
import {
  cardSize,
  type Drawing,
  type Label,
  type Line,
  labelsIn,
  type Point,
  type Rect,
  type Shape,
} from "./drawing";

const margin = 24;
const gap = { small: 12, medium: 24, large: 40 };
const wallHeight = 44;
/** The strip at the top of the VPC with its name. */
const networkHeight = 32;
const sideWidth = 236;

const right = ({ x, width }: Pick<Rect, "x" | "width">) => x + width;
const bottom = ({ y, height }: Rect) => y + height;
const at = (x: number, y: number): Point => [x, y];
const centreX = ({ x, width }: Rect) => x + width / 2;
const centreY = ({ y, height }: Rect) => y + height / 2;
const lowest = (rects: readonly Rect[]) => Math.max(...rects.map(bottom));

/** The picture of an architecture. */
export function layout(architecture: Architecture): Drawing {
  return new Layout(architecture).draw();
}

class Layout {
  private readonly frames: Shape[] = [];
  private readonly lines: Line[] = [];
  private readonly cards: Shape[] = [];
  private readonly labels: Label[] = [];
  private readonly web: readonly Host[];
  private readonly databases: readonly Host[];
  private readonly hostWidth: number;
  /** The area of the hosts; the walls are a little wider. */
  private readonly region: { readonly x: number; readonly width: number };
  private readonly middle: number;
  /** The heights of the lines from agents to the right. */
  private readonly reporting: number[] = [];

  constructor(private readonly architecture: Architecture) {
    const { hosts, clients, uptime, dns } = architecture;
    this.web = hosts.filter(({ web }) => web.length > 0);
    this.databases = hosts.filter(({ web, database }) => web.length === 0 && database.length > 0);
    const parts = hosts.flatMap((host) => Object.values(hostRows).map((rows) => rowsWidth(rows(host))));
    this.hostWidth = Math.max(...parts) + 2 * gap.small;
    const mostHosts = Math.max(this.web.length, this.databases.length);
    const aside = [uptime, dns].flatMap((note) => (note ? cardRows(note) : []));
    const width = Math.max(
      mostHosts * (this.hostWidth + gap.medium) - gap.medium,
      rowsWidth(cardRows(clients)) + 2 * (rowsWidth(aside) + gap.large),
      ...this.crossings().map(
        ([hop, wall]) => rowsWidth(gateRows(hop)) + 2 * Math.max(...wallRows(wall).map(rowsWidth)),
      ),
    );
    this.region = { x: margin + gap.medium, width: width + (width % 2) };
    this.middle = this.region.x + this.region.width / 2;
  }

  draw(): Drawing {
    const { clientHop, clientFirewall, balancer, webHop, webFirewall, hosts } = this.architecture;
    const clients = this.drawOutside();
    const outside = lowest(this.cards.map(({ rect }) => rect));
    const outerGate = this.crossing(outside + gap.medium, clientHop, clientFirewall);
    this.down(bottom(clients), outerGate.y, "none");
    const balancerCard = this.card(bottom(outerGate) + gap.medium, "card", cardRows(balancer));
    this.down(bottom(outerGate), balancerCard.y, "end");

    const top = bottom(balancerCard) + gap.medium;
    const gate = this.crossing(top + networkHeight, webHop, webFirewall);
    this.down(bottom(balancerCard), gate.y, "none");
    const isConverged = hosts.some(({ web, database }) => web.length > 0 && database.length > 0);
    const hostsTop = bottom(gate) + gap.large;
    const end = this.drawOperators(
      isConverged ? this.drawConverged(gate, hostsTop) : this.drawSeparated(gate, hostsTop),
    );
    const vpc = { x: margin, y: top, width: this.region.width + 2 * gap.medium, height: end - top };
    this.drawNetwork(vpc);
    this.drawBeside(balancerCard, vpc);
    const all = [vpc, ...this.cards.map(({ rect }) => rect)];
    const width = Math.max(...all.map(right)) + margin;
    const { frames, lines, cards, labels } = this;
    return {
      ...describe(this.architecture),
      width,
      height: lowest(all) + margin,
      frames,
      lines,
      cards,
      labels,
    };
  }

  private crossings(): readonly (readonly [Hop, Firewall])[] {
    const all = this.architecture;
    const pairs = [
      [all.clientHop, all.clientFirewall],
      [all.webHop, all.webFirewall],
      [all.databaseHop, all.databaseFirewall],
      [all.operatorHop, all.operatorFirewall],
    ] as const;
    return pairs.flatMap(([hop, wall]) => (wall ? [[hop, wall] as const] : []));
  }

  /** Clients in the middle, the uptime check on the left, the zone on the right. */
  private drawOutside(): Rect {
    const { clients, uptime, dns } = this.architecture;
    const card = this.card(margin, "card", cardRows(clients));
    const y = centreY(card);
    if (dns) {
      const rows = cardRows(dns);
      const size = cardSize(rows);
      const zone = this.put({ ...size, x: right(this.region) - size.width, y: margin }, "card", rows);
      this.watch(at(right(card), y), at(zone.x, y));
    }
    if (uptime) {
      const rows = cardRows(uptime);
      const check = this.put({ ...cardSize(rows), x: this.region.x, y: margin }, "card", rows);
      const bus = lowest(this.cards.map(({ rect }) => rect)) + gap.small;
      const x = centreX(check);
      this.join("none", at(x, bottom(check)), at(x, bus), at(this.middle, bus));
    }
    return card;
  }

  /** Hosts with both roles: the web and the database part in one frame, the wall between them. */
  private drawConverged(gate: Rect, y: number): number {
    const { databaseHop, databaseFirewall } = this.architecture;
    const frames = this.row(this.web, y);
    const web = this.parts(this.web, frames, y + nameHeight, hostRows.web);
    const wall = this.crossing(lowest(web) + gap.large, databaseHop, databaseFirewall);
    const database = this.parts(this.web, frames, bottom(wall) + gap.large, hostRows.database);
    const end = this.drawReplication(database);
    const agents = this.parts(this.web, frames, end + gap.small, hostRows.agent);
    this.fan(gate, frames);
    this.merge(web, wall);
    this.fan(wall, database);
    this.report(agents);
    return this.frame(this.web, frames, Math.max(end, lowest(agents)) + gap.small) + gap.medium;
  }

  /** Web hosts above the wall, database hosts below it. */
  private drawSeparated(gate: Rect, y: number): number {
    const { databaseHop, databaseFirewall } = this.architecture;
    const web = this.tier(this.web, y, hostRows.web);
    const wall = this.crossing(lowest(web) + gap.large, databaseHop, databaseFirewall);
    const database = this.tier(this.databases, bottom(wall) + gap.large, hostRows.database);
    this.fan(gate, web);
    this.merge(web, wall);
    this.fan(wall, database);
    return this.drawReplication(database) + gap.medium;
  }

  private tier(hosts: readonly Host[], y: number, rows: (host: Host) => Rows): Rect[] {
    const frames = this.row(hosts, y);
    const parts = this.parts(hosts, frames, y + nameHeight, rows);
    const agents = this.parts(hosts, frames, lowest(parts) + gap.small, hostRows.agent);
    this.report(agents);
    const end = this.frame(hosts, frames, lowest([...parts, ...agents]) + gap.small);
    return frames.map((frame) => ({ ...frame, height: end - frame.y }));
  }

  /** The positions of hosts next to each other; their height is set later. */
  private row(hosts: readonly Host[], y: number): Rect[] {
    const step = this.hostWidth + gap.medium;
    const x = Math.round(this.middle - (hosts.length * step - gap.medium) / 2);
    return hosts.map((_, index) => ({ x: x + index * step, y, width: this.hostWidth, height: 0 }));
  }

  /** One card in each host's frame, all at the same height. */
  private parts(
    hosts: readonly Host[],
    frames: readonly Rect[],
    y: number,
    rows: (host: Host) => Rows,
  ): Rect[] {
    return hosts.flatMap((host, index) => {
      const frame = frames[index];
      const own = rows(host);
      if (!frame || own.length === 0) return [];
      const { height } = cardSize(own);
      return [
        this.put({ x: frame.x + gap.small, y, width: frame.width - 2 * gap.small, height }, "card", own),
      ];
    });
  }

  private frame(hosts: readonly Host[], frames: readonly Rect[], end: number): number {
    for (const [index, frame] of frames.entries()) {
      this.frames.push({ rect: { ...frame, height: end - frame.y }, kind: "host" });
      const name = hosts.slice(index, index + 1).flatMap(hostRows.name);
      this.labels.push(...labelsIn({ ...frame, height: nameHeight }, name));
    }
    return end;
  }

  /** The traffic between members: a bus below them. Returns the y of its lower end. */
  private drawReplication(members: readonly Rect[]): number {
    const end = lowest(members);
    if (members.length < 2) return end;
    const hop = this.architecture.replicationHop;
    const gate = this.card(end + gap.medium, hop.protection, gateRows(hop));
    const bus = centreY(gate);
    for (const x of members.map(centreX)) this.join("end", at(this.middle, bus), at(x, bus), at(x, end));
    return bottom(gate);
  }

  /** The agents' lines go right, where drawBeside continues them. */
  private report([first]: readonly Rect[]): void {
    if (!first) return;
    const y = centreY(first);
    this.reporting.push(y);
    this.join("none", at(centreX(first), y), at(right(this.region) + gap.medium, y));
  }

  /** SSH from below, if a firewall allows it. Returns the y of the VPC's lower end. */
  private drawOperators(y: number): number {
    const { operatorFirewall, operatorHop, operators } = this.architecture;
    if (!operatorFirewall) return y;
    const gate = this.crossing(y, operatorHop, operatorFirewall);
    this.join("end", at(this.middle, gate.y), at(this.middle, y - gap.medium));
    const end = bottom(gate) + gap.medium;
    const card = this.card(end + gap.medium, "card", cardRows(operators));
    this.down(bottom(gate), card.y, "none");
    return end;
  }

  private drawNetwork(vpc: Rect): void {
    this.frames.unshift({ rect: vpc, kind: "network" });
    this.labels.push({
      text: this.architecture.network,
      kind: "muted",
      anchor: "start",
      at: [this.region.x, vpc.y + networkHeight / 2],
      within: { ...this.region, y: vpc.y, height: networkHeight },
    });
  }

  /** The parts that monitor and equip the hosts, on the right. */
  private drawBeside(balancer: Rect, vpc: Rect): void {
    const { balancerAlerts, hostAlerts, authority, agents } = this.architecture;
    const x = right(vpc) + gap.large;
    let free = balancer.y;
    const next = (rows: Rows, from: number, kind: Shape["kind"] = "card"): Rect => {
      const card = this.put(
        { x, y: Math.max(free, from), width: sideWidth, height: cardSize(rows).height },
        kind,
        rows,
      );
      free = bottom(card) + gap.medium;
      return card;
    };
    const watch = (card: Rect, to: number) => this.watch(at(x, centreY(card)), at(to, centreY(card)));
    if (balancerAlerts) watch(next(cardRows(balancerAlerts, sideWidth), balancer.y), right(balancer));
    if (hostAlerts) watch(next(cardRows(hostAlerts, sideWidth), vpc.y + gap.medium), right(vpc));
    if (authority) watch(next(cardRows(authority, sideWidth), 0), right(vpc));
    if (agents) {
      const rows = cardRows(agents, sideWidth);
      const average = this.reporting.reduce((sum, y) => sum + y, 0) / this.reporting.length;
      const card = next(rows, Math.round(average - cardSize(rows).height / 2));
      const turn = right(vpc) + gap.medium;
      const to = centreY(card);
      for (const from of this.reporting) {
        this.join("end", at(right(vpc), from), at(turn, from), at(turn, to), at(x, to));
      }
    }
  }

  /** From a gate to each of the parts below it. */
  private fan(gate: Rect, parts: readonly Rect[]): void {
    for (const part of parts) {
      const bus = Math.round((bottom(gate) + part.y) / 2);
      const x = centreX(part);
      this.join("end", at(this.middle, bottom(gate)), at(this.middle, bus), at(x, bus), at(x, part.y));
    }
  }

  /** From each of the parts to the gate below them. */
  private merge(parts: readonly Rect[], gate: Rect): void {
    for (const part of parts) {
      const bus = Math.round((bottom(part) + gate.y) / 2);
      const x = centreX(part);
      this.join("none", at(x, bottom(part)), at(x, bus), at(this.middle, bus), at(this.middle, gate.y));
    }
  }

  /** A gate, in a wall if there is a firewall. */
  private crossing(y: number, hop: Hop, wall: Firewall | undefined): Rect {
    const gate = this.card(y, hop.protection, gateRows(hop));
    if (!wall) return gate;
    const [name, opening] = wallRows(wall);
    const x = this.region.x - gap.small;
    const side = { y: y + (gate.height - wallHeight) / 2, width: gate.x - x, height: wallHeight };
    this.put({ ...side, x }, "wall", name);
    this.put({ ...side, x: right(gate) }, "wall", opening);
    return gate;
  }

  /** A card in the middle of the region, as large as its text requires. */
  private card(y: number, kind: Shape["kind"], rows: Rows): Rect {
    const { width, height } = cardSize(rows);
    return this.put({ x: this.middle - width / 2, y, width, height }, kind, rows);
  }

  private put(rect: Rect, kind: Shape["kind"], rows: Rows): Rect {
    this.cards.push({ rect, kind });
    this.labels.push(...labelsIn(rect, rows));
    return rect;
  }

  private down(from: number, to: number, arrow: Line["arrow"]): void {
    this.join(arrow, at(this.middle, from), at(this.middle, to));
  }

  private join(arrow: Line["arrow"], ...points: Point[]): void {
    this.lines.push({ points, arrow, kind: "traffic" });
  }

  /** From a part that monitors or equips another to that part. */
  private watch(from: Point, to: Point): void {
    this.lines.push({ points: [from, to], arrow: "end", kind: "watch" });
  }
}
