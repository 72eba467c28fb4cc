/**
 * Says whether a statement of a script is understood: known to be harmless, or read by the other parts of this folder.
 * Any other statement could change a web server or a database, so the configuration of its host is unknown.
 */
import type { ShellCommand } from "../parsers/shell";
import type { ShellWord } from "../parsers/shell-word";
import {
  harmless,
  harmlessFolder,
  installVerbs,
  isOwnFolder,
  isServicePath,
  nestedRunners,
  readableConfiguration,
  verbs,
} from "./known-commands";
import { whyClient } from "./script-clients";
import { whyContainers } from "./script-containers";
import { copies, copyOperands, whyCopy } from "./script-copies";
import { runsOtherCode } from "./script-options";
import { commandWords, isOperand, nameOf } from "./script-words";
import { changesService } from "./service-changes";
import type { ShellState } from "./shell-state";
import { isPreload } from "./startup-files";

/** The parts of a script that a statement depends on. */
export interface EffectContext {
  readonly state: ShellState;
  /** Names of the functions that the script defines. Their statements are checked where they are defined. */
  readonly functions: ReadonlySet<string>;
  /** The texts of known files. */
  readonly files: ReadonlyMap<string, string>;
  /** The input of the command, if it is known. */
  readonly input: string | undefined;
  /** True if the command runs the code of a known installer. */
  readonly runsKnownInstaller: boolean;
}

/**
 * The reason why a statement is not understood, as a clause without values from the script; undefined if it is.
 *
 * @param all the words of the command with its prefixes
 */
export function whyNotUnderstood(
  command: ShellCommand,
  all: readonly ShellWord[],
  context: EffectContext,
): string | undefined {
  const { state } = context;
  if (command.isBroken) return "a quote or a parenthesis in it is not closed";
  const target = command.writes.find(({ target: word }) => !isPlainTarget(word, state));
  if (target !== undefined) return "it writes a file whose path is unknown";
  const risky = all.find(({ raw }) =>
    /^(?:LD_PRELOAD|LD_LIBRARY_PATH|BASH_ENV|ENV|IFS|PROMPT_COMMAND)=/.test(raw),
  );
  const isOwnPath = all.some(({ raw }) => /^PATH=/.test(raw) && !systemPath.test(raw));
  if (command.writes.some((one) => isPreload(state.path(one.target))))
    return "it names a library that every program loads";
  const split = all.findIndex((word) => nameOf(word) === "env");
  if (split !== -1 && all.slice(split).some(({ text }) => /^-\w*S|^--split-string/.test(text)))
    return "it runs code that is unknown";
  if (risky !== undefined || isOwnPath) return "it sets a variable that changes what later commands run";
  if (
    all.some(({ text }) => text === "exec") &&
    command.writes.some((one) => redirectsToService(one.target, state))
  )
    return "it sends the output of later commands to a file of a service";
  const [first, ...args] = commandWords(all);
  const last = all.at(-1)?.text;
  // Words of an array, a pattern of case, a part of a test or of arithmetic.
  if (first === undefined || command.isData || last === "]" || last === "]]") return undefined;
  if (/^\w+(?:\+\+|--|[-+*/]?=)/.test(first.raw)) return undefined;
  if (!first.known) return "the name of its command is unknown";
  const name = nameOf(first);
  if (
    all.some((word) => nameOf(word) === "xargs" && word !== first) &&
    !/^(?:echo|grep|kill|ls|rm|wc)$/.test(name)
  )
    return "xargs gives a command arguments that are unknown";
  if (context.functions.has(name) || name === "") return undefined;
  return whyCommand(name, first, args, command, context);
}

