/**
 * PostgreSQL, Redis, Valkey, MongoDB, Elasticsearch and OpenSearch: a server that other hosts can reach accepts only
 * TLS. Each file is read on its own, because a host has one server of each kind.
 */
import { parse } from "yaml";
import { isLoopback } from "../../evidence/addresses";
import { shownPath } from "../../frame/message";
import { type Finding, plaintextHop } from "./findings";

interface Fault {
  readonly line?: number;
  readonly problem: string;
  readonly fix: string;
}

interface Reader {
  readonly path: RegExp;
  readonly read: (text: string, files: ReadonlyMap<string, string>) => readonly Fault[];
}

const readers: readonly Reader[] = [
  { path: /\/pg_hba\.conf$/, read: readClientRules },
  {
    path: /\/postgresql(?:\.auto)?\.conf$|^\/etc\/postgresql\/.*\/conf\.d\/[^/]+\.conf$/,
    read: readPostgres,
  },
  { path: /^\/etc\/(?:redis|valkey)\/[^/]+\.conf$|\/(?:redis|valkey)\.conf$/, read: readRedis },
  { path: /\/mongod\.conf$/, read: readMongo },
  { path: /\/(?:elasticsearch|opensearch)\.ya?ml$/, read: readSearch },
];

/** True for the configuration files that `judgeDatabases` reads. */
export const isDatabaseFile = (path: string): boolean => readers.some((one) => one.path.test(path));

export function judgeDatabases(files: ReadonlyMap<string, string>): readonly Finding[] {
  return [...files].flatMap(([path, text]) => {
    const faults = readers.find((one) => one.path.test(path))?.read(text, files) ?? [];
    return faults.map(({ line, problem, fix }) => ({
      at: line === undefined ? shownPath(path) : `${shownPath(path)}:${line}`,
      problem,
      why: plaintextHop,
      fix,
    }));
  });
}

const isLocal = (address: string) => address === "" || address.startsWith("/") || isLoopback(address);

/** The lines of a file of settings, without comments, with their numbers. */
function settingLines(text: string): readonly { readonly line: number; readonly words: readonly string[] }[] {
  return text
    .split("\n")
    .map((text, index) => ({
      line: index + 1,
      words: text
        .replace(/#.*/, "")
        .trim()
        .split(/[\s=]+/),
    }))
    .filter(({ words }) => words[0] !== "");
}

/** A setting of PostgreSQL: `name = 'value'`. The last one counts. */
function postgresSetting(text: string, name: string) {
  const found = [...text.matchAll(/^[ \t]*(\w+)[ \t]*=?[ \t]*(?:'([^'\n]*)'|([^\s#']+))/gm)].filter(
    (match) => match[1]?.toLowerCase() === name,
  );
  const last = found.at(-1);
  if (last === undefined) return undefined;
  const line = text.slice(0, last.index).split("\n").length;
  return { line, value: (last[2] ?? last[3] ?? "").toLowerCase() };
}

const isListening = (text: string): boolean => {
  const addresses = postgresSetting(text, "listen_addresses")?.value;
  return addresses?.split(",").some((address) => !isLocal(address.trim())) === true;
};

/** The files of PostgreSQL's settings, of which any can switch TLS off or name the addresses. */
const settingFiles = (files: ReadonlyMap<string, string>) =>
  [...files].filter(([path]) => readers[1]?.path.test(path)).map(([, text]) => text);

function readPostgres(text: string, files: ReadonlyMap<string, string>): readonly Fault[] {
  const ssl = postgresSetting(text, "ssl");
  const isOff = ssl !== undefined && !/^(?:on|true|yes|1|t|y)$/.test(ssl.value);
  if (!isOff || !settingFiles(files).some(isListening)) return [];
  const problem = "PostgreSQL listens on the network, and ssl is not on";
  return [{ line: ssl.line, problem, fix: "set ssl = on, with ssl_cert_file and ssl_key_file" }];
}

