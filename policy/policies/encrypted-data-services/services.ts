/**
 * Reads the settings of data services from their files on a host: PostgreSQL, Redis and Valkey, MongoDB, memcached and
 * RabbitMQ. Sources: the manuals' pages on connections, authentication and TLS.
 */
import { isLoopback } from "../../evidence/addresses";
import { parseYaml } from "../../evidence/cloud-config";

export interface ServiceProblem {
  readonly path: string;
  readonly line?: number;
  readonly problem: string;
  readonly fix: string;
}

interface Line {
  readonly number: number;
  readonly words: readonly string[];
}

type Reader = (path: string, text: string) => readonly ServiceProblem[];

/** The problems in all files of a host. */
export function serviceProblems(files: ReadonlyMap<string, string>): readonly ServiceProblem[] {
  return [...files].flatMap(
    ([path, text]) => readers.find(([pattern]) => pattern.test(path))?.[1](path, text) ?? [],
  );
}

const isLocal = (address: string) => isLoopback(address.replace(/^\[|\]$/g, "")) || address.startsWith("/");

/** The words of each line, without comments. */
function linesOf(text: string, separator = /\s+/): readonly Line[] {
  return text.split("\n").flatMap((line, index) => {
    const content = line.replace(/(^|\s)#.*$/, "").trim();
    return content === "" ? [] : [{ number: index + 1, words: content.split(separator) }];
  });
}

/** The last line that sets a name; its value is in the words after the first. */
const settingOf = (lines: readonly Line[], name: string) =>
  lines.findLast(({ words }) => words[0]?.toLowerCase() === name);
const textOf = (line: Line | undefined) =>
  (line?.words.slice(1).join(" ") ?? "").replace(/^["']|["']$/g, "").trim();

/** `name = value`; lists are in quotes. By default, PostgreSQL listens to localhost, without TLS. */
function readPostgresql(path: string, text: string): readonly ServiceProblem[] {
  const lines = linesOf(text, /\s*=\s*|\s+/);
  const listen = settingOf(lines, "listen_addresses");
  const isOpen =
    listen !== undefined &&
    textOf(listen)
      .split(/[\s,]+/)
      .some((address) => address !== "" && !isLocal(address));
  const tls = settingOf(lines, "ssl");
  const isOff = tls !== undefined && /^(off|false|no|0)$/i.test(textOf(tls));
  // Distributions set ssl in the main file, so a file beside it can leave it out.
  const isMissing = tls === undefined && isOpen && /\/postgresql\.conf$/.test(path);
  const oldest = settingOf(lines, "ssl_min_protocol_version");
  return [
    ...(isOff || isMissing
      ? [
          {
            path,
            line: (tls ?? listen)?.number ?? 1,
            problem: `PostgreSQL ${isOff ? "has ssl off" : "listens to other hosts, and ssl is not on"}`,
            fix: "set ssl = on, ssl_cert_file and ssl_key_file",
          },
        ]
      : []),
    ...(/^TLSv1(\.1)?$/i.test(textOf(oldest))
      ? [
          {
            path,
            line: oldest?.number ?? 1,
            problem: "PostgreSQL accepts TLS 1.0 or 1.1",
            fix: "set ssl_min_protocol_version to TLSv1.2 or TLSv1.3",
          },
        ]
      : []),
  ];
}

/** Lines of `type database user address method`. */
function readAccess(path: string, text: string): readonly ServiceProblem[] {
  return linesOf(text).flatMap(({ number, words: [type = "", , , address = "", ...rest] }) => {
    const method = rest.find((word) => /^[a-z][a-z0-9-]*$/.test(word)) ?? "";
    if (!/^host/.test(type) || method === "reject" || isLocal(address.replace(/\/\d+$/, ""))) return [];
    if (/^(localhost|127\.)/.test(address)) return [];
    if (type === "host" || /^hostno/.test(type))
      return [
        {
          path,
          line: number,
          problem: "PostgreSQL accepts connections of other hosts without TLS",
          fix: "use hostssl, with the method scram-sha-256 or cert",
        },
      ];
    if (method !== "trust") return [];
    return [
      {
        path,
        line: number,
        problem: "PostgreSQL accepts other hosts without a password",
        fix: "use the method scram-sha-256 or cert",
      },
    ];
  });
}

/** Redis and Valkey, `name value ...`. Without `bind` they listen everywhere, and protected mode refuses other hosts. */
function readRedis(path: string, text: string): readonly ServiceProblem[] {
  const lines = linesOf(text);
  const bind = settingOf(lines, "bind");
  const hasPassword = lines.some(({ words }) => /^(requirepass|aclfile|user)$/i.test(words[0] ?? ""));
  const isUnprotected = textOf(settingOf(lines, "protected-mode")).toLowerCase() === "no";
  const isOpen =
    bind === undefined
      ? isUnprotected || hasPassword
      : bind.words.slice(1).some((address) => !isLocal(address.replace(/^-/, "")));
  if (!isOpen) return [];
  const line = bind?.number ?? 1;
  const isPlain = textOf(settingOf(lines, "port")) !== "0";
  return [
    ...(hasPassword
      ? []
      : [
          {
            path,
            line,
            problem: "Redis or Valkey listens to other hosts, and has no password",
            fix: "set requirepass, or users in an aclfile",
          },
        ]),
    ...(isPlain
      ? [
          {
            path,
            line,
            problem: "Redis or Valkey listens to other hosts without TLS",
            fix: "set port 0 and tls-port 6379, with tls-cert-file and tls-key-file",
          },
        ]
      : []),
  ];
}

/** `mongod.conf` in YAML. By default, mongod listens to localhost. */
function readMongo(path: string, text: string): readonly ServiceProblem[] {
  const parsed = parseYaml(text);
  const root = parsed.ok ? part(parsed.value) : undefined;
  if (root === undefined)
    return [{ path, problem: "MongoDB's configuration cannot be read as YAML", fix: "write it in YAML" }];
  const net = part(root.net) ?? {};
  const addresses = String(net.bindIp ?? "localhost").split(",");
  if (net.bindIpAll !== true && addresses.every((address) => isLocal(address.trim()))) return [];
  const security = part(root.security) ?? {};
  const mode = part(net.tls)?.mode ?? part(net.ssl)?.mode;
  const isAuthorized = security.authorization === "enabled" || security.keyFile !== undefined;
  return [
    ...(/^require(TLS|SSL)$/.test(String(mode))
      ? []
      : [
          {
            path,
            problem: "MongoDB listens to other hosts, and does not require TLS",
            fix: "set net.tls.mode to requireTLS, with certificateKeyFile",
          },
        ]),
    ...(isAuthorized
      ? []
      : [
          {
            path,
            problem: "MongoDB listens to other hosts, and anyone can read and write",
            fix: "set security.authorization to enabled, and create users",
          },
        ]),
  ];
}

function part(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

/** One command-line option per line. memcached listens everywhere unless `-l` is set, and trusts every client. */
function readMemcached(path: string, text: string): readonly ServiceProblem[] {
  const lines = linesOf(text);
  const option = (short: string, long: string) =>
    lines.findLast(({ words: [first = ""] }) => first === short || first.split("=")[0] === long);
  const listen = option("-l", "--listen");
  const addresses =
    listen === undefined
      ? []
      : listen.words
          .join(" ")
          .replace(/^(-l|--listen)[ =]/, "")
          .split(",");
  if (listen !== undefined && addresses.every((address) => isLocal(address.trim()))) return [];
  if (option("-s", "--unix-socket") !== undefined) return [];
  const isProtected =
    option("-Z", "--enable-ssl") !== undefined && option("-S", "--enable-sasl") !== undefined;
  if (isProtected) return [];
  return [
    {
      path,
      ...(listen === undefined ? {} : { line: listen.number }),
      problem: "memcached listens to other hosts without TLS and passwords",
      fix: "set -l 127.0.0.1, or both -Z and -S",
    },
  ];
}

/** `listeners.tcp.1 = address:port`. By default, RabbitMQ listens everywhere in plain text. */
function readRabbit(path: string, text: string): readonly ServiceProblem[] {
  const lines = linesOf(text, /\s*=\s*/);
  const tcp = lines.filter(({ words }) => /^listeners\.tcp(\.|$)/.test(words[0] ?? ""));
  const isLocalListener = (line: Line) => {
    const value = textOf(line);
    return value === "none" || isLocal(value.replace(/:\d+$/, ""));
  };
  const open = tcp.find((line) => !isLocalListener(line));
  const guest = lines.find(
    ({ words: [name, value] }) =>
      (name === "loopback_users" && value === "none") ||
      (name === "loopback_users.guest" && value === "false"),
  );
  return [
    ...(tcp.length === 0 || open !== undefined
      ? [
          {
            path,
            ...(open === undefined ? {} : { line: open.number }),
            problem: "RabbitMQ listens to other hosts without TLS",
            fix: "set listeners.tcp = none and listeners.ssl.default = 5671, with ssl_options",
          },
        ]
      : []),
    ...(guest === undefined
      ? []
      : [
          {
            path,
            line: guest.number,
            problem: "RabbitMQ lets the user guest, whose password is public, log in from other hosts",
            fix: "remove loopback_users, and create a user with its own password",
          },
        ]),
  ];
}

const readers: readonly (readonly [path: RegExp, reader: Reader])[] = [
  [/(^|\/)pg_hba\.conf$/, readAccess],
  [/(^|\/)postgresql(\.auto)?\.conf$|\/postgresql\/.*\/conf\.d\/[^/]+\.conf$/, readPostgresql],
  [/(^|\/)(redis|valkey)(-server)?\.conf$|^\/etc\/(redis|valkey)\/[^/]+\.conf$/, readRedis],
  [/(^|\/)mongod\.(conf|ya?ml)$/, readMongo],
  [/(^|\/)memcached\.conf$/, readMemcached],
  [/(^|\/)rabbitmq\.conf$|^\/etc\/rabbitmq\/conf\.d\/[^/]+\.conf$/, readRabbit],
];
