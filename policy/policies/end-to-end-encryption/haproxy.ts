/** HAProxy: no listener and no server in plain text beyond the host itself, and verified TLS where it speaks TLS. */
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
        fix: "write the configuration without conditions and with its quotes closed",
      },
    ];
  }
  return new FileJudge(path, parsed.sections).judge();
}

/** What a section takes from its own lines, and else from its defaults section. */
interface SectionSettings {
  readonly mode: string;
  readonly defaultServer: readonly string[];
  readonly defaultBind: readonly string[];
}

const builtIn: SectionSettings = { mode: "tcp", defaultServer: [], defaultBind: [] };

class FileJudge {
  private readonly findings: Finding[] = [];
  private verifyByDefault = true;
  private weakestByDefault: readonly string[] = [];

  constructor(
    private readonly path: string,
    private readonly sections: readonly HaproxySection[],
  ) {}

  judge(): readonly Finding[] {
    const named = new Map<string, SectionSettings>();
    let latest = builtIn;
    for (const section of this.sections) {
      if (section.kind === "global") this.readGlobal(section);
      const base = section.from === undefined ? latest : (named.get(section.from) ?? latest);
      if (section.kind === "defaults") {
        // An anonymous defaults section starts afresh; a named one may build on another.
        latest = settingsOf(section, section.from === undefined ? builtIn : base);
        if (section.name !== undefined) named.set(section.name, latest);
      } else if (["frontend", "backend", "listen"].includes(section.kind)) {
        this.judgeSection(section, settingsOf(section, base));
      }
    }
    return this.findings;
  }

  private readGlobal(section: HaproxySection): void {
    for (const { words } of section.lines) {
      if (words[0] === "ssl-server-verify" && words[1] === "none") this.verifyByDefault = false;
      if (words[0] === "ssl-default-bind-options") this.weakestByDefault = words.slice(1);
    }
  }

  private judgeSection(section: HaproxySection, settings: SectionSettings): void {
    const redirects = onlyRedirects(section);
    const bindPorts: number[] = [];
    for (const line of section.lines) {
      const [keyword] = line.words;
      if (keyword === "bind") bindPorts.push(...this.judgeBind(line, settings, redirects));
    }
    const endsTls = section.lines.some(({ words }) => words[0] === "bind" && words.includes("ssl"));
    for (const line of section.lines) {
      const [keyword] = line.words;
      if (keyword === "server") this.judgeServer(line, line.words[2], 3, settings, endsTls, bindPorts);
      if (keyword === "server-template")
        this.judgeServer(line, line.words[3], 4, settings, endsTls, bindPorts);
      if (keyword === "dispatch") this.judgeServer(line, line.words[1], 2, settings, endsTls, bindPorts);
    }
  }

  /** Gives the ports it listens on: a server without a port takes them. */
  private judgeBind(line: HaproxyLine, settings: SectionSettings, redirects: boolean): readonly number[] {
    const options = [...settings.defaultBind, ...line.words.slice(2)];
    const addresses = (line.words[1] ?? "").split(",");
    const ports: number[] = [];
    for (const address of addresses) {
      const target = parseTarget(address);
      if (target.port !== undefined) ports.push(target.port);
      if (target.local) continue;
      if (options.includes("ssl")) this.judgeBindVersion(line, options);
      else if (settings.mode !== "tcp" && !redirects) {
        this.report(line, {
          problem: `HAProxy serves plain text${target.port === undefined ? "" : ` on port ${target.port}`}`,
          why: plaintextHop,
          fix: "add ssl and crt to the bind line, bind it to loopback or a unix socket, or let the section do nothing but redirect to HTTPS",
        });
      }
    }
    return ports;
  }

  private judgeBindVersion(line: HaproxyLine, options: readonly string[]): void {
    const all = [...this.weakestByDefault, ...options];
    const minimum = all[all.lastIndexOf("ssl-min-ver") + 1];
    const isWeak = all.includes("ssl-min-ver") && ["SSLv3", "TLSv1.0", "TLSv1.1"].includes(minimum ?? "");
    const forced = all.some((option) => ["force-sslv3", "force-tlsv10", "force-tlsv11"].includes(option));
    if (!isWeak && !forced) return;
    this.report(line, {
      problem: "the listener allows TLS before 1.2",
      why: "SSL and TLS before 1.2 have known attacks (RFC 8996)",
      fix: "set ssl-min-ver TLSv1.2",
    });
  }

  private judgeServer(
    line: HaproxyLine,
    address: string | undefined,
    firstOption: number,
    settings: SectionSettings,
    endsTls: boolean,
    bindPorts: readonly number[],
  ): void {
    const target = parseTarget(address ?? "");
    if (target.local) return;
    const options = [...settings.defaultServer, ...line.words.slice(firstOption)];
    const encrypts = options.lastIndexOf("ssl") > options.lastIndexOf("no-ssl");
    if (encrypts) {
      this.judgeVerification(line, options, target.shown);
      return;
    }
    const port = target.port ?? (bindPorts.length === 1 ? bindPorts[0] : undefined);
    const passesOn = settings.mode === "tcp" && !endsTls && carriesItsOwnEncryption(port);
    if (passesOn) return;
    this.report(line, {
      problem: `HAProxy sends traffic to ${target.shown} in plain text`,
      why: plaintextHop,
      fix: "add ssl verify required ca-file ... to the server line, or pass an encrypted protocol through in mode tcp",
    });
  }

  private judgeVerification(line: HaproxyLine, options: readonly string[], shown: string): void {
    const at = options.lastIndexOf("verify");
    const verifies = at === -1 ? this.verifyByDefault : options[at + 1] === "required";
    if (verifies) return;
    this.report(line, {
      problem: `HAProxy speaks TLS to ${shown} without verifying its certificate`,
      why: noIdentity,
      fix: "set verify required with ca-file and verifyhost on the server line",
    });
  }

  private report(line: HaproxyLine, finding: Omit<Finding, "at">): void {
    this.findings.push({ at: `${shownPath(this.path)}:${line.line}`, ...finding });
  }
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

/** An address of a bind or server line: `host:port`, `*:443`, `/path`, `unix@/path`, `ipv4@host:port`, `fd@3`. */
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

/** Whether a section does nothing but redirect to HTTPS: an unconditional redirect, and no server behind it. */
function onlyRedirects({ lines }: HaproxySection): boolean {
  return lines.some(({ words }) => {
    const at =
      words[0] === "http-request" && words[1] === "redirect" ? 2 : words[0] === "redirect" ? 1 : undefined;
    if (at === undefined || words[at] !== "scheme" || words[at + 1] !== "https") return false;
    const condition = words.findIndex((word) => word === "if" || word === "unless");
    if (condition === -1) return true;
    // On a plain text listener ssl_fc is never true: the redirect is unconditional there.
    const clause = words
      .slice(condition)
      .join(" ")
      .replace(/[{}\s]+/g, " ")
      .trim();
    return clause === "unless ssl_fc" || clause === "if !ssl_fc" || clause === "if ! ssl_fc";
  });
}
