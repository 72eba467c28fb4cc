/** HAProxy: no plain text listener or server beyond the host itself, and TLS connections are verified. */
import { carriesItsOwnEncryption, isLoopback, parseHostPort } from "../../evidence/addresses";
import { shownHost, shownPath } from "../../frame/message";
import { type HaproxyLine, type HaproxySection, parseHaproxy } from "../../parsers/haproxy";
import { type Finding, noIdentity, notJudged, plaintextHop } from "./findings";

export function isHaproxyPath(path: string): boolean {
  return /(^|\/)haproxy\/.*\.cfg$|(^|\/)haproxy[^/]*\.cfg$/.test(path);
}

export function judgeHaproxy(files: ReadonlyMap<string, string>): readonly Finding[] {
  return [...files].filter(([path]) => isHaproxyPath(path)).flatMap(([path, text]) => judgeFile(path, text));
}

function judgeFile(path: string, text: string): readonly Finding[] {
  const parsed = parseHaproxy(text);
  if (!parsed.ok) {
    return [
      {
        at: `${shownPath(path)}:${parsed.line}`,
        problem: `it cannot be read: ${parsed.reason}`,
        why: notJudged,
        fix: "write the configuration without conditions, and close its quotes",
      },
    ];
  }
  return new FileJudge(path, parsed.sections).judge();
}

/** Settings that a section takes from its own lines or, if absent, from its defaults section. */
interface SectionSettings {
  readonly mode: string;
  readonly defaultServer: readonly string[];
  readonly defaultBind: readonly string[];
}

const builtIn: SectionSettings = { mode: "tcp", defaultServer: [], defaultBind: [] };

/** A section that carries traffic, with its settings and the server settings of its lines. */
interface Proxy {
  readonly section: HaproxySection;
  readonly settings: SectionSettings;
  readonly servers: readonly Server[];
}

interface Server {
  readonly line: HaproxyLine;
  readonly options: readonly string[];
  readonly target: Target;
  readonly encrypts: boolean;
}

class FileJudge {
  private readonly findings: Finding[] = [];
  private readonly proxies: Proxy[] = [];
  private verifyByDefault = true;
  private weakestByDefault: readonly string[] = [];

  constructor(
    private readonly path: string,
    sections: readonly HaproxySection[],
  ) {
    const named = new Map<string, SectionSettings>();
    let latest = builtIn;
    for (const section of sections) {
      if (section.kind === "global") this.readGlobal(section);
      const base = section.from === undefined ? latest : (named.get(section.from) ?? latest);
      if (section.kind === "defaults") {
        // An anonymous defaults section starts from scratch; a named one can extend another.
        latest = settingsOf(section, section.from === undefined ? builtIn : base);
        if (section.name !== undefined) named.set(section.name, latest);
      } else if (["frontend", "backend", "listen"].includes(section.kind)) {
        const settings = settingsOf(section, base);
        this.proxies.push({ section, settings, servers: serversOf(section, settings) });
      }
    }
  }

  judge(): readonly Finding[] {
    for (const proxy of this.proxies) {
      for (const line of proxy.section.lines) if (line.words[0] === "bind") this.judgeBind(line, proxy);
      for (const server of proxy.servers) this.judgeServer(server, proxy);
    }
    return this.findings;
  }

  private readGlobal(section: HaproxySection): void {
    for (const { words } of section.lines) {
      if (words[0] === "ssl-server-verify" && words[1] === "none") this.verifyByDefault = false;
      if (words[0] === "ssl-default-bind-options") this.weakestByDefault = words.slice(1);
    }
  }

  /** The servers behind a listener: the section's own, and those of the backends that it names. */
  private serversBehind({ section, servers }: Proxy): readonly Server[] {
    const names = section.lines
      .filter(({ words }) => words[0] === "default_backend" || words[0] === "use_backend")
      .map(({ words }) => words[1] ?? "");
    const backends = this.proxies.filter((proxy) => proxy.section.kind !== "frontend");
    // A name that is computed at run time can be any name.
    const isDynamic = names.some((name) => name.includes("%[") || name.includes("$"));
    const named = backends.filter((proxy) => isDynamic || names.includes(proxy.section.name ?? ""));
    return [...servers, ...named.flatMap((proxy) => proxy.servers)];
  }

  private judgeBind(line: HaproxyLine, proxy: Proxy): void {
    const options = [...proxy.settings.defaultBind, ...line.words.slice(2)];
    for (const address of (line.words[1] ?? "").split(",")) {
      const target = parseTarget(address);
      if (target.local) continue;
      if (options.includes("ssl")) this.judgeBindVersion(line, options);
      else if (!this.isSafeWithoutTls(proxy)) {
        this.report(line, {
          problem: `HAProxy serves plain text${target.port === undefined ? "" : ` on port ${target.port}`}`,
          why: plaintextHop,
          fix: "add ssl and crt to the bind line, bind it to loopback or a unix socket, or let the section only redirect to HTTPS",
        });
      }
    }
  }

  /** A listener without TLS can redirect to HTTPS, or forward the bytes of an encrypted protocol. */
  private isSafeWithoutTls(proxy: Proxy): boolean {
    if (proxy.settings.mode !== "tcp") return onlyRedirects(proxy.section);
    return this.serversBehind(proxy).every(
      ({ encrypts, target }) => !encrypts && carriesItsOwnEncryption(target.port ?? onlyPort(proxy.section)),
    );
  }

