/** Commands that copy, move or link files: their operands, and what makes their effect unknown. */
import { type ShellWord, wordOf } from "../parsers/shell-word";
import { harmlessFolder, isServicePath } from "./known-commands";
import { isOperand } from "./script-words";
import type { ShellState } from "./shell-state";

export const copies = /^(?:cp|mv|install|ln|rsync)$/;

/** The sources, then the target, which is a folder after `-t` and `--target-directory`. */
export function copyOperands(args: readonly ShellWord[]): readonly ShellWord[] {
  const at = args.findIndex(({ text }) => /^(?:-[a-zA-Z]*t|--target-directory)$/.test(text));
  const target = at === -1 ? undefined : args[at + 1];
  if (target !== undefined)
    return [...args.filter((word, index) => isOperand(word) && index !== at + 1), inFolder(target)];
  const joined = args.find(({ text }) => text.startsWith("--target-directory="));
  const operands = args.filter(isOperand);
  if (joined === undefined) return operands;
  const [first, ...rest] = joined.parts;
  const text = first?.kind === "text" ? first.text.replace("--target-directory=", "") : "";
  return [...operands, inFolder(wordOf([{ kind: "text", text }, ...rest], joined.raw))];
}

const inFolder = ({ parts, raw, scripts }: ShellWord) =>
  wordOf([...parts, { kind: "text", text: "/" }], raw, scripts);

/** Folders with the programs and the settings of the whole host. */
const systemFolder = /^\/(?:(?:etc|usr|lib|bin|sbin|boot|var)(?:\/(?:local|lib|share|s?bin))?)?$/;
/** Places from which the host runs code by itself, or finds programs. */
const codePath =
  /^\/etc\/(?:cron|systemd|init\.d|rc\.|profile|ld\.so|sudoers)|^\/(?:usr\/)?(?:local\/)?s?bin\/|^\/(?:usr\/)?lib\/systemd|^\/var\/spool\/cron/;
/** Folders whose files come from packages. */
const ofPackages = /^\/(?:usr|bin|sbin|lib|snap|opt)\//;

/**
 * The reason why a copy can change a service in an unknown way; undefined if its effect is read. The text of a copied
 * configuration file is read elsewhere.
 */
export function whyCopy(
  name: string,
  args: readonly ShellWord[],
  files: ReadonlyMap<string, string>,
  state: ShellState,
): string | undefined {
  const operands = copyOperands(args);
  const last = operands.at(-1);
  const target = last === undefined ? undefined : state.path(last);
  if (target === undefined || operands.length < 2) return undefined;
  const sources = operands.slice(0, -1);
  const isWhole =
    name === "rsync" ||
    args.some(({ text }) => /^-[a-zA-Z]*[raR]|^--(?:recursive|archive)$/.test(text)) ||
    sources.some(({ known }) => !known);
  const folder = target.replace(/(.)\/$/, "$1");
  if (name !== "ln" && isWhole && !harmlessFolder.test(`${folder}/x`))
    if (systemFolder.test(folder) || isServicePath(`${folder}/x`))
      return "it copies files of unknown text over the files of a service or of the system";
  const isKnown = (source: ShellWord) => {
    const path = state.path(source);
    if (path === undefined) return false;
    return files.has(path) || state.isTrusted(path) || state.isFetched(path) || ofPackages.test(path);
  };
  return codePath.test(`${folder}/`) && !sources.every(isKnown)
    ? "it puts a file of unknown text where the host runs it"
    : undefined;
}
