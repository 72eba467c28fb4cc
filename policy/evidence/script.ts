/**
 * The effects of a shell script on a host, from its text: the files that it writes from its own text, the files that
 * it writes or changes in another way, the packages that it installs, and code that it downloads.
 *
 * Every command counts, even if it would not run: a script is checked for everything that it may do.
 */
import { parseShell, type ShellCommand, type ShellWord } from "../parsers/shell";
import type { FileMode, HostContent } from "./content";

/** Collects the effects on a host, command by command. */
export interface HostDraft {
  readonly files: Map<string, string>;
  readonly unreadableFiles: Map<string, string>;
  readonly modes: Map<string, FileMode>;
  readonly packages: Set<string>;
  readonly words: Set<string>;
  readonly unknownCommands: Set<string>;
}

export function emptyDraft(): HostDraft {
  return {
    files: new Map(),
    unreadableFiles: new Map(),
    modes: new Map(),
    packages: new Set(),
    words: new Set(),
    unknownCommands: new Set(),
  };
}

export function contentOfDraft(draft: HostDraft): HostContent {
  return { ...draft, packages: [...draft.packages], unknownCommands: [...draft.unknownCommands] };
}

/** Maximum nesting of scripts within scripts. */
const maxDepth = 4;

/** Adds the effects of a script, unless its first line names an interpreter that is not a shell. */
export function addScript(draft: HostDraft, text: string, depth = 0): void {
  for (const word of wordsOf(text)) draft.words.add(word);
  const interpreter = /^\s*#![ \t]*(\S+)(?:[ \t]+(\S+))?/.exec(text);
  const program = interpreter?.[1]?.endsWith("/env") ? interpreter[2] : interpreter?.[1];
  if (program !== undefined && !/(^|\/)(ba|da|a|k|z)?sh$/.test(program)) {
    draft.unknownCommands.add("a program that is not a shell script");
    return;
  }
  new ScriptReader(draft, depth).read(text);
}

/** The words of a text, in the form in which the rules compare them with names of programs and packages. */
export function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().split(/[^a-z0-9._+-]+/);
}

/** An octal mode, or a symbolic mode that removes every right of other users; undefined for any other mode. */
function modeOf(text: string): string | undefined {
  if (/^[0-7]{3,4}$/.test(text)) return text;
  return /(^|,)(g?o|og|go|a)(=|-rwx|-r)(,|$)/.test(text) ? "0640" : undefined;
}

/** Words that can precede the name of a command. */
const prefixes = new Set(
  "sudo env exec time nohup then do else elif if while until ! { command nice ionice setsid eatmydata".split(
    " ",
  ),
);
const shells = /^(?:.*\/)?(?:ba|da|a|k|z)?sh$/;
const interpreters = /^(?:.*\/)?(?:(?:ba|da|a|k|z)?sh|python[\d.]*|perl|ruby|node|php)$/;

/** Known installers that change neither a web server nor a database, such as the one of DigitalOcean's agent. */
const knownInstallers =
  /^https:\/\/(?:repos\.insights\.digitalocean\.com|repos-droplet\.digitalocean\.com|agent\.digitalocean\.com|get\.docker\.com|deb\.nodesource\.com|install\.datadoghq\.com|s3\.amazonaws\.com\/dd-agent|get\.k3s\.io|tailscale\.com)(?:\/|$)/;

const installs: Readonly<Record<string, readonly string[]>> = {
  "apt-get": ["install"],
  apt: ["install"],
  aptitude: ["install"],
  dnf: ["install"],
  yum: ["install", "localinstall"],
  zypper: ["install", "in"],
  apk: ["add"],
};

const fromElsewhere = "a command that runs code from another address";

class ScriptReader {
  /** Files that a command has downloaded. */
  private readonly fetched = new Set<string>();

  constructor(
    private readonly draft: HostDraft,
    private readonly depth: number,
  ) {}

  read(text: string): void {
    for (const command of parseShell(text)) this.readCommand(command);
  }

  private readCommand(command: ShellCommand): void {
    const words = commandWords(command.words);
    const [first, ...args] = words;
    for (const { scripts } of command.words) for (const script of scripts) this.nested(script);
    this.readOutput(command, first?.text ?? "", args);
    if (first === undefined) return;
    const name = first.text.split("/").at(-1) ?? "";
    this.readInstallation(name, args);
    this.readFetch(name, args);
    this.readExecution(command, first, args);
    this.readFileCommand(name, args);
    this.readModes(name, args);
  }

