/** Commands that are harmless unless their arguments name a file or a port of a service. */
import type { ShellWord } from "../parsers/shell-word";
import { isServicePath } from "./known-commands";
import type { ShellState } from "./shell-state";

/** Arguments by which a command that is otherwise harmless changes a service. */
export function changesService(name: string, args: readonly ShellWord[], state: ShellState): boolean {
  const texts = args.map(({ text }) => text);
  const isSensitive = (word: ShellWord | undefined) =>
    word !== undefined && isServicePath(state.path(word) ?? state.one(word).text);
  if (name === "mount") return args.some(isSensitive);
  if (/^ip6?tables$/.test(name)) return texts.some((text) => text === "REDIRECT" || text === "DNAT");
  if (name === "nft") return texts.some((text) => /redirect|dnat/.test(text));
  if (name === "nc") return texts.some((text) => /^-\w*l/.test(text));
  if (name === "truncate") return args.some(isSensitive);
  return /^(?:openssl|gpg|sort|jq|xxd|certtool|ssh-keygen)$/.test(name)
    ? args.some(
        (word, at) =>
          (/^(?:-o|-out|--output|--outfile|-f)$/.test(texts[at - 1] ?? "") && isSensitive(word)) ||
          isServicePath(/^--(?:output|outfile)=(.*)$/.exec(word.text)?.[1] ?? ""),
      )
    : false;
}
