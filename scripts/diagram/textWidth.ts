/**
 * How wide a text can get. The reader's font is unknown, so this takes the widest that is common: DejaVu Sans Bold (as
 * wide as Verdana Bold), whose advance widths are rounded up here, in hundredths of an em.
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

/** The width that a text needs at most, in the unit of `fontSize`; bold or not. */
export function textWidth(text: string, fontSize: number): number {
  const hundredths = [...text].reduce((sum, each) => sum + (byCharacter.get(each) ?? widest), 0);
  return Math.ceil((hundredths * fontSize) / 100);
}
