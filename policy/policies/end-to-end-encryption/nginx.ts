/** nginx: no listener and no upstream in plain text beyond the host itself, and no weak TLS. */
import { carriesItsOwnEncryption, isLoopback, parseHostPort } from "../../evidence/addresses";
import { nginxTree, type PlacedDirective } from "../../evidence/nginx";
import { quoted, shownHost, shownPath } from "../../frame/message";
import { type Finding, noIdentity, notJudged, plaintextHop } from "./findings";

/** Directives that hold for the blocks within, unless one of them says otherwise. */
const inherited = new Set([
  "ssl_protocols",
  "ssl_ciphers",
  "ssl",
  "proxy_ssl_verify",
  "grpc_ssl_verify",
  "proxy_ssl",
]);

type Settings = ReadonlyMap<string, readonly string[]>;

/** Judges all nginx files of a host. */
export function judgeNginx(files: ReadonlyMap<string, string>): readonly Finding[] {
  const tree = nginxTree(files);
  const findings: Finding[] = tree.faults.map(({ path, line, problem }) => ({
    at: `${shownPath(path)}:${line}`,
    problem,
    why: notJudged,
    fix: "write the whole configuration into files that the user data or the evidence holds",
  }));
  for (const context of tree.directives) {
    const settings = inherit(new Map(), context.block ?? []);
    if (context.name === "http") findings.push(...judgeHttp(context.block ?? [], settings));
    if (context.name === "stream") findings.push(...judgeStream(context.block ?? [], settings));
  }
  return findings;
}

/** True where the files hold a listener. */
export function hasNginxServer(files: ReadonlyMap<string, string>): boolean {
  return nginxTree(files).directives.some(({ block = [] }) => block.some(({ name }) => name === "server"));
}

/** Whether each plain text listener beyond the host itself does nothing but redirect to HTTPS or refuse. */
export function plaintextListenersOnlyRedirect(files: ReadonlyMap<string, string>): boolean {
  const servers = nginxTree(files)
    .directives.filter(({ name }) => name === "http")
    .flatMap(({ block = [] }) => block.filter(({ name }) => name === "server"));
  const plaintext = servers.filter((server) => listeners(server).some(isOpenPlaintext));
  return plaintext.length > 0 && plaintext.every((server) => onlyRedirects(server.block ?? []));
}

function inherit(outer: Settings, block: readonly PlacedDirective[]): Settings {
  const own = block.filter(({ name }) => inherited.has(name));
  return own.length === 0
    ? outer
    : new Map([...outer, ...own.map(({ name, args }) => [name, args] as const)]);
}

interface Listener {
  readonly directive: PlacedDirective;
  readonly tls: boolean;
  readonly local: boolean;
  readonly port: number | undefined;
}

const isOpenPlaintext = ({ tls, local }: Listener): boolean => !tls && !local;

/** The listeners of a server; a server without a listen directive listens on port 80 (ngx_http_core_module). */
function listeners(server: PlacedDirective): readonly Listener[] {
  const block = server.block ?? [];
  const allTls = block.some(({ name, args }) => name === "ssl" && args[0] === "on");
  const found = block
    .filter(({ name }) => name === "listen")
    .map((directive) => parseListener(directive, allTls));
  return found.length > 0 ? found : [{ directive: server, tls: allTls, local: false, port: 80 }];
}

function parseListener(directive: PlacedDirective, allTls: boolean): Listener {
  const [address = "", ...options] = directive.args;
  // QUIC has no form without TLS.
  const tls = allTls || options.includes("ssl") || options.includes("quic");
  if (address.startsWith("unix:")) return { directive, tls, local: true, port: undefined };
  if (/^\d{1,5}$/.test(address)) return { directive, tls, local: false, port: Number(address) };
  const target = parseHostPort(address);
  if (target === undefined) return { directive, tls, local: false, port: undefined };
  return { directive, tls, local: isLoopback(target.host), port: target.port ?? 80 };
}

function judgeHttp(block: readonly PlacedDirective[], settings: Settings): readonly Finding[] {
  const upstreams = namedBlocks(block, "upstream");
  return block
    .filter(({ name }) => name === "server")
    .flatMap((server) => {
      const own = inherit(settings, server.block ?? []);
      return [...judgeListeners(server, own), ...judgePasses(server.block ?? [], own, upstreams)];
    });
}

function namedBlocks(block: readonly PlacedDirective[], kind: string): ReadonlyMap<string, PlacedDirective> {
  return new Map(block.filter(({ name }) => name === kind).map((found) => [found.args[0] ?? "", found]));
}

function place({ path, line }: PlacedDirective): string {
  return `${shownPath(path)}:${line}`;
}

function judgeListeners(server: PlacedDirective, settings: Settings): readonly Finding[] {
  const found = listeners(server);
  const findings: Finding[] = [];
  if (!onlyRedirects(server.block ?? [])) {
    for (const listener of found.filter(isOpenPlaintext)) {
      const port = listener.port === undefined ? "" : ` on port ${listener.port}`;
      findings.push({
        at: place(listener.directive),
        problem: `nginx serves plain text${port}`,
        why: plaintextHop,
        fix: "add ssl to the listen directive, bind it to loopback or a unix socket, or let the server do nothing but return 301 https://...",
      });
    }
  }
  if (found.some(({ tls, local }) => tls && !local)) findings.push(...judgeTls(server, settings));
  return findings;
}