/** pg_hba.conf: `host` accepts connections with and without TLS, `hostssl` only with it. */
function readClientRules(text: string, files: ReadonlyMap<string, string>): readonly Fault[] {
  const settings = settingFiles(files);
  const addresses = settings.flatMap((one) => postgresSetting(one, "listen_addresses")?.value ?? []);
  if (addresses.length > 0 && !settings.some(isListening)) return [];
  return settingLines(text)
    .filter(({ words: [type = "", , , address = "", ...rest] }) => {
      if (!/^host(?:nossl|nogssenc)?$/i.test(type) || rest.includes("reject")) return false;
      return address !== "samehost" && !isLocal(address.replace(/\/\d+$/, ""));
    })
    .map(({ line }) => ({
      line,
      problem: "the rule lets other hosts connect to PostgreSQL without TLS",
      fix: "write hostssl instead of host",
    }));
}

function readRedis(text: string): readonly Fault[] {
  const lines = settingLines(text);
  const last = (name: string) => lines.filter(({ words }) => words[0]?.toLowerCase() === name).at(-1);
  const bind = last("bind");
  // Without addresses, it listens everywhere, and its protected mode refuses other hosts if there is no password.
  const isProtected = last("protected-mode")?.words[1] !== "no" && last("requirepass") === undefined;
  const isReachable =
    bind === undefined
      ? !isProtected
      : bind.words.slice(1).some((address) => !isLocal(address.replace(/^-/, "").replace(/^"|"$/g, "")));
  const port = last("port");
  if (!isReachable || port?.words[1] === "0") return [];
  const line = (port ?? bind)?.line;
  return [
    {
      ...(line === undefined ? {} : { line }),
      problem: "the server accepts connections of other hosts without TLS",
      fix: "set port 0 and tls-port 6379, with tls-cert-file, tls-key-file and tls-ca-cert-file",
    },
  ];
}

/** The leaves of a YAML file by their dotted names; undefined if it cannot be read. */
function leavesOf(text: string): ReadonlyMap<string, string> | undefined {
  const leaves = new Map<string, string>();
  const add = (value: unknown, name: string): void => {
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      for (const [key, item] of Object.entries(value)) add(item, name === "" ? key : `${name}.${key}`);
    else leaves.set(name, Array.isArray(value) ? value.join(",") : String(value));
  };
  try {
    add(parse(text, { logLevel: "error" }), "");
  } catch {
    return undefined;
  }
  return leaves;
}

const unreadable: readonly Fault[] = [
  { problem: "the file cannot be read, so TLS may be off", fix: "write the file as valid YAML" },
];

function readMongo(text: string): readonly Fault[] {
  const leaves = leavesOf(text);
  if (leaves === undefined) return unreadable;
  const addresses = (leaves.get("net.bindIp") ?? "localhost").split(",");
  const isReachable =
    leaves.get("net.bindIpAll") === "true" || addresses.some((address) => !isLocal(address.trim()));
  const mode = leaves.get("net.tls.mode") ?? leaves.get("net.ssl.mode") ?? "";
  if (!isReachable || /^require(?:TLS|SSL)$/.test(mode)) return [];
  const problem = "MongoDB accepts connections of other hosts without TLS";
  return [{ problem, fix: "set net.tls.mode to requireTLS, with net.tls.certificateKeyFile" }];
}

function readSearch(text: string): readonly Fault[] {
  const leaves = leavesOf(text);
  if (leaves === undefined) return unreadable;
  const addresses = (leaves.get("http.host") ?? leaves.get("network.host") ?? "_local_").split(",");
  const isReachable = addresses.some(
    (address) => !/^_local/.test(address.trim()) && !isLocal(address.trim()),
  );
  const hasTls = ["xpack.security.http.ssl.enabled", "plugins.security.ssl.http.enabled"].some(
    (name) => leaves.get(name) === "true",
  );
  if (!isReachable || hasTls) return [];
  return [
    {
      problem: "the search engine accepts requests of other hosts without TLS",
      fix: "set xpack.security.http.ssl.enabled (OpenSearch: plugins.security.ssl.http.enabled) to true, with a certificate",
    },
  ];
}
