/** Code that a script takes from another address and runs. */
import type { ShellCommand } from "../parsers/shell";
import { parseShell } from "../parsers/shell";
import type { ShellWord } from "../parsers/shell-word";
import { commandWords, isOperand, nameOf } from "./script-words";
import type { ShellState } from "./shell-state";

export const fromElsewhere = "a command that runs code from another address";

/**
 * Known installers and programs that change neither a web server nor a database, such as DigitalOcean's agent, Docker
 * Compose and kubectl.
 */
const knownInstallers =
  /^https:\/\/(?:repos\.insights\.digitalocean\.com|repos-droplet\.digitalocean\.com|agent\.digitalocean\.com|get\.docker\.com|download\.docker\.com|deb\.nodesource\.com|install\.datadoghq\.com|s3\.amazonaws\.com\/dd-agent|get\.k3s\.io|tailscale\.com|dl\.k8s\.io|get\.helm\.sh|releases\.hashicorp\.com|github\.com\/(?:docker\/compose|digitalocean\/doctl|mikefarah\/yq|helm\/helm|kubernetes\/[\w-]+)\/releases)(?:\/|$)/;

const shells = /^(?:ba|da|a|k|z|fi)?sh$/;
const interpreters = /^(?:(?:ba|da|a|k|z|fi)?sh|python[\d.]*|perl|ruby|node|php|deno|bun|lua)$/;
const builders = /^(?:make|gmake|ansible-playbook|docker-compose)$/;

export const isShell = (name: string): boolean => shells.test(name);

/** A command that prints or stores something from another address. */
interface Fetch {
  readonly known: boolean;
  /** Files or folders that it writes. */
  readonly targets: readonly (string | undefined)[];
}

