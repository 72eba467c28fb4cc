/** nginx listeners: modern TLS, or beyond the host only a redirect to it. */
import { isLoopback, parseHostPort } from "../../evidence/addresses";
import type { PlacedDirective } from "../../evidence/directive-tree";
import { quoted } from "../../frame/message";
import { type Finding, plaintextHop } from "./findings";
import { place, type Settings } from "./nginx-settings";

export interface Listener {
  readonly directive: PlacedDirective;
  readonly tls: boolean;
  readonly local: boolean;
  readonly port: number | undefined;
}

export const isOpenPlaintext = ({ tls, local }: Listener): boolean => !tls && !local;

/** The listeners of a server. A server without a listen directive listens on port 80 (ngx_http_core_module). */
export function listeners(server: PlacedDirective): readonly Listener[] {
  const block = server.block ?? [];
  const allTls = block.some(({ name, args }) => name === "ssl" && args[0] === "on");
  const found = block
    .filter(({ name }) => name === "listen")
    .map((directive) => parseListener(directive, allTls));
  return found.length > 0 ? found : [{ directive: server, tls: allTls, local: false, port: 80 }];
}

function parseListener(directive: PlacedDirective, allTls: boolean): Listener {
  const [address = "", ...options] = directive.args;
  // QUIC always uses TLS.
  const tls = allTls || options.includes("ssl") || options.includes("quic");
  if (address.startsWith("unix:")) return { directive, tls, local: true, port: undefined };
  if (/^\d{1,5}$/.test(address)) return { directive, tls, local: false, port: Number(address) };
  const target = parseHostPort(address);
  if (target === undefined) return { directive, tls, local: false, port: undefined };
  return { directive, tls, local: isLoopback(target.host), port: target.port ?? 80 };
}

/** Checks the listeners of a server in the http block, and their TLS settings. */
export function judgeListeners(server: PlacedDirective, settings: Settings): readonly Finding[] {
  const found = listeners(server);
  const findings: Finding[] = [];
  if (!onlyRedirects(server.block ?? [])) {
    for (const listener of found.filter(isOpenPlaintext)) {
      const port = listener.port === undefined ? "" : ` on port ${listener.port}`;
      findings.push({
        at: place(listener.directive),
        problem: `nginx serves plain text${port}`,
        why: plaintextHop,
        fix: "add ssl to the listen directive, bind it to loopback or a unix socket, or let the server only return 301 https://...",
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
      why: "the default depends on nginx's version and the distribution, and older ones allow TLS 1.0",
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
  // `!`, `-` and `+` remove or move ciphers, and add none.
  if (ciphers.some((cipher) => !/^[!+-]/.test(cipher) && weakCipher.test(cipher))) {
    findings.push({
      at: place(server),
      problem:
        "ssl_ciphers allows ciphers without encryption, without authentication or with broken encryption",
      why: "such a session can be decrypted",
      fix: "list only modern ciphers, or remove ssl_ciphers",
    });
  }
  return findings;
}

const redirectCodes = new Set(["301", "302", "303", "307", "308"]);

/** A return that redirects the client to HTTPS or refuses the request. */
function isSafeReturn({ name, args }: PlacedDirective): boolean {
  if (name === "rewrite") return (args[1] ?? "").startsWith("https://");
  if (name !== "return") return false;
  const [code = "", target] = args;
  if (code.startsWith("https://")) return true;
  if (redirectCodes.has(code)) return target?.startsWith("https://") ?? false;
  return /^4\d\d$/.test(code) && target === undefined;
}

/** Blocks that add nothing to the responses of a redirect. */
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
 * True if a server only redirects to HTTPS, refuses, and answers ACME challenges (RFC 8555 requires plain HTTP for
 * them, and they are not confidential). Any directive that is not in the list of harmless ones makes it false.
 */
export function onlyRedirects(block: readonly PlacedDirective[]): boolean {
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
