/** Parts that the readers of different services share. */
import { isLoopback } from "../../evidence/addresses";
import { isMapping, type Mapping } from "../../evidence/config-merge";

export interface ServiceProblem {
  readonly path: string;
  readonly line?: number;
  readonly problem: string;
  readonly fix: string;
}

export interface Line {
  readonly number: number;
  readonly words: readonly string[];
}

export type Files = ReadonlyMap<string, string>;
export type Reader = (path: string, text: string, files: Files) => readonly ServiceProblem[];

export const isLocal = (address: string) =>
  isLoopback(address.replace(/^\[|\]$/g, "")) || address.startsWith("/");

/** The words of each line, without comments. */
export function linesOf(text: string, separator = /\s+/): readonly Line[] {
  return text.split("\n").flatMap((line, index) => {
    const content = line.replace(/(^|\s)#.*$/, "").trim();
    return content === "" ? [] : [{ number: index + 1, words: content.split(separator) }];
  });
}

/** The last line that sets a name; its value is in the words after the first. */
export const settingOf = (lines: readonly Line[], name: string) =>
  lines.filter(({ words }) => words[0]?.toLowerCase() === name).at(-1);
export const textOf = (line: Line | undefined) =>
  (line?.words.slice(1).join(" ") ?? "").replace(/^["']|["']$/g, "").trim();

export const part = (value: unknown): Mapping | undefined => (isMapping(value) ? value : undefined);
