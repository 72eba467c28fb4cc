/** The setting operators.users: the accounts that can log in on the hosts. Pure. */
import { parseJson, type Setting, WrongParts } from "./kinds";
import { NoPublicKey, publicKeyTypes, readPublicKey } from "./publicKey";

/** An account on every host. */
export interface Operator {
  readonly name: string;
  /** Lines as in a .pub file: type, base64, comment. */
  readonly keys: readonly string[];
}

const allowed = "a list of { name, keys }";
const allowedName = "2 to 31 lower-case letters, digits and dashes that start with a letter";
const namePattern = /^[a-z][a-z0-9-]{0,29}[a-z0-9]$/;

/** Accounts of the images, and of the packages on a host. They belong to a program, and must not get a key. */
const reservedNames = new Set(
  [
    "root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats nogroup",
    // prose-allow nobody: the name of an account
    "nobody",
    "messagebus syslog uuidd tcpdump tss landscape fwupd-refresh usbmux sshd polkitd pollinate lxd dhcpcd ntp chrony",
    "admin adm sudo wheel users operator staff ubuntu debian do-agent droplet-agent",
    "mysql nginx haproxy app dd-agent telegraf",
  ].flatMap((line) => line.split(" ")),
);
const reservedPrefixes = ["systemd-", "secured-web"];

interface Part {
  readonly where: string;
  readonly problem: string;
}

/** The kind of this setting. Undefined, which is the default, is not the same as an empty list. */
export const operatorUsers: Setting<readonly Operator[]> = {
  type: "list of { name, keys }",
  allowed: `accounts, each with a name (${allowedName}) and public keys (${publicKeyTypes})`,
  doc: "Operators: named accounts with sudo on every host. Once set, root cannot log in by SSH; with an empty list, no login is possible. Not set = root, with operators.sshKeys",
  secret: false,
  defaultFor: () => undefined,
  read: (raw) => {
    const value = typeof raw === "string" ? parseJson(raw) : raw;
    // The raw value is not shown: a private key can be in it.
    if (!Array.isArray(value))
      return new WrongParts([{ where: "", problem: `expected ${allowed}, got something else` }]);
    const read = value.map((item, index) => readOperator(item, `[${index}]`));
    const operators = read.flatMap(({ operator }) => operator ?? []);
    const problems = [...read.flatMap((one) => one.problems), ...duplicates(operators)];
    return problems.length > 0 ? new WrongParts(problems) : operators;
  },
};

function readOperator(item: unknown, where: string): { operator?: Operator; problems: Part[] } {
  if (typeof item !== "object" || item === null || Array.isArray(item))
    return { problems: [{ where, problem: "expected { name, keys }, got something else" }] };
  const { name, keys, ...others } = item as Readonly<Record<string, unknown>>;
  const problems: Part[] = Object.keys(others).map((other) => ({
    where,
    problem: `expected name and keys, found also ${/^\w{1,20}$/.test(other) ? other : "something else"}`,
  }));
  const wrongName = nameProblem(name);
  if (wrongName !== undefined) problems.push({ where: `${where}.name`, problem: wrongName });
  if (!Array.isArray(keys) || keys.length === 0) {
    problems.push({
      where: `${where}.keys`,
      problem:
        "expected a list of one or more public keys. To revoke all keys of an operator, remove the operator",
    });
    return { problems };
  }
  const lines: string[] = [];
  for (const [index, key] of keys.entries()) {
    const read = typeof key === "string" ? readPublicKey(key) : new NoPublicKey("something else");
    if (read instanceof NoPublicKey)
      problems.push({
        where: `${where}.keys[${index}]`,
        problem: `expected a public key (${publicKeyTypes}), got ${read.got}`,
      });
    else lines.push(`${read.type} ${read.data} ${read.comment}`.trimEnd());
  }
  return problems.length > 0 ? { problems } : { operator: { name: String(name), keys: lines }, problems };
}

function nameProblem(name: unknown): string | undefined {
  if (typeof name !== "string" || !namePattern.test(name)) return `expected ${allowedName}${shownName(name)}`;
  if (reservedNames.has(name) || reservedPrefixes.some((prefix) => name.startsWith(prefix)))
    return `expected a name that no program uses, got ${name}. It is the account of the system or of a package. Choose another name`;
  return undefined;
}

/** A name that is a single short word is shown. Anything else could be a key in the wrong place. */
function shownName(name: unknown): string {
  return typeof name === "string" && /^\S{1,40}$/.test(name) ? `, got "${name}"` : "";
}

/** Names and keys that are there twice. A key of two accounts would not show which operator has logged in. */
function duplicates(operators: readonly Operator[]): Part[] {
  const problems: Part[] = [];
  const names = new Set<string>();
  const owners = new Map<string, string>();
  for (const { name, keys } of operators) {
    if (names.has(name)) problems.push({ where: "", problem: `expected each name once, got ${name} twice` });
    names.add(name);
    for (const key of keys) {
      const data = key.split(" ")[1] ?? "";
      const owner = owners.get(data);
      if (owner !== undefined)
        problems.push({
          where: "",
          problem: `expected each key once, got the same key for ${owner} and ${name}. The log of logins would not show which of them logged in`,
        });
      owners.set(data, name);
    }
  }
  return problems;
}
