/**
 * The effects of a shell script on a host, from its text: the files that it writes from its own text, the files that
 * it writes or changes in another way, the packages that it installs, and code that it downloads.
 *
 * Every command counts, even if it would not run: a script is checked for everything that it may do.
 */
import { parseShell, type ShellCommand } from "../parsers/shell";
import type { ShellWord } from "../parsers/shell-word";
import type { HostDraft } from "./draft";
import { addPasswordCommand } from "./passwords";
import { addCommand, addWords, isComposeText, withoutComments } from "./program-names";
import { copies, copyOperands } from "./script-copies";
import { functionsOf, whyNotUnderstood } from "./script-effects";
import { FetchReader, fromElsewhere, isShell } from "./script-fetch";
import { commandWords, inputOf, isOperand, isQuiet, nameOf, outputOf, readsPrograms } from "./script-words";
import { ShellState } from "./shell-state";
import { commandsOfStartupFile, isCronTable, unknownTable } from "./startup-files";

/** Maximum nesting of scripts within scripts. */
const maxDepth = 4;

/** Adds the effects of a script, unless its first line names an interpreter that is not a shell. */
export function addScript(draft: HostDraft, text: string, depth = 0): void {
  draft.scripts.push(text);
  readScript(draft, text, depth, new ShellState());
}

function readScript(draft: HostDraft, text: string, depth: number, state: ShellState): void {
  const interpreter = /^\s*#![ \t]*(\S+)(?:[ \t]+(\S+))?/.exec(text);
  const program = interpreter?.[1]?.endsWith("/env") ? interpreter[2] : interpreter?.[1];
  if (program === undefined || isShell(program.split("/").at(-1) ?? "")) {
    new ScriptReader(draft, depth, state).read(text);
    return;
  }
  addWords(draft, withoutComments(text));
  draft.unknownCommands.add("a program that is not a shell script");
}

/** An octal mode, or a symbolic mode that removes every right of other users; undefined for any other mode. */
function modeOf(text: string): string | undefined {
  if (/^[0-7]{3,4}$/.test(text)) return text;
  return /(^|,)(g?o|og|go|a)(=|-rwx|-r)(,|$)/.test(text) ? "0640" : undefined;
}

const installs: Readonly<Record<string, readonly string[]>> = {
  "apt-get": ["install"],
  apt: ["install"],
  aptitude: ["install"],
  dnf: ["install"],
  yum: ["install", "localinstall"],
  zypper: ["install", "in"],
  apk: ["add"],
};

class ScriptReader {
  private readonly fetches: FetchReader;
  private functions: ReadonlySet<string> = new Set();
  /** Commands whose output a command reads that is not quiet. */
  private readonly consumed = new Set<ShellCommand>();

  constructor(
    private readonly draft: HostDraft,
    private readonly depth: number,
    private readonly state: ShellState,
  ) {
    this.fetches = new FetchReader(state);
  }

  read(text: string): void {
    const commands = parseShell(text);
    this.state.noteVarying(text);
    this.functions = new Set([...this.functions, ...functionsOf(text)]);
    for (const { pipedFrom, words } of commands)
      if (pipedFrom !== undefined && !isQuiet(words) && nameOf(commandWords(words)[0]) !== "tee")
        this.consumed.add(pipedFrom);
    for (const command of commands) this.readCommand(command);
  }

  private readCommand(command: ShellCommand): void {
    this.state.enter(command);
    const all = this.state.resolved(command.words);
    const words = commandWords(all);
    const [first, ...args] = words;
    this.readNames(command, all, first);
    const { state, functions } = this;
    const input = inputOf(command, state);
    const reason = whyNotUnderstood(command, all, {
      state,
      functions,
      files: this.draft.files,
      input,
      runsKnownInstaller: this.fetches.runsKnownInstaller(command, words),
    });
    if (reason !== undefined) this.draft.unclear.push({ line: command.line, reason, nested: this.depth > 1 });
    this.state.note(words.length === 0 ? all : words);
    const scripts = [...command.words.flatMap((word) => word.scripts), ...command.scripts];
    for (const script of scripts) this.nested(script, this.state);
    this.readOutput(command, first, args);
    for (const path of this.fetches.noteFetches(command, all))
      this.unreadable(path, "a command downloads it");
    if (first === undefined) return;
    const name = nameOf(first);
    this.readInstallation(name, args);
    this.readExecution(command, first, words);
    this.readFileCommand(name, args);
    this.readModes(name, args);
    if (/^(?:chpasswd|passwd|useradd|usermod)$/.test(name))
      addPasswordCommand(this.draft.passwords, name, args, inputOf(command, this.state));
  }