/** A search path with only folders of the system and of the user's tools. */
const systemPath =
  /^PATH=["']?(?:(?:\$\{?\w+\}?[\w./-]*|\/(?:usr|bin|sbin|snap|opt|root|home)[\w./-]*)(?::|["']?$))+/;

function redirectsToService(word: ShellWord, state: ShellState): boolean {
  const path = state.path(word);
  return path === undefined ? !word.raw.startsWith(">(") : isServicePath(path);
}

/** True if a redirection's file is known, or certainly belongs to no service. */
function isPlainTarget(word: ShellWord, state: ShellState): boolean {
  // The commands of `>(...)` are read on their own.
  if (state.path(word) !== undefined || word.raw.startsWith(">(")) return true;
  const begin = state.one(word).text;
  return begin.startsWith("/dev/") || isOwnFolder(begin);
}

function whyCommand(
  name: string,
  first: ShellWord,
  args: readonly ShellWord[],
  command: ShellCommand,
  context: EffectContext,
): string | undefined {
  const { state, files, input, runsKnownInstaller } = context;
  if (runsKnownInstaller) return undefined;
  if (runsOtherCode(name, args, state)) return "an option or an operand of it runs other code";
  if (changesService(name, args, state))
    return "it changes a file or a port of a service in a way that is unknown";
  const operands = args.filter(isOperand);
  if (/^(?:cp|mv|install|ln|rsync|rm|unlink|rmdir|shred|sed|perl|patch|dd|unzip|tar|tee|gunzip)$/.test(name))
    return whyFiles(name, args, context);
  const allowed = verbs.get(name);
  if (allowed !== undefined) {
    const texts = operands.map(({ text }) => text);
    const verb = texts.find((text) => allowed.has(text));
    if (verb === undefined) return `${name} does something other than its usual verbs`;
    const isInstall = installVerbs.has(verb);
    if (isInstall && operands.slice(texts.indexOf(verb) + 1).some(({ known }) => !known))
      return "it installs packages whose names are unknown";
    return undefined;
  }
  if (/^(?:mysql|mariadb)$/.test(name)) return whyClient(args, command, context);
  if (name === "psql") {
    const at = args.findIndex(({ text }) => /^-[a-zA-Z]*c$|^--command$/.test(text));
    const text = at === -1 ? input : args[at + 1]?.known ? args[at + 1]?.text : undefined;
    return text !== undefined && !/alter\s+system|copy\s+.*program|\\\\!/i.test(text)
      ? undefined
      : "it gives PostgreSQL statements that are unknown or change the server";
  }
  if (
    /^(?:mysqladmin|mysqldump|mysql_secure_installation|mysql_upgrade|mysql_ssl_rsa_setup|mysql_tzinfo_to_sql|pg_dump|createuser|createdb)$/.test(
      name,
    )
  )
    return undefined;
  if (name === "nginx" || name === "haproxy")
    return args.some(({ text, known }) => !known || /^-[gcfp]/.test(text))
      ? `${name} runs with other settings`
      : undefined;
  if (name === "a2ensite" || name === "a2enconf")
    return operands.length > 0 && operands.every((word) => isKnownOfApache(name, word, files))
      ? undefined
      : "it enables a configuration of Apache whose text is unknown";
  if (name === "docker" || name === "podman" || name === "docker-compose") return whyContainers(args);
  if (name === "find")
    return args.some(({ text }) => /^-(?:exec|execdir|ok|okdir|delete|fprint|fprintf|fls)$/.test(text))
      ? "find runs a command, or removes or writes files"
      : undefined;
  if (/^(?:awk|gawk|mawk)$/.test(name)) {
    const program = operands[0];
    return program?.known && !/system|getline|[|>]/.test(program.text)
      ? undefined
      : "awk runs a program that can write files";
  }
  // These modules of Python take no code from the script.
  if (/^python[\d.]*$/.test(name) && args[0]?.text === "-m" && /^(?:venv|pip)$/.test(args[1]?.text ?? ""))
    return undefined;
  if (name === "crontab")
    return args.some(({ text }) => text === "-l")
      ? undefined
      : "it changes a table of commands that run later";
  if (name === "." || nestedRunners.has(name)) return whyNested(name, args, command, context);
  if (first.text.includes("/")) {
    const path = state.path(first);
    if (path !== undefined && files.has(path)) return undefined;
    if (state.isEnvironmentPip(path)) return undefined;
    if (/^\/(?:usr\/)?(?:local\/)?s?bin\/[\w.-]+$/.test(path ?? "") && harmless.has(name)) return undefined;
    return "it runs a program that is not in the policy's list";
  }
  if (/^mkfs(?:\.\w+)?$/.test(name) || harmless.has(name)) return undefined;
  return "it runs a program that is not in the policy's list";
}

/** True if a file that a2ensite or a2enconf enables is known, so that the other policies read it. */
function isKnownOfApache(
  name: string,
  { text, known }: ShellWord,
  files: ReadonlyMap<string, string>,
): boolean {
  const folder = name === "a2ensite" ? "sites-available" : "conf-available";
  return known && files.has(`/etc/apache2/${folder}/${text.replace(/\.conf$/, "")}.conf`);
}

/** Commands of sed that write a file or run a program, also after an address. */
const sedRuns =
  /(?:^|[;}\s])[weWE]\s|\/[gp\d]*[we]\b|(?:^|[;{}\n])\s*(?:\d+|\$|\/[^/]*\/)(?:,(?:\d+|\$|\/[^/]*\/))?\s*[weWE]\s/;