  /** `chmod 600 file`, `chmod go= file`, `install -m 600 source file`. */
  private readModes(name: string, args: readonly ShellWord[]): void {
    const words = args.map(({ text }) => text);
    const flag = words.findIndex((word) => word === "-m" || word.startsWith("--mode"));
    if (name !== "chmod" && (name !== "install" || flag === -1)) return;
    const operands = words.filter((word) => !word.startsWith("-") || /^-[rwxst]/.test(word));
    const mode =
      name === "chmod"
        ? operands[0]
        : (words[flag] ?? "").includes("=")
          ? words[flag]?.split("=")[1]
          : words[flag + 1];
    const permissions = modeOf(mode ?? "");
    const paths = name === "chmod" ? operands.slice(1) : operands.slice(-1);
    for (const path of paths) {
      if (permissions !== undefined && path.startsWith("/"))
        this.draft.modes.set(path, { ...this.draft.modes.get(path), permissions });
    }
  }

  private nested(script: string): void {
    if (this.depth < maxDepth) new ScriptReader(this.draft, this.depth + 1).read(script);
    else this.draft.unknownCommands.add("scripts within scripts");
  }

  private readInstallation(name: string, args: readonly ShellWord[]): void {
    const verbs = installs[name];
    const verb = args.findIndex(({ text }) => verbs?.includes(text));
    if (verb === -1) return;
    for (const { text, known } of args.slice(verb + 1))
      if (known && !text.startsWith("-")) this.draft.packages.add(text);
  }