  /** The names of programs in a command that may install or start them. */
  private readNames(command: ShellCommand, words: readonly ShellWord[], first: ShellWord | undefined): void {
    const name = nameOf(first);
    if (!isQuiet(words) || this.consumed.has(command)) addCommand(this.draft, words);
    const targets = command.writes.map(({ target }) => this.state.path(target));
    const isTee = name === "tee";
    if (isTee)
      targets.push(
        ...commandWords(words)
          .slice(1)
          .filter(isOperand)
          .map((word) => this.state.path(word)),
      );
    if (!readsPrograms(name, targets)) return;
    const printed =
      command.hereDocument?.text ??
      (targets.length > 0 ? (isTee ? inputOf : outputOf)(command, this.state) : undefined);
    if (isComposeText(targets, inputOf(command, this.state))) return;
    if (printed !== undefined) addWords(this.draft, withoutComments(printed));
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
    for (const text of paths) {
      const path = this.state.absolute(text);
      if (permissions !== undefined && path !== undefined)
        this.draft.modes.set(path, { ...this.draft.modes.get(path), permissions });
    }
  }

  private nested(script: string, state: ShellState): void {
    if (this.depth < maxDepth) new ScriptReader(this.draft, this.depth + 1, state).read(script);
    else this.draft.unknownCommands.add("scripts within scripts");
  }

  private readInstallation(name: string, args: readonly ShellWord[]): void {
    const verbs = installs[name];
    const verb = args.findIndex(({ text }) => verbs?.includes(text));
    const removal = args.findIndex(({ text }) => /^(?:remove|purge|autoremove|erase)$/.test(text));
    if (verb === -1 || (removal !== -1 && removal < verb)) return;
    for (const { text, known } of args.slice(verb + 1))
      if (known && !text.startsWith("-") && !text.endsWith("-")) this.draft.packages.add(text);
  }

  private readExecution(command: ShellCommand, first: ShellWord, words: readonly ShellWord[]): void {
    const args = words.slice(1);
    const name = nameOf(first);
    if (this.fetches.runsFetched(command, words)) this.draft.unknownCommands.add(fromElsewhere);
    if (/^(?:ansible-pull|chef-client|chef-solo|puppet|salt-call)$/.test(name))
      this.draft.unknownCommands.add("a command that lets another system configure the host");
    const script = isShell(name) || /^(?:source|\.)$/.test(name) ? args.find(isOperand) : first;
    this.readInner(command, name, args, script);
  }