const strongProtocols = ["TLSv1.2", "TLSv1.3"];
const weakProtocols = ["SSLv2", "SSLv3", "TLSv1", "TLSv1.1"];
const weakCipher =
  /^(ALL|COMPLEMENTOFALL|eNULL|aNULL|NULL|EXP|EXPORT.*|LOW|DES|3DES|RC4|MD5|ADH|AECDH|.*-RC4.*|.*DES-CBC.*|.*-MD5|NULL-.*)$/i;

function judgeTls(server: PlacedDirective, settings: Settings): readonly Finding[] {
  const findings: Finding[] = [];
  const protocols = settings.get("ssl_protocols");
  const fix = "set ssl_protocols TLSv1.2 TLSv1.3";
  if (protocols === undefined) {
    findings.push({
      at: place(server),
      problem: "the server sets no ssl_protocols",
      why: "what nginx allows without it depends on its version and the distribution, and older ones allow TLS 1.0",
      fix,
    });
  }
  for (const protocol of protocols ?? []) {
    if (strongProtocols.includes(protocol)) continue;
    findings.push({
      at: place(server),
      problem: `ssl_protocols allows ${quoted(protocol, weakProtocols)}`,
      why: "SSL and TLS before 1.2 have known attacks (RFC 8996)",
      fix,
    });
  }
  const ciphers = (settings.get("ssl_ciphers")?.[0] ?? "").split(/[:\s,]+/);
  // `!`, `-` and `+` take ciphers out or move them: they add none.
  if (ciphers.some((cipher) => !/^[!+-]/.test(cipher) && weakCipher.test(cipher))) {
    findings.push({
      at: place(server),
      problem:
        "ssl_ciphers allows ciphers without encryption, without authentication or with broken encryption",
      why: "a session with such a cipher can be read",
      fix: "list modern ciphers alone, or leave ssl_ciphers out",
    });
  }
  return findings;
}

const redirectCodes = new Set(["301", "302", "303", "307", "308"]);

/** A return that sends the client to HTTPS or refuses. */
function isSafeReturn({ name, args }: PlacedDirective): boolean {
  if (name === "rewrite") return (args[1] ?? "").startsWith("https://");
  if (name !== "return") return false;
  const [code = "", target] = args;
  if (code.startsWith("https://")) return true;
  if (redirectCodes.has(code)) return target?.startsWith("https://") ?? false;
  return /^4\d\d$/.test(code) && target === undefined;
}

/** Blocks that add nothing to what a redirect serves. */
const inertDirectives = new Set([
  "listen",
  "server_name",
  "server_tokens",
  "access_log",
  "error_log",
  "log_not_found",
  "add_header",
  "http2",
  "http3",
  "set_real_ip_from",
  "real_ip_header",
  "real_ip_recursive",
  "keepalive_timeout",
  "client_max_body_size",
  "limit_req",
  "limit_conn",
  "absolute_redirect",
  "port_in_redirect",
]);

/**
 * Whether a server does nothing but redirect to HTTPS, refuse, and answer ACME challenges (which RFC 8555 demands over
 * plain HTTP, and which hold nothing to hide). Closed: a directive that is not known to be inert makes it serve.
 */
function onlyRedirects(block: readonly PlacedDirective[]): boolean {
  const rest = block.filter(({ name }) => !inertDirectives.has(name));
  const answers = rest.filter((directive) => directive.block === undefined);
  const blocks = rest.filter((directive) => directive.block !== undefined);
  if (!blocks.every((inner) => isAcmeChallenge(inner) || isSafeBlock(inner))) return false;
  if (!answers.every((directive) => isSafeReturn(directive))) return false;
  const coversAll = blocks.some(
    ({ name, args }) => name === "location" && args.length === 1 && args[0] === "/",
  );
  return answers.some(({ name }) => name === "return") || coversAll;
}

function isSafeBlock({ name, block = [] }: PlacedDirective): boolean {
  if (name !== "if" && name !== "location") return false;
  const answers = block.filter((inner) => !inertDirectives.has(inner.name));
  return answers.length > 0 && answers.every(isSafeReturn);
}

function isAcmeChallenge({ name, args, block = [] }: PlacedDirective): boolean {
  if (name !== "location" || !(args.at(-1) ?? "").startsWith("/.well-known/acme-challenge")) return false;
  const allowed = new Set(["root", "alias", "default_type", "try_files", "allow", "deny", "auth_basic"]);
  return block.every((inner) => allowed.has(inner.name) || inertDirectives.has(inner.name));
}

/** Directives that send a request on, with the protocol that their target has where it names none. */
const passDirectives: Readonly<Record<string, "http" | "grpc" | "plaintext">> = {
  proxy_pass: "http",
  grpc_pass: "grpc",
  fastcgi_pass: "plaintext",
  uwsgi_pass: "plaintext",
  scgi_pass: "plaintext",
  memcached_pass: "plaintext",
};

