/** The effects of a script on the script itself: values of variables, the working directory, and fetched files. */
import { posix } from "node:path";
import type { ShellCommand } from "../parsers/shell";
import { asOneWord, type ShellWord, withValues, wordOf } from "../parsers/shell-word";

/** cloud-init starts scripts in the root directory. */
const firstDirectory = "/";
const homeDirectory = "/root";

const assignment = /^([A-Za-z_]\w*)(\+?)=/;
const declarations = /^(?:export|readonly|declare|typeset|local)$/;
const keywords = /^(?:\{|!|then|do|else|elif|if|while|until)$/;
/** Commands that set the variables that they name. */
const setters = "read|unset|getopts|mapfile|readarray|wait";
const setter = new RegExp(`^(?:${setters})$`);
/** These commands in a script, and others that set the variable that they name, with their words. */
const settings = new RegExp(`\\b(?:${setters}|printf -v|for|select)\\b([^;\\n]*)`, "g");

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
  private hasReferences = false;
  private exported = new Set(["HOME"]);
  private exportsAll = false;
  private readonly varying = new Set<string>();
  private directoryBefore: string | undefined = firstDirectory;
  private readonly fetched = new Set<string>();
  private readonly trusted = new Set<string>();
  /** Folders of Python's virtual environments. */
  private readonly environments = new Set<string>();

  /** A copy for a script that another shell runs, which has the exported variables. */
  inner(): ShellState {
    const copy = new ShellState();
    const isPassed = (name: string) => this.exportsAll || this.exported.has(name);
    copy.variables = new Map([...this.variables].filter(([name]) => isPassed(name)));
    copy.exported = new Set(this.exported);
    copy.exportsAll = this.exportsAll;
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

  /**
   * The variables that a script sets more than once. If it has functions or traps, their commands do not run where they
   * are written, so the value of such a variable is unknown in the whole script.
   */
  noteVarying(script: string): void {
    if (!/\(\s*\)|\bfunction\b|\btrap\b/.test(script)) return;
    const set = new Set<string>();
    for (const [, name = ""] of script.matchAll(/(?<![\w$-])([A-Za-z_]\w*)(?:\+?=|\[)/g)) {
      if (set.has(name) || this.variables.has(name)) this.varying.add(name);
      set.add(name);
    }
    for (const [, names = ""] of script.matchAll(settings))
      for (const name of names.match(/[A-Za-z_]\w*/g) ?? []) this.varying.add(name);
    for (const name of this.varying) this.variables.delete(name);
  }

  /** Remembers assignments and changes of the directory. */
  note(command: readonly ShellWord[]): void {
    const begin = command.findIndex(({ text }) => !keywords.test(text));
    const words = begin === -1 ? [] : command.slice(begin);
    const [first, ...rest] = words;
    if (first === undefined) return;
    if (declarations.test(first.text)) this.declare(first.text === "export", rest);
    else if (words.every(({ raw }) => assignment.test(raw))) for (const word of words) this.assign(word);
    else if (first.text === "set")
      this.exportsAll ||= rest.some(({ text }) => /^-\w*a|^allexport$/.test(text));
    else if (/^(?:cd|pushd)$/.test(first.text)) this.directory = this.target(rest);
    else if (first.text === "popd") this.directory = undefined;
    else if (setter.test(first.text)) this.forget(rest);
    else if (first.text === "printf" && rest[0]?.text.startsWith("-v")) this.forget(rest.slice(0, 2));
    else if (makesEnvironment(words))
      this.noteEnvironment(rest.filter(({ text }) => !text.startsWith("-")).at(-1));
    else if (first.text === "for" || first.text === "select") this.variables.delete(rest[0]?.text ?? "");
  }

  /** Another name for a variable (`declare -n`): from then on, an assignment to any name can change any value. */
  private declare(isExport: boolean, words: readonly ShellWord[]): void {
    const options = words.filter(({ text }) => text.startsWith("-")).map(({ text }) => text);
    if (!isExport && options.some((text) => text.includes("n"))) this.hasReferences = true;
    for (const word of words) {
      this.assign(word);
      const [name = ""] = word.raw.split(/\+?=/);
      if (isExport || options.some((text) => text.includes("x"))) this.exported.add(name);
    }
    if (this.hasReferences) this.variables.clear();
  }

  /** The values of the variables that a command sets and that its words name, as a word or at the end of options. */
  private forget(words: readonly ShellWord[]): void {
    if (words.some(({ known }) => !known)) this.variables.clear();
    for (const { text } of words)
      for (const name of this.variables.keys())
        if (text === name || (text.startsWith("-") && text.endsWith(name))) this.variables.delete(name);
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
    if (isUnknown || isAmbiguous || this.hasReferences || this.varying.has(name)) this.variables.delete(name);
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
