/** Passwords of users that user data sets in plain text (cloud-init's manual, "Users and Groups" and "Set Passwords"). */
import type { ShellWord } from "../parsers/shell-word";

/** A hash is also a secret, but does not give access by itself. cloud-init makes a random password of "R" and "RANDOM". */
function isPlain(value: unknown): boolean {
  if (typeof value !== "string" && typeof value !== "number") return false;
  const text = String(value);
  return text !== "" && !/^(?:[$]\w+[$]|R$|RANDOM$|[!*]{1,2}$)/.test(text);
}

const listOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : typeof value === "object" && value !== null ? Object.values(value) : [];

/** The lines `user:password` of a list, which can be one text. */
function lines(value: unknown): readonly string[] {
  const texts = typeof value === "string" ? value.split("\n") : listOf(value).map(String);
  return texts.filter((line) => line.includes(":")).map((line) => line.slice(line.indexOf(":") + 1).trim());
}

/** Notes the module of a cloud-config that sets a password in plain text. */
export function addPasswords(passwords: Set<string>, config: Readonly<Record<string, unknown>>): void {
  const { password, chpasswd, users, user } = config;
  const accounts = [...listOf(users), user].filter((one) => typeof one === "object" && one !== null);
  const { list, users: changed } = (typeof chpasswd === "object" && chpasswd !== null ? chpasswd : {}) as {
    readonly list?: unknown;
    readonly users?: unknown;
  };
  const isSet = (one: unknown) => {
    const { type, password: own } = (one ?? {}) as { readonly type?: unknown; readonly password?: unknown };
    return type !== "RANDOM" && type !== "hash" && isPlain(own);
  };
  if (isPlain(password)) passwords.add("password");
  if (lines(list).some(isPlain) || listOf(changed).some(isSet)) passwords.add("chpasswd");
  if (accounts.some((one) => isPlain((one as { plain_text_passwd?: unknown }).plain_text_passwd)))
    passwords.add("plain_text_passwd");
}

/** Notes a command of a script that sets a password: chpasswd and passwd from text, usermod and useradd with -p. */
export function addPasswordCommand(
  passwords: Set<string>,
  name: string,
  args: readonly ShellWord[],
  input: string | undefined,
): void {
  const texts = args.map(({ text }) => text);
  const isHashed = texts.some((text) => text === "-e" || text === "--encrypted");
  if (name === "chpasswd" && !isHashed && lines(input).some(isPlain)) passwords.add("chpasswd");
  if (name === "passwd" && isPlain(input?.trim())) passwords.add("passwd");
  const at = texts.findIndex((text) => text === "-p" || text === "--password");
  const given = at === -1 ? texts.find((text) => text.startsWith("--password="))?.slice(11) : texts[at + 1];
  const isLiteral = at === -1 || args[at + 1]?.known === true;
  if (/^(?:useradd|usermod)$/.test(name) && isLiteral && isPlain(given)) passwords.add(name);
}
