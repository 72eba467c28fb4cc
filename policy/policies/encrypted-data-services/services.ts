/**
 * Reads the settings of data services from their files on a host: PostgreSQL, Redis and Valkey, MongoDB, memcached,
 * RabbitMQ, Elasticsearch and OpenSearch. Each host has one server of a kind. Sources: the manuals' pages on connections,
 * authentication and TLS.
 */
import { parseYaml } from "../../evidence/cloud-config";
import { readAccess, readPostgresql, settingsPath } from "./postgresql";
import {
  type Files,
  isLocal,
  type Line,
  linesOf,
  part,
  type Reader,
  type ServiceProblem,
  settingOf,
  textOf,
} from "./service-file";

/** The problems in all files of a host. */
export function serviceProblems(files: Files): readonly ServiceProblem[] {
  return [...files].flatMap(([path, text]) => readerOf(path)?.(path, text, files) ?? []);
}

/** True for the configuration files that `serviceProblems` reads. */
export const isServiceFile = (path: string): boolean => readerOf(path) !== undefined;

const readerOf = (path: string): Reader | undefined => readers.find(([pattern]) => pattern.test(path))?.[1];

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

/** One command-line option per line. memcached listens everywhere unless `-l` is set, and trusts every client. */
function readMemcached(path: string, text: string): readonly ServiceProblem[] {
  const lines = linesOf(text);
  const option = (short: string, long: string) =>
    lines.filter(({ words: [first = ""] }) => first === short || first.split("=")[0] === long).at(-1);
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

/** `elasticsearch.yml` and `opensearch.yml`, whose names can be dotted or nested. By default, they listen to localhost. */
function readSearch(path: string, text: string): readonly ServiceProblem[] {
  const parsed = parseYaml(text);
  const root = parsed.ok ? part(parsed.value) : undefined;
  if (root === undefined)
    return [{ path, problem: "the configuration cannot be read as YAML", fix: "write it in YAML" }];
  const leaves = new Map(leavesOf(root));
  const addresses = leaves.get("http.host") ?? leaves.get("network.host") ?? "_local_";
  const isOpen = addresses
    .split(",")
    .some((address) => !/^_local/.test(address.trim()) && !isLocal(address.trim()));
  const hasTls = ["xpack.security.http.ssl.enabled", "plugins.security.ssl.http.enabled"].some(
    (name) => leaves.get(name) === "true",
  );
  if (!isOpen || hasTls) return [];
  return [
    {
      path,
      problem: "the search engine listens to other hosts without TLS",
      fix: "set xpack.security.http.ssl.enabled (OpenSearch: plugins.security.ssl.http.enabled) to true, with a certificate",
    },
  ];
}

/** Values by their dotted names. */
function leavesOf(value: unknown, name = ""): readonly (readonly [name: string, value: string])[] {
  const inner = part(value);
  if (inner === undefined) return [[name, String(value)]];
  return Object.entries(inner).flatMap(([key, item]) => leavesOf(item, name === "" ? key : `${name}.${key}`));
}

const readers: readonly (readonly [path: RegExp, reader: Reader])[] = [
  [/(^|\/)pg_hba\.conf$/, readAccess],
  [settingsPath, readPostgresql],
  [/(^|\/)(redis|valkey)(-server)?\.conf$|^\/etc\/(redis|valkey)\/[^/]+\.conf$/, readRedis],
  [/(^|\/)mongod\.(conf|ya?ml)$/, readMongo],
  [/(^|\/)memcached\.conf$/, readMemcached],
  [/(^|\/)(elasticsearch|opensearch)\.ya?ml$/, readSearch],
  [/(^|\/)rabbitmq\.conf$|^\/etc\/rabbitmq\/conf\.d\/[^/]+\.conf$/, readRabbit],
];
