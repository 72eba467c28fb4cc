/** A drawing: rectangles, lines and texts, with sizes that fit any font. */
import { textWidth } from "./textWidth";

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export type Point = readonly [x: number, y: number];

/** A row of text in a card. `kind` is a class of the style sheet. */
export interface TextRow {
  readonly text: string;
  readonly kind: "title" | "text" | "muted" | "wall-title" | "wall" | "verified" | "encrypted" | "open";
}

/** A text that is centred on `at` or starts there. It must fit in `within`. */
export interface Label extends TextRow {
  readonly anchor: "middle" | "start";
  readonly at: Point;
  readonly within: Rect;
}

export interface Shape {
  readonly rect: Rect;
  readonly kind: "card" | "host" | "network" | "wall" | "verified" | "encrypted" | "open";
}

export interface Line {
  readonly points: readonly Point[];
  readonly kind: "traffic" | "watch";
  readonly arrow: "none" | "end" | "both";
}

export interface Drawing {
  readonly title: string;
  readonly description: string;
  readonly width: number;
  readonly height: number;
  /** In painting order: frames, then lines, then the parts on top of them. */
  readonly frames: readonly Shape[];
  readonly lines: readonly Line[];
  readonly cards: readonly Shape[];
  readonly labels: readonly Label[];
}

export const fontSizes: Readonly<Record<TextRow["kind"], number>> = {
  title: 16,
  text: 14,
  muted: 14,
  "wall-title": 14,
  wall: 14,
  verified: 14,
  encrypted: 14,
  open: 14,
};

const rowHeight = 20;
const padding = { x: 10, y: 8 };

/** The size of a card with these rows of text, in any font. */
export function cardSize(rows: readonly TextRow[]): { readonly width: number; readonly height: number } {
  const widest = Math.max(0, ...rows.map(({ text, kind }) => textWidth(text, fontSizes[kind])));
  return { width: widest + (widest % 2) + 2 * padding.x, height: rows.length * rowHeight + 2 * padding.y };
}

/** The labels of rows of text, one below the other in the middle of a rectangle. */
export function labelsIn(within: Rect, rows: readonly TextRow[]): Label[] {
  const top = within.y + (within.height - rows.length * rowHeight) / 2;
  return rows.map((row, index) => ({
    ...row,
    anchor: "middle",
    within,
    at: [within.x + within.width / 2, top + (index + 0.5) * rowHeight],
  }));
}

/** Wraps a text at its spaces, so that each row is at most as wide as `width`. */
export function wrapped(text: string, kind: TextRow["kind"], width: number): TextRow[] {
  const rows: string[] = [];
  for (const word of text.split(" ")) {
    const longer = `${rows.at(-1)} ${word}`;
    if (rows.length > 0 && textWidth(longer, fontSizes[kind]) <= width - 2 * padding.x)
      rows[rows.length - 1] = longer;
    else rows.push(word);
  }
  return rows.map((row) => ({ text: row, kind }));
}

/** The texts that do not fit their boxes, as sentences; empty if the drawing fits in any font. */
export function misfits({ width, height, labels }: Drawing): string[] {
  const boxes = labels.map((label) => ({ label, box: boxOf(label) }));
  const sheet: Rect = { x: 0, y: 0, width, height };
  return boxes.flatMap(({ label, box }, index) => [
    ...(contains(label.within, box) ? [] : [`"${label.text}" does not fit its box`]),
    ...(contains(sheet, label.within) ? [] : [`the box of "${label.text}" does not fit the picture`]),
    ...boxes
      .slice(index + 1)
      .filter((other) => overlap(box, other.box))
      .map((other) => `"${label.text}" and "${other.label.text}" overlap`),
  ]);
}

/** The largest rectangle that a label can fill. */
function boxOf({ text, kind, at: [x, y], anchor }: Label): Rect {
  const width = textWidth(text, fontSizes[kind]);
  return { x: anchor === "start" ? x : x - width / 2, y: y - rowHeight / 2, width, height: rowHeight };
}

function contains(outer: Rect, inner: Rect): boolean {
  return (
    outer.x <= inner.x &&
    outer.y <= inner.y &&
    outer.x + outer.width >= inner.x + inner.width &&
    outer.y + outer.height >= inner.y + inner.height
  );
}

function overlap(one: Rect, other: Rect): boolean {
  return (
    one.x < other.x + other.width &&
    other.x < one.x + one.width &&
    one.y < other.y + other.height &&
    other.y < one.y + one.height
  );
}
