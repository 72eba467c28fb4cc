/**
 * Apache httpd: no plain text listener or backend beyond the host itself, and no weak TLS.
 *
 * Facts from the manual of version 2.4. Listen (mod_mpm_common): without an address it listens on all interfaces; its
 * protocol is https on port 443, and http otherwise. SSLEngine (mod_ssl): off by default; the code of mod_ssl switches
 * it on where the protocol is https and there is a certificate (ssl_engine_init.c). SSLProtocol: "all -SSLv3" by
 * default. A request to an address without a virtual host is answered by the main server ("An In-Depth Discussion of
 * Virtual Host Matching").
 */
import { isLoopback, parseHostPort } from "../../evidence/addresses";
import { apacheTree } from "../../evidence/apache";
import type { PlacedDirective } from "../../evidence/directive-tree";
import { quoted } from "../../frame/message";
import { judgeBackends } from "./apache-backends";
import { onlyRedirects, redirectsEverything } from "./apache-redirects";
import { type Finding, notJudged, plaintextHop, unread } from "./findings";
import { place } from "./nginx-settings";

type Files = ReadonlyMap<string, string>;

/** Checks all files of httpd on a host. */
export function judgeApache(files: Files): readonly Finding[] {
  const { directives, faults } = apacheTree(files);
  return [...unread(faults), ...new ServerJudge(directives).judge(), ...judgeBackends(directives, files)];
}

/** True if the files contain a listener or a virtual host, so that the package's own site is not the only one. */
export function hasApacheServer(files: Files): boolean {
  return apacheTree(files).directives.some(({ name }) => name === "listen" || name === "virtualhost");
}

interface Address {
  readonly host: string;
  /** Undefined: every port that httpd listens on. */
  readonly port: number | undefined;
}

interface Listen extends Address {
  readonly directive: PlacedDirective;
  readonly isHttps: boolean;
}

/** `80`, `*:80`, `_default_:443`, `[::]:80`, `10.0.0.1`; undefined if a variable sets a part of it. */
function addressOf(text: string): Address | undefined {
  if (/^\d{1,5}$/.test(text)) return { host: "*", port: Number(text) };
  const parsed = parseHostPort(text.replace(/:\*$/, ""));
  return text.includes("$") || parsed === undefined ? undefined : { host: parsed.host, port: parsed.port };
}

const settingOf = (block: readonly PlacedDirective[], name: string) =>
  block.filter((one) => one.name === name && one.block === undefined).at(-1)?.args;

class ServerJudge {
  private readonly findings: Finding[] = [];
  private readonly listens: readonly Listen[];
  private readonly hosts: readonly PlacedDirective[];
  /** Ports with a virtual host that other hosts can reach; undefined means every port. */
  private readonly covered = new Set<number | undefined>();

  constructor(private readonly main: readonly PlacedDirective[]) {
    this.hosts = main.filter(({ name }) => name === "virtualhost");
    this.listens = main
      .filter(({ name }) => name === "listen")
      .flatMap((directive) => this.readListen(directive));
  }

  judge(): readonly Finding[] {
    for (const host of this.hosts) this.judgeHost(host);
    if (this.covered.has(undefined)) return this.findings;
    for (const listen of this.listens) if (!this.covered.has(listen.port)) this.judgeMain(listen);
    return this.findings;
  }

  private readListen(directive: PlacedDirective): readonly Listen[] {
    const [text = "", protocol] = directive.args;
    const address = addressOf(text);
    if (address !== undefined)
      return [{ ...address, directive, isHttps: (protocol ?? defaultProtocol(address.port)) === "https" }];
    this.reportUnknown(directive);
    return [];
  }

  private judgeHost(host: PlacedDirective): void {
    const block = host.block ?? [];
    const addresses = host.args.map(addressOf);
    for (const address of addresses)
      if (address !== undefined && !isLoopback(address.host)) this.covered.add(address.port);
    if (addresses.includes(undefined)) {
      this.reportUnknown(host);
      this.covered.add(undefined);
    }
    const open = addresses.filter((one) => one !== undefined && !this.isLocal(one)) as readonly Address[];
    if (open.some((address) => this.usesTls(block, address))) this.judgeProtocols(host);
    const plain = open.filter((address) => !this.usesTls(block, address));
    if (plain.length === 0 || onlyRedirects(block)) return;
    for (const { port } of plain) this.reportPlain(host, port);
  }

