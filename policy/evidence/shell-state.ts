/** The effects of a script on the script itself: values of variables, the working directory, and fetched files. */
import { posix } from "node:path";
import type { ShellCommand } from "../parsers/shell";
import { asOneWord, type ShellWord, withValues, wordOf } from "../parsers/shell-word";

/** cloud-init starts scripts in the root directory. */
const firstDirectory = "/";
const homeDirectory = "/root";

const assignment = /^([A-Za-z_]\w*)(\+?)=/;
const declarations = /^(?:export|readonly|declare|typeset|local)$/;

/** `python3 -m venv folder`, `virtualenv folder`. */
const makesEnvironment = (words: readonly ShellWord[]): boolean =>
  /^(?:\S*\/)?(?:python[\d.]* -m venv|virtualenv)( |$)/.test(words.map(({ text }) => text).join(" "));

interface Place {
  readonly directory: string | undefined;
  readonly variables: Map<string, string>;
}

export class ShellState {
  private variables = new Map<string, string>([["HOME", homeDirectory]]);
  /** Undefined if it is unknown. */
  private directory: string | undefined = firstDirectory;
  private readonly subshells: Place[] = [];
  /** Number of open conditions, loops and functions. */
  private nesting = 0;
  private directoryBefore: string | undefined = firstDirectory;
  private readonly fetched = new Set<string>();
  private readonly trusted = new Set<string>();
  /** Folders of Python's virtual environments. */
  private readonly environments = new Set<string>();

  /** A copy for a script that another shell runs. */
  inner(): ShellState {
    const copy = new ShellState();
    copy.variables = new Map(this.variables);
    copy.directory = this.directory;
    for (const path of this.fetched) copy.fetched.add(path);
    for (const path of this.trusted) copy.trusted.add(path);
    for (const path of this.environments) copy.environments.add(path);
    return copy;
  }

  /** Call it with each command, in order, before its words are resolved. */
  enter({ depth, words }: ShellCommand): void {
    while (this.subshells.length > depth) {
      const outer = this.subshells.pop();
      if (outer !== undefined) [this.directory, this.variables] = [outer.directory, outer.variables];
    }
    while (this.subshells.length < depth) {
      this.subshells.push({ directory: this.directory, variables: this.variables });
      this.variables = new Map(this.variables);
    }
    for (const { text, known } of words) {
      if (!known) break;
      if (/^(?:if|while|until|for|case|select|\{)$/.test(text)) this.open();
      else if (/^(?:fi|done|esac|\})$/.test(text)) this.close();
      else if (!/^(?:then|do|else|elif|!)$/.test(text)) break;
    }
  }

  private open(): void {
    if (this.nesting === 0) this.directoryBefore = this.directory;
    this.nesting += 1;
  }

  private close(): void {
    this.nesting = Math.max(0, this.nesting - 1);
    if (this.nesting === 0 && this.directory !== this.directoryBefore) this.directory = undefined;
  }

  /** The words with the known values of variables. */
  resolved(words: readonly ShellWord[]): readonly ShellWord[] {
    return words.flatMap((word) => withValues(word, this.variables));
  }

  one(word: ShellWord): ShellWord {
    return asOneWord(word, this.variables);
  }

  /** Remembers assignments and changes of the directory. */
  note(words: readonly ShellWord[]): void {
    const [first, ...rest] = words;
    if (first === undefined) return;
    if (declarations.test(first.text)) for (const word of rest) this.assign(word);
    else if (words.every(({ raw }) => assignment.test(raw))) for (const word of words) this.assign(word);
    else if (/^(?:cd|pushd)$/.test(first.text)) this.directory = this.target(rest);
    else if (first.text === "popd") this.directory = undefined;
    else if (/^(?:read|unset|getopts|mapfile|readarray)$/.test(first.text))
      for (const { text } of rest) this.variables.delete(text);
    else if (makesEnvironment(words))
      this.noteEnvironment(rest.filter(({ text }) => !text.startsWith("-")).at(-1));
    else if (first.text === "for" || first.text === "select") this.variables.delete(rest[0]?.text ?? "");
  }

  private noteEnvironment(folder: ShellWord | undefined): void {
    const path = folder === undefined ? undefined : this.path(folder);
    if (path !== undefined) this.environments.add(path);
  }

  /** True for the program pip of a virtual environment that the script has created. */
  isEnvironmentPip(path: string | undefined): boolean {
    const [, folder = "", program = ""] = /^(.+)\/bin\/([^/]+)$/.exec(path ?? "") ?? [];
    return /^pip[\d.]*$/.test(program) && this.environments.has(folder) && !this.isFetched(path);
  }

  private target(args: readonly ShellWord[]): string | undefined {
    const operand = args.find(({ text }) => !/^-[LPe@-]+$/.test(text));
    return operand === undefined ? homeDirectory : this.path(operand);
  }

  private assign(word: ShellWord): void {
    const [prefix = "", name = "", append] = assignment.exec(word.raw) ?? [];
    if (name === "") return;
    const [first, ...rest] = word.parts;
    const text = first?.kind === "text" ? first.text.slice(prefix.length) : "";
    const value = this.one(wordOf([{ kind: "text", text }, ...rest], word.raw));
    const before = this.variables.get(name);
    const after = append === "+" ? (before ?? "") + value.text : value.text;
    const isUnknown = !value.known || (append === "+" && before === undefined);
    // In a condition, the variable can also keep its value.
    const isAmbiguous = this.nesting > 0 && before !== undefined && before !== after;
    if (isUnknown || isAmbiguous) this.variables.delete(name);
    else this.variables.set(name, after);
  }

  /** The absolute path that a word names; undefined if it is unknown. */
  path(word: ShellWord): string | undefined {
    const { text, known } = this.one(word);
    return known ? this.absolute(text) : undefined;
  }

  /** The absolute path of a text; undefined if the working directory is unknown. */
  absolute(text: string): string | undefined {
    if (text === "~" || text.startsWith("~/")) return posix.normalize(`${homeDirectory}${text.slice(1)}`);
    if (text.startsWith("/")) return posix.normalize(text);
    return this.directory === undefined ? undefined : posix.join(this.directory, text);
  }

  /** Remembers a file or a folder whose content comes from another address. */
  noteFetched(path: string | undefined): void {
    if (path !== undefined) this.fetched.add(path.replace(/(.)\/$/, "$1"));
  }

  /** Remembers a file of a known installer. */
  noteTrusted(path: string | undefined): void {
    if (path !== undefined) this.trusted.add(path);
  }

  isTrusted(path: string | undefined): boolean {
    return path !== undefined && this.trusted.has(path);
  }

  /** True if a path is fetched, or in a fetched folder. */
  isFetched(path: string | undefined): boolean {
    if (path === undefined) return false;
    return [...this.fetched].some((one) => path === one || path.startsWith(one === "/" ? one : `${one}/`));
  }

  /** True if commands run in a folder that is fetched. */
  isInFetched(): boolean {
    return this.isFetched(this.directory);
  }
}
