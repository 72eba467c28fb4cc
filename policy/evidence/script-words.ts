/** The commands of a script: their names behind prefixes such as sudo, their output, and the programs that they name. */
import type { ShellCommand } from "../parsers/shell";
import { type ShellWord, wordOf } from "../parsers/shell-word";
import type { ShellState } from "./shell-state";

/** Words that can precede the name of a command, with their options that take a value, and their own operands. */
const prefixes: ReadonlyMap<string, { readonly options?: RegExp; readonly operands?: number }> = new Map([
  ...[
    "exec",
    "time",
    "nohup",
    "then",
    "do",
    "else",
    "elif",
    "if",
    "while",
    "until",
    "!",
    "{",
    "command",
    "setsid",
    "eatmydata",
    "builtin",
    "stdbuf",
    "coproc",
  ].map((name) => [name, {}] as const),
  ["sudo", { options: /^-[A-Za-z]*[ughpCDRTUrt]$|^--(?:user|group|host|chdir)$/ }],
  ["doas", { options: /^-[uC]$/ }],
  ["env", { options: /^-[uCS]$/ }],
  ["nice", { options: /^-n$/ }],
  ["ionice", { options: /^-[cnpt]$/ }],
  ["timeout", { options: /^-[ks]$/, operands: 1 }],
  ["chroot", { operands: 1 }],
  ["flock", { options: /^-[wE]$/, operands: 1 }],
  ["runuser", { options: /^-[ugG]$/ }],
  ["systemd-run", { options: /^-[pu]$/ }],
  ["xargs", { options: /^-[aEIILnPsd]$/ }],
]);

/** The words of a command without assignments, prefixes and the shell's keywords before it. */
export function commandWords(words: readonly ShellWord[]): readonly ShellWord[] {
  let at = 0;
  while (at < words.length) {
    const { text = "", raw = "" } = words[at] ?? {};
    if (/^\w+\+?=/.test(raw)) {
      at += 1;
      continue;
    }
    if (text === "function") {
      at += 2;
      continue;
    }
    const prefix = prefixes.get(text.split("/").at(-1) ?? "");
    // `command -v name` asks whether there is a command.
    if (prefix === undefined || (text === "command" && /^-[vV]$/.test(words[at + 1]?.text ?? ""))) break;
    at += 1;
    while (words[at]?.text.startsWith("-")) at += prefix.options?.test(words[at]?.text ?? "") ? 2 : 1;
    at += prefix.operands ?? 0;
  }
  return words.slice(at);
}

export const nameOf = (word: ShellWord | undefined): string => word?.text.split("/").at(-1) ?? "";

/** Commands that print, ask, stop, remove, or change users: their arguments install and start nothing. */
const quiet =
  /^(?:echo|printf|logger|wall|grep|egrep|fgrep|zgrep|test|\[|\[\[|which|type|hash|man|sleep|exit|return|true|false|:|ls|stat|du|df|head|tail|wc|diff|cmp|id|getent|ps|pgrep|dpkg-query|rm|rmdir|unlink|useradd|adduser|usermod|groupadd|addgroup|userdel|groupdel|deluser|delgroup|kill|pkill|killall|curl|wget|trap|mkdir|touch|cd|export)$/;
/** Words after a command's name that make it quiet. */
const quietVerbs: readonly (readonly [RegExp, RegExp])[] = [
  [
    /^(?:apt|apt-get|apt-cache|aptitude|dnf|yum|zypper|apk|snap|pip3?|npm|microdnf)$/,
    /^(?:remove|purge|autoremove|autopurge|erase|del|uninstall|list|show|search|policy|info|se|rm|download|depends)$/,
  ],
  [/^apt-mark$/, /./],
  [/^dpkg$/, /^(?:-[lsLSrP]+|--(?:list|status|listfiles|search|remove|purge|get-selections))$/],
  [/^rpm$/, /^(?:-q\w*|-e|--query|--erase)$/],
  [/^systemctl$/, /^(?:stop|disable|mask|status|is-active|is-enabled|is-failed|show|cat|kill|reset-failed)$/],
  [/^(?:service|invoke-rc\.d|rc-service)$/, /^(?:stop|status)$/],
  [/^update-rc\.d$/, /^(?:remove|disable)$/],
  [/^(?:docker|podman)$/, /^(?:rm|rmi|stop|kill|ps|logs|images|inspect|prune)$/],
  [/^ufw$/, /^(?:delete|deny|reject|status)$/],
  [/^command$/, /^-[vV]$/],
  [/^git$/, /./],
];

/** True if a command names programs without installing or running them. */
export function isQuiet(words: readonly ShellWord[]): boolean {
  const [first, ...args] = commandWords(words);
  const name = nameOf(first);
  if (quiet.test(name)) return true;
  const texts = args.map(({ text }) => text).filter((text) => !/^-[a-zA-Z]*y|^--(?:yes|now)$/.test(text));
  const verb = texts.find((text) => !text.startsWith("-")) ?? "";
  return quietVerbs.some(([command, verbs]) => {
    if (!command.test(name)) return false;
    return /service|rc\.d|rc-service/.test(name)
      ? texts.some((text) => verbs.test(text))
      : verbs.test(verb) || verbs.test(texts[0] ?? "");
  });
}

/** Files whose text names the programs that they start. */
const startsPrograms =
  /compose[^/]*\.ya?ml$|Dockerfile[^/]*$|Containerfile$|\.service$|\.sh$|\.bash$|\/cron[^/]*\//;

/** True if the here-document of a command, or the text that it prints, can name programs that it starts. */
export function readsPrograms(name: string, targets: readonly (string | undefined)[]): boolean {
  if (targets.length > 0) return targets.some((path) => path === undefined || startsPrograms.test(path));
  return name !== "cat" && !quiet.test(name);
}

export function isOperand({ text, known }: ShellWord): boolean {
  return !text.startsWith("-") && (text !== "" || !known);
}

/** The output of cat, echo and printf, if their arguments show it. */
export function outputOf(command: ShellCommand, state: ShellState): string | undefined {
  const [first, ...args] = commandWords(state.resolved(command.words));
  const name = nameOf(first);
  if (name === "cat") return args.some(({ text }) => text !== "-") ? undefined : inputOf(command, state);
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
export function inputOf(command: ShellCommand, state: ShellState): string | undefined {
  const { hereDocument, pipedFrom } = command;
  if (hereDocument !== undefined) {
    const { text, known } = state.one(wordOf(hereDocument.parts, ""));
    return known ? text : undefined;
  }
  return pipedFrom === undefined ? undefined : outputOf(pipedFrom, state);
}
