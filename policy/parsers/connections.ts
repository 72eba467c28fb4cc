/**
 * Finds database connections in a text: addresses (`postgres://...`, `jdbc:mysql://...`), and settings that switch
 * off a client's TLS or its verification. Its results contain only kinds and modes from closed vocabularies, never
 * the text.
 */
import { isLoopback } from "../evidence/addresses";

export interface WeakConnection {
  readonly line: number;
  /** A clause that can be printed: its only quotations are words from closed vocabularies. */
  readonly problem: string;
  readonly fix: string;
}

type Engine = "mysql" | "postgres" | "redis" | "mongodb";

const address =
  /\b(jdbc:)?(mysqlx?|mysql2|mariadb|postgres|postgresql|redis|valkey|mongodb)(\+[a-z0-9_]+)?:\/\/([^\s"'`<>\\]*)/gi;

/** The connections in a text that are not encrypted or, if required, not verified. */
export function weakConnections(text: string, verified: boolean): readonly WeakConnection[] {
  if (!/(:\/\/|ssl|tls)/i.test(text)) return [];
  return text.split("\n").flatMap((content, index) => {
    const line = index + 1;
    if (/^\s*(#|;|\/\/|--)/.test(content)) return [];
    return [...weakAddresses(content, verified), ...weakSettings(content)].map((weak) => ({ ...weak, line }));
  });
}

type Weak = Omit<WeakConnection, "line">;

function weakAddresses(line: string, verified: boolean): readonly Weak[] {
  return [...line.matchAll(address)].flatMap(([, , scheme = "", driver = "", rest = ""]) => {
    const engine = engineOf(scheme.toLowerCase());
    const { hosts, parameters } = split(rest);
    if (hosts.every((host) => host === "" || host.startsWith("%2F") || isLoopback(host))) return [];
    // If a variable sets the host, it can also set the parameters. The policy checks the value where it is defined.
    if (hosts.some((host) => host.includes("$") || host.includes("{"))) return [];
    const mode = modeOf(engine, driver.toLowerCase(), parameters);
    if (mode === "verified" || (mode === "encrypted" && !verified)) return [];
    const how =
      mode === "plain"
        ? "without TLS"
        : mode === "optional"
          ? "with optional TLS"
          : "without verifying the server";
    return [{ problem: `an address connects to a ${names[engine]} database ${how}`, fix: fixes[engine] }];
  });
}

const names: Readonly<Record<Engine, string>> = {
  mysql: "MySQL",
  postgres: "PostgreSQL",
  redis: "Redis or Valkey",
  mongodb: "MongoDB",
};
const fixes: Readonly<Record<Engine, string>> = {
  mysql: "add ssl-mode=VERIFY_IDENTITY (or your driver's equivalent) with the authority's certificate",
  postgres: "add sslmode=verify-full with sslrootcert",
  redis: "use rediss:// (valkeys://)",
  mongodb: "add tls=true, and no option that accepts invalid certificates",
};

function engineOf(scheme: string): Engine {
  if (scheme.startsWith("postgres")) return "postgres";
  if (scheme === "redis" || scheme === "valkey") return "redis";
  return scheme === "mongodb" ? "mongodb" : "mysql";
}

/** `user:password@host:port,host/path?name=value&...`. */
function split(rest: string): { hosts: readonly string[]; parameters: ReadonlyMap<string, string> } {
  const [before = "", query = ""] = rest.split(/\?(.*)/s);
  const authority = before.split("/")[0] ?? "";
  const hosts = (authority.split("@").at(-1) ?? "").split(",").map((host) => host.replace(/:\d*$/, ""));
  const parameters = new Map(
    query.split(/[&;]/).map((pair) => {
      const [name = "", value = ""] = pair.split("=");
      return [name.toLowerCase().replace(/[-_]/g, ""), decode(value).toLowerCase()] as const;
    }),
  );
  return { hosts, parameters };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

type Mode = "plain" | "optional" | "encrypted" | "verified";

function modeOf(engine: Engine, driver: string, parameters: ReadonlyMap<string, string>): Mode {
  const get = (...keys: readonly string[]) =>
    keys.map((key) => parameters.get(key)).find((value) => value !== undefined);
  if (engine === "redis") return "plain";
  if (engine === "mongodb") {
    const lax = ["tlsinsecure", "tlsallowinvalidcertificates", "tlsallowinvalidhostnames"];
    const tls = get("tls", "ssl") ?? (driver === "+srv" ? "true" : "false");
    if (tls !== "true") return "plain";
    return lax.some((key) => parameters.get(key) === "true") ? "encrypted" : "verified";
  }
  const mode = get("sslmode", "ssl") ?? get("tls", "usessl") ?? get("sslaccept");
  if (mode === undefined)
    return engine === "postgres" || parameters.has("sslca") ? caMode(engine, parameters) : "plain";
  return (
    modes[mode.replace(/[-_]/g, "")] ??
    (mode.includes('"rejectunauthorized":true') ? "verified" : "encrypted")
  );
}

/**
 * Without a mode, libpq tries TLS and continues without it; MySQL's tools verify the server if an authority is set.
 */
function caMode(engine: Engine, parameters: ReadonlyMap<string, string>): Mode {
  if (engine === "postgres") return "optional";
  return parameters.has("sslca") ? "encrypted" : "plain";
}

/**
 * Values of sslmode, ssl-mode, ssl, tls, useSSL and sslaccept, from the manuals of libpq, MySQL and their drivers.
 */
const modes: Readonly<Record<string, Mode>> = {
  disable: "plain",
  disabled: "plain",
  false: "plain",
  "0": "plain",
  off: "plain",
  none: "plain",
  allow: "optional",
  prefer: "optional",
  preferred: "optional",
  require: "encrypted",
  required: "encrypted",
  skipverify: "encrypted",
  acceptinvalidcerts: "encrypted",
  true: "encrypted",
  "1": "encrypted",
  verifyca: "encrypted",
  verifyfull: "verified",
  verifyidentity: "verified",
  strict: "verified",
};

const modeSetting =
  /\b(?:PG|DB_|DATABASE_|MYSQL_|POSTGRES_)?SSL[-_]?MODE["']?\s*[:=]\s*["']?(DISABLED?|ALLOW|PREFER(?:RED)?)\b/i;
const localHost = /\bhost\s*=\s*["']?(localhost|127\.|\/|::1)/i;
const unverified = /\bNODE_TLS_REJECT_UNAUTHORIZED["']?\s*[:=]\s*["']?0\b/;
const skipped = /(^|\s)(--skip-ssl|--ssl=0|--ssl-mode=(disabled|preferred))\b/i;

function weakSettings(line: string): readonly Weak[] {
  const weak: Weak[] = [];
  const inAddress = /:\/\//.test(line);
  const mode = modeSetting.exec(line)?.[1]?.toUpperCase();
  if ((mode !== undefined && !inAddress && !localHost.test(line)) || skipped.test(line)) {
    weak.push({
      problem: mode === undefined ? "a client's TLS is switched off" : `a client's TLS mode is ${mode}`,
      fix: "set the mode to VERIFY_IDENTITY (MySQL) or verify-full (PostgreSQL)",
    });
  }
  if (unverified.test(line)) {
    weak.push({
      problem: "NODE_TLS_REJECT_UNAUTHORIZED is 0",
      fix: "remove it, and set the authority in NODE_EXTRA_CA_CERTS",
    });
  }
  return weak;
}
