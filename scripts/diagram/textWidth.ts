/**
 * The maximum width of a text. The reader's font is unknown, so this assumes the widest common one: DejaVu Sans Bold
 * (as wide as Verdana Bold). Its advance widths are rounded up here, in hundredths of an em.
 */
const widths: readonly (readonly [number, string])[] = [
  [40, " ',./:;IJ\\ijl|·"],
  [50, "!()-[]_`frt–"],
  [60, '"*?csz'],
  [70, "$0123456789EFLTaekovxy"],
  [75, "CPSYZbdghnpqu{}"],
  [85, "#+<=>ABDGHKNRUVX^~→↔×"],
  [90, "&OQ"],
];
const widest = 115;

const byCharacter = new Map(widths.flatMap(([width, all]) => [...all].map((each) => [each, width] as const)));

/** The maximum width of a text, in the unit of `fontSize`; bold or not. */
export function textWidth(text: string, fontSize: number): number {
  const hundredths = [...text].reduce((sum, each) => sum + (byCharacter.get(each) ?? widest), 0);
  return Math.ceil((hundredths * fontSize) / 100);
}
