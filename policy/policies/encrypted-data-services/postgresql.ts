/** Reads PostgreSQL's settings and its rules of access. Source: the manual's pages on connections and pg_hba.conf. */
import { type Files, isLocal, linesOf, type ServiceProblem, settingOf, textOf } from "./service-file";

export const settingsPath = /(^|\/)postgresql(\.auto)?\.conf$|\/postgresql\/.*\/conf\.d\/[^/]+\.conf$/;

const postgresqlLines = (text: string) => linesOf(text, /\s*=\s*|\s+/);

/** Whether PostgreSQL listens to other hosts, by all its files; undefined if none of them says it. */
function postgresqlIsOpen(files: Files): boolean | undefined {
  const addresses = [...files]
    .filter(([path]) => settingsPath.test(path))
    .flatMap(([, text]) => settingOf(postgresqlLines(text), "listen_addresses") ?? [])
    .map(textOf);
  if (addresses.length === 0) return undefined;
  return addresses.some((list) =>
    list.split(/[\s,]+/).some((address) => address !== "" && !isLocal(address)),
  );
}

/** `name = value`; lists are in quotes. By default, PostgreSQL listens to localhost, without TLS. */
export function readPostgresql(path: string, text: string, files: Files): readonly ServiceProblem[] {
  const lines = postgresqlLines(text);
  const listen = settingOf(lines, "listen_addresses");
  const isOpen = postgresqlIsOpen(files) === true;
  const tls = settingOf(lines, "ssl");
  const isOff = isOpen && tls !== undefined && /^(off|false|no|0)$/i.test(textOf(tls));
  // Distributions set ssl in the main file, so a file beside it can leave it out.
  const isMissing = tls === undefined && listen !== undefined && isOpen && /\/postgresql\.conf$/.test(path);
  const oldest = settingOf(lines, "ssl_min_protocol_version");
  return [
    ...(isOff || isMissing
      ? [
          {
            path,
            line: (tls ?? listen)?.number ?? 1,
            problem: "PostgreSQL listens to other hosts, and ssl is not on",
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
export function readAccess(path: string, text: string, files: Files): readonly ServiceProblem[] {
  if (postgresqlIsOpen(files) === false) return [];
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
