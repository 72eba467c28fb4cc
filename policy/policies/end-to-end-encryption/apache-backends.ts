/**
 * The targets of Apache's proxy: the host itself, or another host over verified TLS (mod_proxy: ProxyPass,
 * BalancerMember, SetHandler; mod_rewrite: flag P; mod_ssl: SSLProxyVerify is "none" by default).
 */
import { parseHostPort } from "../../evidence/addresses";
import { isOnSameHost } from "../../evidence/containers";
import type { PlacedDirective } from "../../evidence/directive-tree";
import { shownHost } from "../../frame/message";
import { type Finding, noIdentity, plaintextHop } from "./findings";
import { place } from "./nginx-settings";

type Files = ReadonlyMap<string, string>;

const encrypted = /^(?:https|wss|h2):\/\//i;

/** Checks every directive that forwards requests, in a block and its nested blocks. */
export function judgeBackends(
  block: readonly PlacedDirective[],
  files: Files,
  outerVerify = false,
): readonly Finding[] {
  const setting = block.filter(({ name }) => name === "sslproxyverify").at(-1)?.args[0];
  const verifies = setting === undefined ? outerVerify : /^require$/i.test(setting);
  return block.flatMap((directive) => {
    if (directive.block !== undefined) return judgeBackends(directive.block, files, verifies);
    const target = targetOf(directive);
    return target === undefined ? [] : judgeTarget(directive, target, { files, verifies });
  });
}

/** The address to which a directive forwards requests; undefined if it forwards none. */
function targetOf({ name, args }: PlacedDirective): string | undefined {
  if (name === "balancermember") return args[0];
  if (name === "proxypass" || name === "proxypassmatch")
    return args.find((arg) => /^(?:[a-z0-9]+:\/\/|unix:|\$\{)/i.test(arg));
  if (name === "rewriterule")
    return /^\[(?:.*,)?(?:P|proxy)(?:,.*)?\]$/i.test(args[2] ?? "") ? args[1] : undefined;
  return name === "sethandler" && args[0]?.startsWith("proxy:") ? args[0].slice("proxy:".length) : undefined;
}

function judgeTarget(
  directive: PlacedDirective,
  target: string,
  { files, verifies }: { readonly files: Files; readonly verifies: boolean },
): readonly Finding[] {
  // The members of a balancer are checked where they are defined.
  if (/^(?:unix|balancer):/i.test(target)) return [];
  const authority = /^[a-z0-9]+:\/\/(?:[^/?]*@)?([^/?]*)/i.exec(target)?.[1] ?? "";
  const host = parseHostPort(authority)?.host ?? authority.replace(/:.*$/, "");
  if (host !== "" && isOnSameHost(host, files)) return [];
  const where = shownHost(host);
  if (!encrypted.test(target))
    return [
      {
        at: place(directive),
        problem: `Apache sends requests to ${where} in plain text`,
        why: plaintextHop,
        fix: "send to https:// with SSLProxyEngine on, SSLProxyVerify require and SSLProxyCACertificateFile, or to loopback or a unix socket",
      },
    ];
  if (verifies) return [];
  return [
    {
      at: place(directive),
      problem: `Apache sends requests to ${where} over TLS without SSLProxyVerify require`,
      why: noIdentity,
      fix: "set SSLProxyVerify require and SSLProxyCACertificateFile",
    },
  ];
}