function urlOf(words: readonly ShellWord[]): string {
  return words.find(({ text }) => /^["']?https?:\/\//.test(text))?.text ?? "";
}

/** The fetch of a command; undefined if it fetches nothing. */
function fetchOf(words: readonly ShellWord[], state: ShellState): Fetch | undefined {
  const [first, ...args] = commandWords(words);
  const name = nameOf(first);
  const operands = args.filter(isOperand);
  const last = operands.at(-1);
  const lastPath = last === undefined ? undefined : state.path(last);
  const verbs = operands.map(({ text }) => text);
  if (/^(?:curl|wget|aria2c|fetch)$/.test(name)) {
    const url = urlOf(args);
    return { known: knownInstallers.test(url), targets: downloads(name, args, url, state) };
  }
  if (name === "git" && (verbs.includes("clone") || verbs.includes("pull") || verbs.includes("fetch"))) {
    const at = verbs.indexOf("clone");
    const [source, folder] =
      at === -1 ? [] : operands.slice(at + 1).filter(({ text }) => !/^\d+$/.test(text));
    const named = folder ?? source;
    const path =
      folder === undefined
        ? state.absolute(
            (named?.text ?? "")
              .replace(/\/$/, "")
              .split(/[/:]/)
              .at(-1)
              ?.replace(/\.git$/, "") ?? "",
          )
        : state.path(folder);
    return { known: false, targets: at === -1 ? [state.absolute(".")] : [path] };
  }
  if (/^(?:hg|svn|gh)$/.test(name) && verbs.some((verb) => /^(?:clone|checkout|co|export)$/.test(verb))) {
    const base = /:\/\/|^[\w-]+\/[\w.-]+$/.test(last?.text ?? "") ? last?.text.split("/").at(-1) : undefined;
    return { known: false, targets: [base === undefined ? lastPath : state.absolute(base)] };
  }
  const isRemote = args.some(({ text }) =>
    /^(?:s3|gs|spaces):\/\/|^[\w.@-]+:(?!\/\/)[\w~./-]|^[\w-]+:[\w-]+\//.test(text),
  );
  if (/^(?:scp|rsync|sftp|rclone|s3cmd|gsutil|aws|mc|doctl)$/.test(name) && isRemote)
    return { known: false, targets: last?.text === "-" ? [] : [lastPath] };
  return undefined;
}

function downloads(
  name: string,
  args: readonly ShellWord[],
  url: string,
  state: ShellState,
): readonly (string | undefined)[] {
  const option =
    name === "curl" ? /^(?:-[a-zA-Z]*o|--output)$/ : /^(?:-[a-zA-Z]*O|--output-document|-o|--out)$/;
  const at = args.findIndex(({ text }) => option.test(text));
  const joined = args.find(
    ({ text }) =>
      /^(?:--output(?:-document)?=|-[oO](?=[./\w]))/.test(text) && text !== "-O" && !/^-O\w*$/.test(text),
  );
  const folder = args.findIndex(({ text }) => /^(?:-P|--directory-prefix|--output-dir|-d|--dir)$/.test(text));
  const base =
    url
      .replace(/[?#].*$/, "")
      .split("/")
      .at(-1) ?? "";
  const isDefault = name !== "curl" || args.some(({ text }) => /^-[a-zA-Z]*O$|^--remote-name/.test(text));
  const target = at !== -1 ? args[at + 1] : undefined;
  if (target !== undefined) return target.text === "-" ? [] : [state.path(target)];
  if (joined !== undefined)
    return [state.absolute(joined.text.replace(/^(?:--output(?:-document)?=|-[oO])/, ""))];
  if (!isDefault || base === "") return [];
  const directory = name !== "curl" && folder !== -1 ? args[folder + 1] : undefined;
  return [state.absolute(directory === undefined ? base : `${directory.text.replace(/\/$/, "")}/${base}`)];
}

/** Follows what a script fetches, and whether it runs any of it. */
export class FetchReader {
  constructor(private readonly state: ShellState) {}

  /** Notes the files that a command fetches. Returns the files whose text is then unknown. */
  noteFetches(command: ShellCommand, words: readonly ShellWord[]): readonly string[] {
    const own = fetchOf(words, this.state);
    const source = own ?? this.fetchBefore(command);
    if (source === undefined) return this.noteUnpacked(words);
    const outputs = [
      ...command.writes.map(({ target }) => this.state.path(target)),
      ...(nameOf(commandWords(words)[0]) === "tee"
        ? commandWords(words)
            .slice(1)
            .filter(isOperand)
            .map((word) => this.state.path(word))
        : []),
      ...(own?.targets ?? []),
    ];
    for (const path of outputs)
      if (source.known) this.state.noteTrusted(path);
      else this.state.noteFetched(path);
    return outputs.flatMap((path) => path ?? []);
  }

  /** Archives: what is unpacked from a fetched file is fetched. Copies too. */
  private noteUnpacked(words: readonly ShellWord[]): readonly string[] {
    const [first, ...args] = commandWords(words);
    const name = nameOf(first);
    const operands = args.filter(isOperand);
    const last = operands.at(-1);
    if (
      !operands
        .slice(0, Math.max(1, operands.length - 1))
        .some((word) => this.state.isFetched(this.state.path(word)))
    )
      return [];
    if (/^(?:cp|mv|install|ln|rsync)$/.test(name) && last !== undefined) {
      const target = this.state.path(last);
      for (const source of operands.slice(0, -1)) {
        this.state.noteFetched(target);
        if (target !== undefined) this.state.noteFetched(`${target}/${nameOf(source)}`);
      }
    }
    if (/^(?:tar|bsdtar|unzip|7z|gunzip|unxz|bunzip2|dpkg-deb)$/.test(name)) {
      const at = args.findIndex(({ text }) => /^(?:-[a-zA-Z]*C|--directory|-d)$/.test(text));
      const folder = at === -1 ? undefined : args[at + 1];
      this.state.noteFetched(folder === undefined ? this.state.absolute(".") : this.state.path(folder));
    }
    return [];
  }

  /** The fetch at the start of a pipe: `curl ... | gunzip | sh`. */
  private fetchBefore(command: ShellCommand): Fetch | undefined {
    for (let source = command.pipedFrom; source !== undefined; source = source.pipedFrom) {
      const found = fetchOf(this.state.resolved(source.words), this.state);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** True if a command runs the code of a known installer: from a pipe, a substitution or a file. */
  runsKnownInstaller(command: ShellCommand, words: readonly ShellWord[]): boolean {
    const [first, ...args] = words;
    if (first === undefined) return false;
    if (this.fetchBefore(command)?.known === true) return true;
    const inner = args.flatMap(({ scripts }) => scripts).flatMap((script) => parseShell(script));
    const fetches = inner.map(({ words: own }) => fetchOf(this.state.resolved(own), this.state));
    if (fetches.length > 0 && fetches.every((found) => found?.known === true)) return true;
    const isInterpreter = interpreters.test(nameOf(first));
    const program = isInterpreter ? args.find(isOperand) : first;
    return program !== undefined && this.state.isTrusted(this.state.path(program));
  }

  /** True if a command runs code that the script has fetched from an unknown address. */
  runsFetched(command: ShellCommand, words: readonly ShellWord[]): boolean {
    const [first, ...args] = words;
    if (first === undefined) return false;
    const name = nameOf(first);
    const isInterpreter = interpreters.test(name);
    if (isInterpreter && this.fetchBefore(command)?.known === false) return true;
    if (isInterpreter && command.reads.some((word) => this.state.isFetched(this.state.path(word))))
      return true;
    if (isInterpreter || /^(?:eval|source|\.)$/.test(name)) {
      const fetches = args
        .flatMap(({ scripts }) => scripts)
        .flatMap((script) => parseShell(script))
        .map(({ words: inner }) => fetchOf(this.state.resolved(inner), this.state));
      if (fetches.some((found) => found?.known === false)) return true;
    }
    const operands = args.filter(isOperand);
    const isFetched = (word: ShellWord | undefined) =>
      word !== undefined &&
      (this.state.isFetched(this.state.path(word)) ||
        (word.text !== "" && this.state.isFetched(this.state.absolute(word.text))));
    if (isInterpreter || /^(?:source|\.)$/.test(name)) return isFetched(operands[0]);
    if (builders.test(name) || (name === "docker" && operands[0]?.text === "compose"))
      return this.state.isInFetched() || args.some(isFetched);
    if (/^(?:dpkg|rpm)$/.test(name) && args.some(({ text }) => /^-[iUF]|^--install/.test(text)))
      return operands.some(isFetched);
    if (/^(?:apt|apt-get|dnf|yum)$/.test(name))
      return operands.some((word) => /\.(?:deb|rpm)$/.test(word.text) && isFetched(word));
    if (first.text.includes("/")) return isFetched(first);
    return ["/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/bin", "/usr/sbin"].some(
      (folder) => name !== "" && this.state.isFetched(`${folder}/${name}`),
    );
  }
}