  private judgeBindVersion(line: HaproxyLine, options: readonly string[]): void {
    const all = [...this.weakestByDefault, ...options];
    const minimum = all[all.lastIndexOf("ssl-min-ver") + 1];
    const isWeak = all.includes("ssl-min-ver") && ["SSLv3", "TLSv1.0", "TLSv1.1"].includes(minimum ?? "");
    const forced = all.some((option) => ["force-sslv3", "force-tlsv10", "force-tlsv11"].includes(option));
    if (!isWeak && !forced) return;
    this.report(line, {
      problem: "the listener allows TLS versions before 1.2",
      why: "SSL and TLS before 1.2 have known attacks (RFC 8996)",
      fix: "set ssl-min-ver TLSv1.2",
    });
  }

  private judgeServer({ line, options, target, encrypts }: Server, { section, settings }: Proxy): void {
    if (target.local) return;
    if (encrypts) {
      this.judgeVerification(line, options, target.shown);
      return;
    }
    const endsTls = this.proxies
      .filter((proxy) => this.serversBehind(proxy).some((server) => server.line === line))
      .some((proxy) => proxy.section.lines.some(({ words }) => words[0] === "bind" && words.includes("ssl")));
    const port = target.port ?? onlyPort(section);
    if (settings.mode === "tcp" && !endsTls && carriesItsOwnEncryption(port)) return;
    this.report(line, {
      problem: `HAProxy sends traffic to ${target.shown} in plain text`,
      why: plaintextHop,
      fix: "add ssl verify required ca-file ... to the server line, or forward an encrypted protocol in mode tcp",
    });
  }

  private judgeVerification(line: HaproxyLine, options: readonly string[], shown: string): void {
    const at = options.lastIndexOf("verify");
    const verifies = at === -1 ? this.verifyByDefault : options[at + 1] === "required";
    if (verifies) return;
    this.report(line, {
      problem: `HAProxy connects to ${shown} with TLS without verifying its certificate`,
      why: noIdentity,
      fix: "set verify required with ca-file and verifyhost on the server line",
    });
  }

  private report(line: HaproxyLine, finding: Omit<Finding, "at">): void {
    this.findings.push({ at: `${shownPath(this.path)}:${line.line}`, ...finding });
  }
}

/** Position of the address in the lines that define a server. */
const addressAt: Readonly<Record<string, number>> = { server: 2, "server-template": 3, dispatch: 1 };

function serversOf({ lines }: HaproxySection, settings: SectionSettings): readonly Server[] {
  return lines.flatMap((line) => {
    const at = addressAt[line.words[0] ?? ""];
    if (at === undefined) return [];
    const options = [...settings.defaultServer, ...line.words.slice(at + 1)];
    const encrypts = options.lastIndexOf("ssl") > options.lastIndexOf("no-ssl");
    return [{ line, options, target: parseTarget(line.words[at] ?? ""), encrypts }];
  });
}

/** The port that a section listens on, if there is only one. A server without a port uses it. */
function onlyPort({ lines }: HaproxySection): number | undefined {
  const ports = lines
    .filter(({ words }) => words[0] === "bind")
    .flatMap(({ words }) => (words[1] ?? "").split(","))
    .map((address) => parseTarget(address).port);
  return ports.length === 1 ? ports[0] : undefined;
}

function settingsOf(section: HaproxySection, base: SectionSettings): SectionSettings {
  const last = (keyword: string) =>
    section.lines
      .filter(({ words }) => words[0] === keyword)
      .at(-1)
      ?.words.slice(1);
  const defaultServers = section.lines.filter(({ words }) => words[0] === "default-server");
  return {
    mode: last("mode")?.[0] ?? base.mode,
    defaultServer: [...base.defaultServer, ...defaultServers.flatMap(({ words }) => words.slice(1))],
    defaultBind: last("default-bind") ?? base.defaultBind,
  };
}

interface Target {
  readonly local: boolean;
  readonly port?: number;
  readonly shown: string;
}

/** An address in a bind or server line: `host:port`, `*:443`, `/path`, `unix@/path`, `ipv4@host:port`, `fd@3`. */
function parseTarget(address: string): Target {
  if (address.startsWith("/") || /^(unix|abns|abnsz|fd|sockpair|rhttp)@/.test(address)) {
    return { local: true, shown: "a local socket" };
  }
  const bare = address.replace(/^(ipv4|ipv6|tcp|tcp4|tcp6|quic4|quic6|udp|udp4|udp6)@/, "");
  const parsed = parseHostPort(bare);
  if (parsed === undefined) return { local: false, shown: "another host" };
  return {
    local: isLoopback(parsed.host),
    shown: shownHost(parsed.host),
    ...(parsed.port === undefined ? {} : { port: parsed.port }),
  };
}

/** True if a section only redirects to HTTPS: an unconditional redirect, and no server behind it. */
function onlyRedirects({ lines }: HaproxySection): boolean {
  return lines.some(({ words }) => {
    const at =
      words[0] === "http-request" && words[1] === "redirect" ? 2 : words[0] === "redirect" ? 1 : undefined;
    if (at === undefined || words[at] !== "scheme" || words[at + 1] !== "https") return false;
    const condition = words.findIndex((word) => word === "if" || word === "unless");
    if (condition === -1) return true;
    // On a plain text listener ssl_fc is never true, so the redirect is unconditional.
    const clause = words
      .slice(condition)
      .join(" ")
      .replace(/[{}\s]+/g, " ")
      .trim();
    return clause === "unless ssl_fc" || clause === "if !ssl_fc" || clause === "if ! ssl_fc";
  });
}