  private readFetch(name: string, args: readonly ShellWord[]): void {
    if (name !== "curl" && name !== "wget") return;
    const url = urlOf(args);
    const option = name === "curl" ? /^(?:-[a-zA-Z]*o|--output)$/ : /^(?:-[a-zA-Z]*O|--output-document)$/;
    const at = args.findIndex(({ text }) => option.test(text));
    const target = at === -1 ? url.split("/").at(-1) : args[at + 1]?.text;
    if (target === undefined || target === "" || target === "-") return;
    this.unreadable(target, "a command downloads it");
    if (!knownInstallers.test(url)) this.fetched.add(target.replace(/^\.\//, ""));
  }

  private readExecution(command: ShellCommand, first: ShellWord, args: readonly ShellWord[]): void {
    const fetches = ({ words }: ShellCommand) => /^(?:curl|wget)$/.test(commandWords(words)[0]?.text ?? "");
    const source = command.pipedFrom;
    const isInterpreter = interpreters.test(first.text);
    if (
      isInterpreter &&
      source !== undefined &&
      fetches(source) &&
      !knownInstallers.test(urlOf(source.words))
    ) {
      this.draft.unknownCommands.add(fromElsewhere);
    }
    if (isInterpreter || /^(?:eval|source|\.)$/.test(first.text)) {
      for (const { scripts } of args) {
        const parsed = scripts.flatMap((script) => parseShell(script));
        if (parsed.some((one) => fetches(one) && !knownInstallers.test(urlOf(one.words))))
          this.draft.unknownCommands.add(fromElsewhere);
      }
    }
    const script =
      shells.test(first.text) || /^(?:source|\.)$/.test(first.text) ? args.find(isOperand) : first;
    if (script !== undefined && this.fetched.has(script.text.replace(/^\.\//, "")))
      this.draft.unknownCommands.add(fromElsewhere);
    if (/^(?:ansible-pull|chef-client|chef-solo|puppet|salt-call)$/.test(first.text))
      this.draft.unknownCommands.add("a command that lets another system configure the host");
    this.readInner(command, first, args, script);
  }

  /** Scripts passed to a shell: as an argument, as its input, or in a file written before. */
  private readInner(
    command: ShellCommand,
    first: ShellWord,
    args: readonly ShellWord[],
    script: ShellWord | undefined,
  ): void {
    const isShell = shells.test(first.text);
    const flag = args.findIndex(({ text }) => /^-[a-z]*c$/.test(text));
    const inline = isShell && flag !== -1 ? args[flag + 1] : undefined;
    if (inline?.known) this.nested(inline.text);
    if (isShell && args.every((word) => !isOperand(word)) && command.hereDocument !== undefined)
      this.nested(command.hereDocument.text);
    const written = script === undefined || !script.known ? undefined : this.draft.files.get(script.text);
    if (written === undefined || !/^#!/.test(written)) return;
    if (this.depth < maxDepth) addScript(this.draft, written, this.depth + 1);
    else this.draft.unknownCommands.add("scripts within scripts");
  }

  /** Redirections, and tee. */
  private readOutput(command: ShellCommand, first: string, args: readonly ShellWord[]): void {
    const targets = command.writes.map(({ target, append }) => ({ target, append }));
    const name = first.split("/").at(-1) ?? "";
    if (name === "tee") {
      const append = args.some(({ text }) => text === "-a" || text === "--append");
      targets.push(...args.filter(isOperand).map((target) => ({ target, append })));
    }
    if (targets.length === 0) return;
    const text = name === "tee" ? inputOf(command) : outputOf(command, name, args);
    for (const { target, append } of targets) this.write(target, append, text);
  }

  private write(target: ShellWord, append: boolean, text: string | undefined): void {
    const path = target.text;
    if (!path.startsWith("/") || path.startsWith("/dev/")) return;
    if (!target.known || text === undefined) {
      this.unreadable(path, "a command in a script sets its content");
      return;
    }
    if (append && this.draft.unreadableFiles.has(path)) return;
    this.draft.unreadableFiles.delete(path);
    this.draft.files.set(path, append ? (this.draft.files.get(path) ?? "") + text : text);
  }

  /** Commands that change, copy, link or remove the files in their arguments. */
  private readFileCommand(name: string, args: readonly ShellWord[]): void {
    const operands = args.filter(isOperand);
    const last = operands.at(-1);
    if (/^(?:cp|mv|install|ln|rsync)$/.test(name) && last !== undefined && operands.length > 1) {
      const source = operands.at(-2);
      const base = source?.text.split("/").at(-1) ?? "";
      const path =
        last.text.endsWith("/") || this.isDirectory(last.text)
          ? `${last.text.replace(/\/$/, "")}/${base}`
          : last.text;
      const text = source?.known && last.known ? this.draft.files.get(source.text) : undefined;
      if (text === undefined) this.unreadable(path, "a command copies it from a file whose text is unknown");
      else this.draft.files.set(path, text);
    }
    const editsInPlace =
      name === "perl" || name === "sed"
        ? args.some(({ text }) => /^-[a-zA-Z]*i|^--in-place/.test(text))
        : false;
    if (editsInPlace)
      for (const { text } of operands) this.unreadable(text, "a command in a script changes it");
    if (name === "rm") {
      for (const { text, known } of operands) {
        if (!known) continue;
        this.draft.files.delete(text);
        this.draft.unreadableFiles.delete(text);
      }
    }
  }

  private isDirectory(path: string): boolean {
    return (
      [...this.draft.files.keys()].some((other) => other.startsWith(`${path}/`)) ||
      /\/[\w-]+(?:\.d|-enabled|-available)$/.test(path)
    );
  }

  private unreadable(path: string, reason: string): void {
    if (!path.startsWith("/")) return;
    this.draft.files.delete(path);
    this.draft.unreadableFiles.set(path, reason);
  }
}

function isOperand({ text, known }: ShellWord): boolean {
  return !text.startsWith("-") && (text !== "" || !known);
}

function urlOf(words: readonly ShellWord[]): string {
  return words.find(({ text }) => /^https?:\/\//.test(text))?.text ?? "";
}

/**
 * The words of a command without assignments, without `sudo` and its options, and without the shell's keywords before
 * it.
 */
function commandWords(words: readonly ShellWord[]): readonly ShellWord[] {
  let at = 0;
  while (at < words.length) {
    const { text = "" } = words[at] ?? {};
    const isPrefix = prefixes.has(text) || /^\w+=/.test(text) || (at > 0 && text.startsWith("-"));
    if (!isPrefix) break;
    at += 1;
  }
  return words.slice(at);
}

/** The output of cat, echo and printf, if their arguments show it. */
function outputOf(command: ShellCommand, name: string, args: readonly ShellWord[]): string | undefined {
  if (name === "cat") return args.some(({ text }) => text !== "-") ? undefined : inputOf(command);
  if (!args.every(({ known }) => known)) return undefined;
  const texts = args.map(({ text }) => text);
  if (name === "echo") {
    const [flag, ...rest] = texts;
    if (flag === "-n") return rest.join(" ");
    return flag === "-e" || flag === "-ne" ? undefined : `${texts.join(" ")}\n`;
  }
  if (name === "printf") return printed(texts);
  // `> file` without a command, and `: > file`, empty the file.
  return name === "" || name === ":" || name === "true" ? "" : undefined;
}

/** printf with a format that has no conversions, or with `%s` and its arguments. */
function printed([format = "", ...args]: readonly string[]): string | undefined {
  const text = /^(?:%s|%s\\n)$/.test(format)
    ? args.map((arg) => format.replace("%s", () => arg)).join("")
    : format;
  if (text === format && /%/.test(format.replaceAll("%%", ""))) return undefined;
  return text
    .replaceAll("%%", "%")
    .replace(/\\([nt\\])/g, (_, letter: string) => ({ n: "\n", t: "\t" })[letter] ?? "\\");
}

/** The input of a command: a here-document, or the output of the command before the pipe. */
function inputOf(command: ShellCommand): string | undefined {
  if (command.hereDocument !== undefined)
    return command.hereDocument.known ? command.hereDocument.text : undefined;
  const source = command.pipedFrom;
  if (source === undefined) return undefined;
  const [first, ...args] = commandWords(source.words);
  return outputOf(source, first?.text ?? "", args);
}