  /** Scripts passed to a shell: as an argument, as its input, or in a file written before. */
  private readInner(
    command: ShellCommand,
    name: string,
    args: readonly ShellWord[],
    script: ShellWord | undefined,
  ): void {
    const runsText = isShell(name) || name === "su" || name === "runuser";
    const flag = args.findIndex(({ text }) => /^-[a-z]*c$|^--command$/.test(text));
    const inline = runsText && flag !== -1 ? args[flag + 1] : undefined;
    if (inline?.known) this.nested(inline.text, this.state.inner());
    if (name === "eval" && args.every(({ known }) => known))
      this.nested(args.map(({ text }) => text).join(" "), this.state);
    if (name === "trap" && args[0]?.known) this.nested(args[0].text, this.state.inner());
    const input = inputOf(command, this.state) ?? command.hereDocument?.text;
    if (
      isShell(name) &&
      inline === undefined &&
      input !== undefined &&
      args.every((word) => !isOperand(word))
    )
      this.nested(input, this.state.inner());
    const path = script === undefined ? undefined : this.state.path(script);
    const written = path === undefined ? undefined : this.draft.files.get(path);
    const isScript =
      written !== undefined && (/^#!/.test(written) || (script !== undefined && nameOf(script) !== name));
    if (!isScript) return;
    const inner = /^(?:source|\.)$/.test(name) ? this.state : this.state.inner();
    if (this.depth < maxDepth) readScript(this.draft, written, this.depth + 1, inner);
    else this.draft.unknownCommands.add("scripts within scripts");
  }

  /** Redirections, and tee. */
  private readOutput(command: ShellCommand, first: ShellWord | undefined, args: readonly ShellWord[]): void {
    const targets = command.writes.map(({ target, append }) => ({ target, append }));
    const isTee = nameOf(first) === "tee";
    if (isTee) {
      const append = args.some(({ text }) => text === "-a" || text === "--append");
      targets.push(...args.filter(isOperand).map((target) => ({ target, append })));
    }
    if (targets.length === 0) return;
    const text = isTee ? inputOf(command, this.state) : outputOf(command, this.state);
    const isOfGroup = command.isGroup && command.words.length === 0;
    const printed = isOfGroup ? undefined : text;
    for (const { target, append } of targets) {
      this.write(target, append, printed);
      if (printed === undefined && isCronTable(this.state.path(target)))
        this.draft.unclear.push({ line: command.line, reason: unknownTable, nested: this.depth > 1 });
    }
  }

  private write(target: ShellWord, append: boolean, text: string | undefined): void {
    const path = this.state.path(target);
    if (path?.startsWith("/dev/")) return;
    if (path === undefined || text === undefined) {
      const begin = path ?? this.state.absolute(this.state.one(target).text);
      if (begin !== undefined) this.unreadable(begin, "a command in a script sets its content");
      return;
    }
    const commands = commandsOfStartupFile(path, text);
    if (commands !== undefined) this.nested(commands, this.state.inner());
    if (append && this.draft.unreadableFiles.has(path)) return;
    this.draft.unreadableFiles.delete(path);
    this.draft.files.set(path, append ? (this.draft.files.get(path) ?? "") + text : text);
  }

  /** Commands that change, copy, link or remove the files in their arguments. */
  private readFileCommand(name: string, args: readonly ShellWord[]): void {
    const operands = args.filter(isOperand);
    if (copies.test(name)) this.readCopy(copyOperands(args));
    const editsInPlace =
      name === "perl" || name === "sed"
        ? args.some(({ text }) => /^-[a-zA-Z]*i|^--in-place/.test(text))
        : false;
    if (editsInPlace) {
      for (const word of operands) {
        const path = this.state.absolute(this.state.one(word).text);
        if (path !== undefined) this.unreadable(path, "a command in a script changes it");
      }
    }
    if (name === "rm") {
      for (const word of operands) {
        const path = this.state.path(word);
        if (path === undefined) continue;
        this.draft.files.delete(path);
        this.draft.unreadableFiles.delete(path);
      }
    }
  }

  private readCopy(operands: readonly ShellWord[]): void {
    const last = operands.at(-1);
    if (last === undefined || operands.length < 2) return;
    const target = this.state.path(last);
    const folder = target ?? this.state.absolute(this.state.one(last).text);
    if (folder === undefined) return;
    const isFolder = operands.length > 2 || last.text.endsWith("/") || this.isDirectory(folder);
    for (const source of operands.slice(0, -1)) {
      const from = this.state.path(source);
      const text = target === undefined || from === undefined ? undefined : this.draft.files.get(from);
      const path = isFolder ? `${folder.replace(/\/$/, "")}/${nameOf(source)}` : folder;
      if (text === undefined) this.unreadable(path, "a command copies it from a file whose text is unknown");
      else this.draft.files.set(path, text);
    }
  }

  private isDirectory(path: string): boolean {
    return (
      [...this.draft.files.keys()].some((other) => other.startsWith(`${path}/`)) ||
      /\/[\w-]+(?:\.d|-enabled|-available)$/.test(path)
    );
  }

  private unreadable(path: string, reason: string): void {
    this.draft.files.delete(path);
    this.draft.unreadableFiles.set(path, reason);
  }
}
