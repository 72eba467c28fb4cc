/** Options and operands by which a command that is otherwise harmless runs other code, or takes settings from a file. */
import type { ShellWord } from "../parsers/shell-word";
import { isOperand } from "./script-words";
import type { ShellState } from "./shell-state";

const ofMysql = /^--(?:init-command|defaults|login-path|pager)/;
const ofGawk = /^(?:-f|--file|-i|--include|-l|--load|-E|--exec)/;

const optionsThatRun: Readonly<Record<string, RegExp>> = {
  tar: /^--(?:to-command|checkpoint-action|use-compress-program|rsh-command|info-script|new-volume-script)|^-\w*I$|^-F$/,
  rsync: /^--(?:rsh|rsync-path)|^-\w*e$/,
  curl: /^(?:-K|--config)/,
  wget: /^(?:-e|--execute|--config|--use-askpass)/,
  hash: /^-\w*p/,
  mysql: ofMysql,
  mariadb: ofMysql,
  awk: ofGawk,
  gawk: ofGawk,
  mawk: /^-f/,
};

/** Settings of git that a script usually has; others name programs (aliases, hooks, ssh, editors). */
const gitSetting =
  /^(?:user|http|https|safe|init|advice|pull|push|fetch|color|url|protocol|submodule)\.(?!.*(?:command|helper|proxy))/i;
const shells = /^\/(?:usr\/)?s?bin\/(?:(?:ba|da|z|k|fi)?sh|nologin|false|git-shell)$/;
const packageTools = /^(?:apt|apt-get|aptitude|dnf|yum|zypper)$/;

export function runsOtherCode(name: string, args: readonly ShellWord[], state: ShellState): boolean {
  const texts = args.map(({ text }) => text);
  const isAfter = (option: RegExp, at: number) => option.test(texts[at - 1] ?? "");
  const option = optionsThatRun[name];
  if (option !== undefined) return texts.some((text) => option.test(text));
  if (name === "git")
    return (
      texts.some((text, at) => isAfter(/^-c$/, at) && !gitSetting.test(text)) ||
      texts.some((text) => /^--(?:exec-path|upload-pack|receive-pack|config-env|template)/.test(text)) ||
      (texts.includes("config") &&
        texts.some((text) => /^\w+\.[\w.*-]+$/.test(text) && !gitSetting.test(text) && !isPlainSetting(text)))
    );
  if (packageTools.test(name))
    return (
      texts.some((text) => /invoke|::run|dir::|::methods/i.test(text)) ||
      args.some((word) => isOperand(word) && isLocalPackage(word, state))
    );
  if (/^(?:useradd|usermod|adduser|chsh)$/.test(name))
    return texts.some((text, at) => isAfter(/^(?:-\w*s|--shell)$/, at) && text !== "" && !shells.test(text));
  if (name === "update-alternatives") return texts.includes("--install") && !texts.every(isSystemPath);
  if (name === "systemctl") return args.some((word) => /^[./].*\.\w+$/.test(word.text));
  if (name === "uniq") return args.filter(isOperand).length > 1;
  return false;
}

const isPlainSetting = (text: string) =>
  /^core\.(?:autocrlf|filemode|symlinks|compression|quotepath)$|^credential\.username$/i.test(text);

/** Alternatives of programs that packages install. */
const isSystemPath = (text: string) =>
  !text.startsWith("/") || /^\/(?:usr|bin|sbin|lib|etc\/alternatives)\//.test(text);

/** A package in a file, unless it comes from a known installer. A fetched one is reported as code from elsewhere. */
function isLocalPackage(word: ShellWord, state: ShellState): boolean {
  if (!/\.(?:deb|rpm)$/.test(word.text) || !/^[./]/.test(word.text)) return false;
  const path = state.path(word);
  return !state.isTrusted(path) && !state.isFetched(path);
}
