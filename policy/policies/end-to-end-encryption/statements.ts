/** SQL statements and options of commands that switch off encryption of a MySQL server that runs. */
import type { HostContent } from "../../evidence/content";
import { quoted, shownPath } from "../../frame/message";
import { findChangeSource, findServerSettings, type ServerSetting } from "../../parsers/sql";
import { type Finding, noIdentity, plaintextHop } from "./findings";
import { groupDemands, offWords } from "./mysql";

/** Checks the statements in all files and scripts of a host. A replica need not have its own options. */
export function judgeStatements({ files, scripts }: HostContent): readonly Finding[] {
  return [
    ...[...files].flatMap(([path, text]) => judgeText(text, (line) => `${shownPath(path)}:${line}`)),
    ...scripts.flatMap((text) => judgeText(text, (line) => `script, line ${line}`)),
  ];
}

type Place = (line: number) => string;

function judgeText(text: string, place: Place): readonly Finding[] {
  return [
    ...(/change\s/i.test(text) ? judgeSources(text, place) : []),
    ...(/\bset\s/i.test(text) ? judgeSettings(text, place) : []),
    ...(/ssl|secure/i.test(text) ? judgeOptions(text, place) : []),
  ];
}

function judgeSources(text: string, place: Place): readonly Finding[] {
  return findChangeSource(text).flatMap(({ options, channel, line }) => {
    const isOn = (name: string) => ["1", "ON", "TRUE"].includes((options.get(name) ?? "0").toUpperCase());
    const at = place(line);
    // The group's recovery channel takes its TLS settings from the group_replication_recovery options.
    if (channel === "group_replication_recovery") return [];
    // Without SOURCE_HOST, a statement keeps the settings that it does not name.
    const sets = (name: string) => options.has("SOURCE_HOST") || options.has(name);
    if (sets("SOURCE_SSL") && !isOn("SOURCE_SSL")) {
      return [
        {
          at,
          problem: "the replica reads from its source without SOURCE_SSL=1",
          why: plaintextHop,
          fix: "add SOURCE_SSL=1, SOURCE_SSL_CA and SOURCE_SSL_VERIFY_SERVER_CERT=1 to CHANGE REPLICATION SOURCE TO",
        },
      ];
    }
    if (!sets("SOURCE_SSL_VERIFY_SERVER_CERT") || isOn("SOURCE_SSL_VERIFY_SERVER_CERT")) return [];
    return [
      {
        at,
        problem: "the replica does not verify its source (SOURCE_SSL_VERIFY_SERVER_CERT is not 1)",
        why: noIdentity,
        fix: "add SOURCE_SSL_VERIFY_SERVER_CERT=1 and SOURCE_SSL_CA to CHANGE REPLICATION SOURCE TO",
      },
    ];
  });
}

/** The values that a statement may set, by variable. */
const demands: ReadonlyMap<
  string,
  { readonly values: readonly string[]; readonly vocabulary: readonly string[] }
> = new Map([
  ["require_secure_transport", { values: ["ON", "1", "TRUE"], vocabulary: offWords }],
  ...groupDemands.map(
    ({ name, value, vocabulary }) =>
      [name, { values: value === "ON" ? ["ON", "1", "TRUE"] : [value], vocabulary }] as const,
  ),
]);

function judgeSettings(text: string, place: Place): readonly Finding[] {
  return findServerSettings(text).flatMap((setting) => judgeSetting(setting, place));
}

function judgeSetting({ name, value, line }: ServerSetting, place: Place): readonly Finding[] {
  const at = place(line);
  if (name === "tls_version" || name === "admin_tls_version") {
    if (value !== undefined && /^(?:TLSV1\.[23],?)+$/.test(value)) return [];
    const problem = `a statement sets ${name} to a list other than TLSv1.2,TLSv1.3`;
    return [
      { at, problem, why: plaintextHop, fix: `set ${name} to 'TLSv1.2,TLSv1.3', or remove the statement` },
    ];
  }
  const demand = demands.get(name);
  if (demand === undefined || (value !== undefined && demand.values.includes(value))) return [];
  const word = value === "0" || value === "FALSE" ? "OFF" : value;
  const shown =
    word === undefined ? "a value that is unknown" : quoted(word, [...demand.vocabulary, "DEFAULT"]);
  return [
    {
      at,
      problem: `a statement sets ${name} to ${shown} while the server runs`,
      why: plaintextHop,
      fix: `remove the statement, and set ${name} = ${demand.values[0]} in the option files`,
    },
  ];
}

const switchedOff: readonly (readonly [RegExp, string])[] = [
  [
    /--(?:loose-)?require[-_]secure[-_]transport(?:=|\s+)["']?(?:OFF|0|FALSE)\b/i,
    "require_secure_transport is OFF",
  ],
  [/--skip-require[-_]secure[-_]transport\b/i, "require_secure_transport is OFF"],
  [/\b(?:mysqld|mysqld_safe|mariadbd)\b[^\n]*--(?:skip-ssl|ssl=(?:0|OFF|FALSE))\b/i, "ssl is OFF"],
  [/\bREQUIRE\s+NO\s+SSL\b/i, "REQUIRE NO SSL"],
  [/\bmemberSslMode["']?\s*:\s*["']?DISABLED/i, "memberSslMode is DISABLED"],
];

/** Options on command lines, and other words that switch off TLS. */
function judgeOptions(text: string, place: Place): readonly Finding[] {
  return text.split("\n").flatMap((content, index) => {
    if (/^\s*(?:#|--\s)/.test(content)) return [];
    return switchedOff
      .filter(([pattern]) => pattern.test(content))
      .map(([, what]) => ({
        at: place(index + 1),
        problem: `a command or statement switches off TLS of MySQL (${what})`,
        why: plaintextHop,
        fix: "remove that option",
      }));
  });
}