  /** The main server answers where no virtual host does. */
  private judgeMain(listen: Listen): void {
    if (isLoopback(listen.host)) return;
    if (this.usesTls([], listen)) this.judgeProtocols(listen.directive);
    else if (!redirectsEverything(this.main)) this.reportPlain(listen.directive, listen.port);
  }

  /** A virtual host is local if its address is, or if httpd listens to its port on loopback only. */
  private isLocal({ host, port }: Address): boolean {
    if (isLoopback(host)) return true;
    const own = this.listens.filter((listen) => port === undefined || listen.port === port);
    return own.length > 0 && own.every((listen) => isLoopback(listen.host));
  }

  private usesTls(block: readonly PlacedDirective[], { port }: Address): boolean {
    const setting = (name: string) => settingOf(block, name) ?? settingOf(this.main, name);
    const engine = setting("sslengine")?.[0]?.toLowerCase();
    if (engine !== undefined) return engine === "on";
    const own = this.listens.filter((listen) => listen.port === port);
    const isHttps =
      own.length > 0 ? own.every((listen) => listen.isHttps) : defaultProtocol(port) === "https";
    return isHttps && setting("sslcertificatefile") !== undefined;
  }

  private judgeProtocols(host: PlacedDirective): void {
    const protocols = settingOf(host.block ?? [], "sslprotocol") ?? settingOf(this.main, "sslprotocol");
    const fix = "set SSLProtocol -all +TLSv1.2 +TLSv1.3";
    if (protocols === undefined) {
      this.findings.push({
        at: place(host),
        problem: "the server sets no SSLProtocol",
        why: "the default (all -SSLv3) allows TLS 1.0 and 1.1, unless the system's OpenSSL refuses them",
        fix,
      });
      return;
    }
    for (const protocol of enabledProtocols(protocols)) {
      if (protocol === "TLSv1.2" || protocol === "TLSv1.3") continue;
      this.findings.push({
        at: place(host),
        problem: `SSLProtocol allows ${quoted(protocol, everyProtocol)}`,
        why: "SSL and TLS before 1.2 have known attacks (RFC 8996)",
        fix,
      });
    }
  }

  private reportPlain(directive: PlacedDirective, port: number | undefined): void {
    this.findings.push({
      at: place(directive),
      problem: `Apache serves plain text${port === undefined ? "" : ` on port ${port}`}`,
      why: plaintextHop,
      fix: "set SSLEngine on with a certificate in the virtual host of that port, listen on 127.0.0.1, let the virtual host only redirect (Redirect permanent / https://...), or remove the Listen line",
    });
  }

  private reportUnknown(directive: PlacedDirective): void {
    this.findings.push({
      at: place(directive),
      problem: "a variable sets the address or the port",
      why: notJudged,
      fix: "write the address and the port as text, or set the variable with Define in a file of the user data",
    });
  }
}

const defaultProtocol = (port: number | undefined) => (port === 443 ? "https" : "http");

const everyProtocol = ["SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];

/** The protocols of an SSLProtocol directive: `+` adds one, `-` takes one away, and a bare one replaces the others. */
function enabledProtocols(args: readonly string[]): readonly string[] {
  let enabled: readonly string[] = [];
  for (const arg of args) {
    const [, sign = "", name = ""] = /^([+-]?)(.*)$/.exec(arg) ?? [];
    const named =
      name.toLowerCase() === "all"
        ? everyProtocol.filter((protocol) => !protocol.startsWith("SSL"))
        : [everyProtocol.find((protocol) => protocol.toLowerCase() === name.toLowerCase()) ?? name];
    if (sign === "-") enabled = enabled.filter((protocol) => !named.includes(protocol));
    else enabled = sign === "+" ? [...enabled, ...named] : named;
  }
  return enabled;
}