/** Commands that change files: their paths must be known, or belong to no service. */
function whyFiles(
  name: string,
  args: readonly ShellWord[],
  { state, files }: EffectContext,
): string | undefined {
  const texts = args.map(({ text }) => text);
  const edits =
    name !== "sed" && name !== "perl" ? true : texts.some((text) => /^-[a-zA-Z]*i|^--in-place/.test(text));
  if (name === "perl" && !edits) return "perl runs a program";
  if (name === "perl" || (name === "sed" && args.some(({ text, known }) => !known || sedRuns.test(text))))
    return edits || name === "sed" ? "it changes text in a way that is unknown" : undefined;
  if (!edits) return undefined;
  if (name === "patch") return "it changes files in a way that is unknown";
  const copy = copies.test(name) ? whyCopy(name, args, files, state) : undefined;
  if (copy !== undefined) return copy;
  const operands = copies.test(name) ? copyOperands(args) : args.filter(isOperand);
  const paths = name === "dd" ? operands.filter(({ text }) => text.startsWith("of=")) : operands;
  for (const word of paths) {
    const text = state.one(word).text.replace(/^of=/, "");
    const path = word.known && name !== "dd" ? state.path(word) : undefined;
    if (path !== undefined) continue;
    const begin = state.absolute(text);
    if (begin !== undefined && text !== "" && harmlessFolder.test(begin)) continue;
    if (name === "rm" && /^\/\w+\/[\w-]/.test(begin ?? "") && !isServicePath(begin ?? "")) continue;
    if (name === "sed" && word === operands[0]) continue;
    return "it changes files whose paths are unknown";
  }
  if (
    /^(?:tar|unzip)$/.test(name) &&
    !texts.some((text) => /^-?[a-zA-Z]*[ct][a-zA-Z]*f?$/.test(text) && !/x/.test(text))
  ) {
    const at = args.findIndex(({ text }) => /^(?:-[a-zA-Z]*C|--directory|-d)$/.test(text));
    const joined = texts.map((text) => /^(?:-C|--directory=|-d)(.+)$/.exec(text)?.[1]).find(Boolean);
    const folder =
      at === -1
        ? state.absolute(joined ?? ".")
        : args[at + 1] === undefined
          ? undefined
          : state.path(args[at + 1] as ShellWord);
    if (folder === undefined || !harmlessFolder.test(`${folder}/x`))
      return "it unpacks files over a system folder";
  }
  return undefined;
}

/** A shell within the script: what it runs must be known. */
function whyNested(
  name: string,
  args: readonly ShellWord[],
  command: ShellCommand,
  { state, files, input, functions }: EffectContext,
): string | undefined {
  const why = "it runs code that is unknown";
  if (name === "eval") return args.every(({ known }) => known) ? undefined : why;
  const at = args.findIndex(({ text }) => /^-[a-z]*c$|^--command$/.test(text));
  if (at !== -1) return args[at + 1]?.known ? undefined : why;
  const script = args.find(isOperand);
  // `su user` starts a shell without a script; `su user script` runs it.
  if (/^(?:su|runuser)$/.test(name) && args.filter(isOperand).length > 1) return why;
  if (script === undefined) {
    if (/^(?:su|runuser)$/.test(name)) return undefined;
    const read = command.reads.map((word) => state.path(word));
    if (read.length > 0) return why;
    return input !== undefined ? undefined : why;
  }
  if (/^(?:su|runuser)$/.test(name)) return undefined;
  const path = state.path(script);
  if (path !== undefined && (files.has(path) || readableConfiguration.test(path))) return undefined;
  return functions.has(script.text) || readableConfiguration.test(state.one(script).raw.replace(/["']/g, ""))
    ? undefined
    : why;
}

/** The names of the functions that a script defines. */
export function functionsOf(text: string): ReadonlySet<string> {
  const pattern = /(?:^|[;&|{}(\n])\s*(?:function\s+([\w.-]+)|([\w.-]+)\s*\(\s*\))/g;
  return new Set([...text.matchAll(pattern)].map(([, one, other]) => one ?? other ?? ""));
}
