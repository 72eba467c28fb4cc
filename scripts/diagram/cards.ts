/** The rows of text in each kind of card. */
import type { Firewall, Hop, Host, Note } from "./architecture";
import { cardSize, type TextRow, wrapped } from "./drawing";

export type Rows = readonly TextRow[];

export function rowsWidth(rows: Rows): number {
  return cardSize(rows).width;
}

/** The content of a host's frame, from top to bottom. */
export const hostRows = {
  name: ({ name, size }: Host): Rows => [
    { text: name, kind: "title" },
    { text: size, kind: "muted" },
  ],
  web: ({ web, inside }: Host): Rows => [
    ...web.map((text) => ({ text, kind: "text" }) as const),
    ...(inside ? [{ text: inside.how, kind: inside.protection }] : []),
  ],
  database: ({ database }: Host): Rows => database.map((text) => ({ text, kind: "text" })),
  agent: ({ agent }: Host): Rows => (agent ? [{ text: agent, kind: "muted" }] : []),
};

/** The height of a host's name and size. */
export const nameHeight = cardSize([
  { text: "", kind: "title" },
  { text: "", kind: "muted" },
]).height;

/** A hop: the traffic, and its protection. */
export function gateRows({ what, how, protection }: Hop): Rows {
  return [
    { text: what, kind: "text" },
    { text: how, kind: protection },
  ];
}

/** The two sides of a firewall's wall: what it separates, and what it allows. */
export function wallRows({ between, ports, source }: Firewall): readonly [Rows, Rows] {
  return [
    [
      { text: "Firewall", kind: "wall-title" },
      { text: between, kind: "wall" },
    ],
    [
      { text: ports, kind: "wall-title" },
      { text: source, kind: "wall" },
    ],
  ];
}

/** A title and lines of text, wrapped at `width`. */
export function cardRows({ title, lines, hop }: Note, width = Number.POSITIVE_INFINITY): Rows {
  return [
    { text: title, kind: "title" },
    ...lines.flatMap((line) => wrapped(line, "text", width)),
    ...(hop ? gateRows(hop) : []),
  ];
}
