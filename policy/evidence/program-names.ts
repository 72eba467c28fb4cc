/** The names of programs and packages in commands and files. */
import type { ShellWord } from "../parsers/shell-word";
import { isComposeFile, servicesOf } from "./containers";
import type { HostDraft } from "./draft";

export const withoutComments = (text: string) => text.replace(/^\s*#.*$/gm, "");

/** Adds the words of a text, in the form in which the rules compare them with names of programs and packages. */
export function addWords(draft: HostDraft, text: string): void {
  for (const word of text.toLowerCase().split(/[^a-z0-9._+-]+/)) draft.words.add(word);
}

/** Adds the words of a command, without those that an option switches off: `--disable traefik`. */
export function addCommand(draft: HostDraft, words: readonly ShellWord[]): void {
  for (const texts of [words.map(({ raw }) => raw), words.map(({ text }) => text)])
    addWords(draft, texts.join(" ").replace(/--(?:disable|exclude|without)[= ][\w.-]+/g, ""));
}

/** True if a text is the whole of a compose file, whose services are read from the file. */
export function isComposeText(paths: readonly (string | undefined)[], text: string | undefined): boolean {
  const isCompose = paths.length > 0 && paths.every((path) => path !== undefined && isComposeFile(path));
  return isCompose && text !== undefined && servicesOf(text) !== undefined;
}
