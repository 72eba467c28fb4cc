/**
 * The upstreams of Caddy: the host itself, or another host over verified TLS (documentation of reverse_proxy,
 * "Upstream addresses" and "HTTP transport": a scheme https, port 443 or an option tls makes the connection TLS, which
 * verifies the certificate unless tls_insecure_skip_verify is set).
 */
import { parseHostPort } from "../../evidence/addresses";
import { isOnSameHost } from "../../evidence/containers";
import type { PlacedDirective } from "../../evidence/directive-tree";
import { shownHost, shownPath } from "../../frame/message";
import { type Finding, noIdentity, plaintextHop } from "./findings";

type Files = ReadonlyMap<string, string>;

/** `path:line`, or the path if the site is from a command of a compose file, which has no line. */
export const caddyPlace = ({ path, line }: { readonly path: string; readonly line: number }): string =>
  line === 0 ? shownPath(path) : `${shownPath(path)}:${line}`;

const proxies = new Set(["reverse_proxy", "php_fastcgi", "forward_auth"]);

/** Checks every directive that forwards requests, in a site and its nested blocks. */
export function judgeUpstreams(directives: readonly PlacedDirective[], files: Files): readonly Finding[] {
  return directives.flatMap((directive) => [
    ...(proxies.has(directive.name) ? judgeProxy(directive, files) : []),
    ...judgeUpstreams(directive.block ?? [], files),
  ]);
}

function judgeProxy(proxy: PlacedDirective, files: Files): readonly Finding[] {
  const block = proxy.block ?? [];
  const transports = block.filter(({ name }) => name === "transport");
  const options = transports.flatMap(({ block: inner = [] }) => inner.map(({ name }) => name));
  const usesTls = options.some((name) => name === "tls" || name.startsWith("tls_"));
  const isFastcgi = proxy.name === "php_fastcgi" || transports.some(({ args }) => args[0] === "fastcgi");
  const [first = ""] = proxy.args;
  const own = /^(?:[*@/])/.test(first) ? proxy.args.slice(1) : proxy.args;
  const targets = [...own, ...block.filter(({ name }) => name === "to").flatMap(({ args }) => args)];
  const isDynamic = block.some(({ name }) => name === "dynamic");
  const remote = targets.filter((target) => !isLocal(target, files));
  const findings: Finding[] = [];
  const at = caddyPlace(proxy);
  const [plain] = remote.filter((target) => isFastcgi || !(usesTls || isTlsTarget(target)));
  if (plain !== undefined || (isDynamic && !usesTls))
    findings.push({
      at,
      problem: `Caddy sends requests to ${plain === undefined ? "hosts that it looks up" : shownTarget(plain)} in plain text`,
      why: plaintextHop,
      fix: isFastcgi
        ? "reach the service over a unix socket or loopback"
        : "send to https://, or to a unix socket or loopback",
    });
  if (options.includes("tls_insecure_skip_verify") && (remote.length > 0 || isDynamic))
    findings.push({
      at,
      problem: `Caddy connects to ${shownTarget(remote[0] ?? "")} with TLS without verifying its certificate`,
      why: noIdentity,
      fix: "remove tls_insecure_skip_verify, and set tls_trust_pool to the certificate authority of the other host",
    });
  return findings;
}

const isTlsTarget = (target: string) => target.startsWith("https://") || /:443$/.test(target);

const hostOf = (target: string) =>
  parseHostPort(target.replace(/^[a-z0-9+]+:\/\/(?:[^/?]*@)?|^tcp[46]?\//, ""))?.host;

function isLocal(target: string, files: Files): boolean {
  if (/^(?:unix|fd)[\w+]*\//.test(target)) return true;
  const host = hostOf(target.replace(/:\d+-\d+$/, ""));
  // An address without a host (`:9000`) is on the host itself.
  return host !== undefined && (host === "" || isOnSameHost(host, files));
}

const shownTarget = (target: string) =>
  target.includes("{") ? "a target that a variable sets" : shownHost(hostOf(target) ?? "");
