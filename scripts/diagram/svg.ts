/**
 * A drawing as SVG: light and dark, with a description for screen readers, and the same bytes for the same drawing.
 */
import { type Drawing, fontSizes, type Label, type Line, type Shape } from "./drawing";

// Every colour is written out in both schemes, because some renderers do not support custom properties.
const light = `
.sheet { fill: #ffffff }
text { fill: #0f172a }
.muted-text { fill: #475569 }
.wall-title-text, .wall-text, .open-text { fill: #991b1b }
.verified-text { fill: #166534 }
.encrypted-text { fill: #854d0e }
.card { fill: #ffffff; stroke: #94a3b8 }
.host { fill: #eff6ff; stroke: #3b82f6 }
.network { fill: #f8fafc; stroke: #94a3b8 }
.wall { fill: #fee2e2; stroke: #dc2626 }
.verified { fill: #dcfce7; stroke: #16a34a }
.encrypted { fill: #fef9c3; stroke: #ca8a04 }
.open { fill: #fee2e2; stroke: #dc2626 }
.bricks { fill: none; stroke: #fecaca }
.traffic { stroke: #334155 }
.watch { stroke: #64748b }
.head { fill: #334155 }`;
const dark = `
.sheet { fill: #0d1117 }
text { fill: #e6edf3 }
.muted-text { fill: #a3b1c2 }
.wall-title-text, .wall-text, .open-text { fill: #fecaca }
.verified-text { fill: #86efac }
.encrypted-text { fill: #fde68a }
.card { fill: #161b22; stroke: #64748b }
.host { fill: #10213a; stroke: #3b82f6 }
.network { fill: #11161d; stroke: #64748b }
.wall { fill: #3b1319; stroke: #f87171 }
.verified { fill: #0c2d1b; stroke: #22c55e }
.encrypted { fill: #322608; stroke: #eab308 }
.open { fill: #3b1319; stroke: #f87171 }
.bricks { fill: none; stroke: #54202a }
.traffic { stroke: #cbd5e1 }
.watch { stroke: #94a3b8 }
.head { fill: #cbd5e1 }`;
const shared = `
text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; text-anchor: middle }
.start { text-anchor: start }
.title-text, .wall-title-text { font-weight: 600 }
.network { stroke-dasharray: 6 4 }
.traffic, .watch { fill: none; stroke-width: 1.6 }
.watch { stroke-dasharray: 2 4 }`;

/** The drawing as the text of an SVG file. */
export function svgOf(drawing: Drawing): string {
  const { width, height, title, description } = drawing;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title desc">`,
    `<title id="title">${escaped(title)}</title>`,
    `<desc id="desc">${escaped(description)}</desc>`,
    `<style>${shared}${light}\n@media (prefers-color-scheme: dark) {${dark}\n}\n</style>`,
    '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto-start-reverse"><path class="head" d="M0 0L8 4L0 8z"/></marker>',
    '<pattern id="bricks" width="32" height="24" patternUnits="userSpaceOnUse"><path class="bricks" d="M0 0H32M0 12H32M8 0V12M24 12V24"/></pattern>',
    `<rect class="sheet" width="${width}" height="${height}" rx="12"/>`,
    ...drawing.frames.map(shape),
    ...drawing.lines.map(line),
    ...drawing.cards.map(shape),
    ...drawing.labels.map(label),
    "</svg>\n",
  ].join("\n");
}

function shape({ kind, rect: { x, y, width, height } }: Shape): string {
  const radius = kind === "wall" ? 2 : 8;
  const place = `x="${x}" y="${y}" width="${width}" height="${height}" rx="${radius}"`;
  const bricks = kind === "wall" ? `<rect fill="url(#bricks)" ${place}/>` : "";
  return `<rect class="${kind}" ${place}/>${bricks}`;
}

function line({ kind, points, arrow }: Line): string {
  const path = points.map(([x, y], index) => `${index === 0 ? "M" : "L"}${x} ${y}`).join("");
  const start = arrow === "both" ? ' marker-start="url(#head)"' : "";
  const end = arrow === "none" ? "" : ' marker-end="url(#head)"';
  return `<path class="${kind}" d="${path}"${start}${end}/>`;
}

/** The baseline is a third of the size below the middle. dominant-baseline differs between renderers. */
function label({ kind, text, anchor, at: [x, y] }: Label): string {
  const size = fontSizes[kind];
  return `<text class="${kind}-text${anchor === "start" ? " start" : ""}" x="${x}" y="${y + Math.round(size * 0.35)}" font-size="${size}">${escaped(text)}</text>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
