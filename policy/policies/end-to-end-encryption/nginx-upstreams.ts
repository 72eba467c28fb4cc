/** Checks the targets of nginx's requests and streams: the host itself, or another host over verified TLS. */
import { carriesItsOwnEncryption, isLoopback, parseHostPort } from "../../evidence/addresses";
import type { PlacedDirective } from "../../evidence/directive-tree";
import { shownHost } from "../../frame/message";
import { type Finding, noIdentity, plaintextHop } from "./findings";
import { isOpenPlaintext, listeners } from "./nginx-listeners";
import { inherit, namedBlocks, place, type Settings } from "./nginx-settings";

/** Directives that forward a request, with the default protocol of their target. */
const passDirectives: Readonly<Record<string, "http" | "grpc" | "plaintext">> = {
  proxy_pass: "http",
  grpc_pass: "grpc",
  fastcgi_pass: "plaintext",
  uwsgi_pass: "plaintext",
  scgi_pass: "plaintext",
  memcached_pass: "plaintext",
};

/** Checks every directive that forwards requests, in a block and its nested blocks. */
export function judgePasses(
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
  const where = targets === undefined ? "a target that a variable sets" : shownHost(hostOf(remote[0] ?? ""));
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

/** The addresses behind a target; undefined if a variable sets the host. */
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

/**
 * Streams forward bytes. This is safe if the bytes are of an encrypted protocol, or if nginx terminates TLS and adds
 * it again.
 */
export function judgeStream(block: readonly PlacedDirective[], settings: Settings): readonly Finding[] {
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
      fix: "forward TLS without terminating it to a port of an encrypted protocol, or set proxy_ssl on and proxy_ssl_verify on",
    });
  }
  return findings;
}
