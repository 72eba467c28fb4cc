/** MySQL: clients use only TLS, and group, recovery and replication traffic uses TLS with verified identity. */
import {
  isLocalOnly,
  type MysqlServer,
  readMysqlServers,
  settingsOf,
  usesGroupReplication,
} from "../../evidence/mysql";
import { quoted, shownPath } from "../../frame/message";
import { type Finding, notJudged, plaintextHop } from "./findings";

/** Checks the server options of a database host, and every statement that sets a replica's source. */
export function judgeMysql(files: ReadonlyMap<string, string>): readonly Finding[] {
  const servers = readMysqlServers(files);
  // A host with a server but without options uses the defaults, which do not require TLS.
  return (servers.length > 0 ? servers : [{ options: [], faults: [] }]).flatMap(judgeServer);
}

function judgeServer(server: MysqlServer): readonly Finding[] {
  const faults: Finding[] = server.faults.map(({ path, line, problem }) => ({
    at: `${shownPath(path)}:${line}`,
    problem,
    why: notJudged,
    fix: "write the options into files in the user data or the evidence",
  }));
  return [...faults, ...judgeClients(server), ...judgeTlsVersions(server), ...judgeGroup(server)];
}

export const offWords = ["OFF", "ON"];

/** The option file of a server that has only one, to tell several servers of a host apart. */
function placeOf({ options }: MysqlServer): { readonly at?: string } {
  const paths = new Set(options.map(({ path }) => path));
  const [path] = paths;
  return path === undefined || paths.size > 1 ? {} : { at: shownPath(path) };
}

function judgeClients(server: MysqlServer): readonly Finding[] {
  const findings: Finding[] = [];
  for (const { path, line } of settingsOf(server, "ssl").filter(({ value }) => value === "OFF")) {
    findings.push({
      at: `${shownPath(path)}:${line}`,
      problem: "TLS is switched off on the server (ssl is OFF)",
      why: plaintextHop,
      fix: "remove the option that switches off TLS",
    });
  }
  if (isLocalOnly(server)) return findings;
  const name = "require_secure_transport";
  const settings = settingsOf(server, name);
  const fix = `set ${name} = ON in the [mysqld] group`;
  if (settings.length === 0) {
    findings.push({
      ...placeOf(server),
      problem: `no option file sets ${name}, whose default is OFF`,
      why: plaintextHop,
      fix,
    });
  }
  for (const { value, path, line } of settings.filter((setting) => setting.value !== "ON")) {
    findings.push({
      at: `${shownPath(path)}:${line}`,
      problem: `${name} is ${quoted(value, offWords)}`,
      why: plaintextHop,
      fix,
    });
  }
  return findings;
}

function judgeTlsVersions(server: MysqlServer): readonly Finding[] {
  return settingsOf(server, "tls_version").flatMap(({ rawValue, path, line }) => {
    const versions = rawValue.split(",").map((version) => version.trim());
    if (versions.every((version) => version === "TLSv1.2" || version === "TLSv1.3")) return [];
    const weak = versions.find((version) => version !== "TLSv1.2" && version !== "TLSv1.3") ?? "";
    return [
      {
        at: `${shownPath(path)}:${line}`,
        problem: `tls_version allows ${quoted(weak, ["TLSv1", "TLSv1.1"])}`,
        why: "TLS before 1.2 has known attacks (RFC 8996), and an empty list switches off TLS",
        fix: "set tls_version = TLSv1.2,TLSv1.3",
      },
    ];
  });
}

interface Demand {
  readonly name: string;
  readonly value: string;
  readonly vocabulary: readonly string[];
  readonly fallback: string;
  readonly why: string;
}

/** Options of Group Replication, with the server's defaults (manual, "Group Replication System Variables"). */
export const groupDemands: readonly Demand[] = [
  {
    name: "group_replication_ssl_mode",
    value: "VERIFY_IDENTITY",
    vocabulary: ["DISABLED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"],
    fallback: "DISABLED",
    why: "every row that the group replicates is sent between its members, and only a verified member may read it",
  },
  {
    name: "group_replication_recovery_use_ssl",
    value: "ON",
    vocabulary: offWords,
    fallback: "OFF",
    why: "a joining member receives all data over this connection",
  },
  {
    name: "group_replication_recovery_ssl_verify_server_cert",
    value: "ON",
    vocabulary: offWords,
    fallback: "OFF",
    why: "without verification, a joining member accepts data from any server at a donor's address",
  },
];

function judgeGroup(server: MysqlServer): readonly Finding[] {
  if (!usesGroupReplication(server)) return [];
  return groupDemands.flatMap(({ name, value, vocabulary, fallback, why }) => {
    const settings = settingsOf(server, name);
    const fix = `set ${name} = ${value}`;
    if (settings.length === 0) {
      const problem = `no option file sets ${name}, whose default is ${fallback}`;
      return [{ ...placeOf(server), problem, why, fix }];
    }
    return settings
      .filter((setting) => setting.value !== value)
      .map((setting) => ({
        at: `${shownPath(setting.path)}:${setting.line}`,
        problem: `${name} is ${quoted(setting.value, vocabulary)}`,
        why,
        fix,
      }));
  });
}