function judgePasses(
  block: readonly PlacedDirective[],
  settings: Settings,
  upstreams: ReadonlyMap<string, PlacedDirective>,
): readonly Finding[] {
  return block.flatMap((directive) => {
    if (directive.block !== undefined) {
      return judgePasses(directive.block, inherit(settings, directive.block), upstreams);
    }
    const kind = passDirectives[directive.name];
    return kind === undefined ? [] : judgePass(directive, kind, settings, upstreams);
  });
}

function judgePass(
  directive: PlacedDirective,
  kind: "http" | "grpc" | "plaintext",
  settings: Settings,
  upstreams: ReadonlyMap<string, PlacedDirective>,
): readonly Finding[] {
  const [, scheme = "", rest = ""] = /^([a-z]+:\/\/)?(.*)$/s.exec(directive.args[0] ?? "") ?? [];
  const encrypted = scheme === "https://" || scheme === "grpcs://" || scheme === "suwsgi://";
  const targets = targetsOf(rest, upstreams);
  const remote =
    targets === undefined ? ["another host"] : targets.filter((target) => !isLocalTarget(target));
  if (remote.length === 0) return [];
  const where =
    targets === undefined ? "a target that a variable decides" : shownHost(hostOf(remote[0] ?? ""));
  if (!encrypted) {
    return [
      {
        at: place(directive),
        problem: `${directive.name} sends requests to ${where} in plain text`,
        why: plaintextHop,
        fix:
          kind === "plaintext"
            ? "reach the service over a unix socket or loopback"
            : `send to ${kind === "grpc" ? "grpcs" : "https"}:// with ${kind === "grpc" ? "grpc" : "proxy"}_ssl_verify on, or to a unix socket or loopback`,
      },
    ];
  }
  const verify = directive.name === "grpc_pass" ? "grpc_ssl_verify" : "proxy_ssl_verify";
  if (settings.get(verify)?.[0] === "on") return [];
  return [
    {
      at: place(directive),
      problem: `${directive.name} sends requests to ${where} over TLS without ${verify} on`,
      why: noIdentity,
      fix: `set ${verify} on, with the certificate authority that signed the other host's certificate`,
    },
  ];
}

/** The addresses behind a target; nothing where a variable decides the host. */
function targetsOf(
  rest: string,
  upstreams: ReadonlyMap<string, PlacedDirective>,
): readonly string[] | undefined {
  if (rest.startsWith("unix:")) return [rest];
  const authority = rest.split(/[/?]/, 1)[0] ?? "";
  const upstream = upstreams.get(authority);
  if (upstream !== undefined) {
    return (upstream.block ?? []).filter(({ name }) => name === "server").map(({ args }) => args[0] ?? "");
  }
  return authority.includes("$") || authority === "" ? undefined : [authority];
}

function hostOf(target: string): string {
  return parseHostPort(target.split("@").at(-1) ?? "")?.host ?? "";
}

function isLocalTarget(target: string): boolean {
  return target.startsWith("unix:") || isLoopback(parseHostPort(target)?.host ?? "");
}

/** Streams pass bytes on: fine where the bytes are of a protocol with its own encryption, or TLS is ended and added. */
function judgeStream(block: readonly PlacedDirective[], settings: Settings): readonly Finding[] {
  const upstreams = namedBlocks(block, "upstream");
  return block
    .filter(({ name }) => name === "server")
    .flatMap((server) => judgeStreamServer(server, inherit(settings, server.block ?? []), upstreams));
}

function judgeStreamServer(
  server: PlacedDirective,
  settings: Settings,
  upstreams: ReadonlyMap<string, PlacedDirective>,
): readonly Finding[] {
  const pass = (server.block ?? []).find(({ name }) => name === "proxy_pass");
  if (pass === undefined) return [];
  const targets = targetsOf(pass.args[0] ?? "", upstreams) ?? ["unknown"];
  const encryptedBytes = (target: string) => carriesItsOwnEncryption(parseHostPort(target)?.port);
  const addsTls = settings.get("proxy_ssl")?.[0] === "on";
  const found = listeners(server);
  const findings: Finding[] = [];
  if (found.some(isOpenPlaintext) && (addsTls || !targets.every(encryptedBytes))) {
    findings.push({
      at: place(server),
      problem: "a stream listens in plain text",
      why: plaintextHop,
      fix: "add ssl to its listen directive, or bind it to loopback or a unix socket",
    });
  }
  const remote = targets.filter((target) => !isLocalTarget(target));
  const verified = addsTls && settings.get("proxy_ssl_verify")?.[0] === "on";
  const passesOn = !addsTls && !found.some(({ tls }) => tls) && remote.every(encryptedBytes);
  if (remote.length > 0 && !verified && !passesOn) {
    findings.push({
      at: place(pass),
      problem: "a stream's proxy_pass sends bytes to another host without verified TLS",
      why: plaintextHop,
      fix: "pass TLS through unopened to a port of an encrypted protocol, or set proxy_ssl on and proxy_ssl_verify on",
    });
  }
  return findings;
}
