/**
 * Caddy: no plain text site or upstream beyond the host itself.
 *
 * Facts from Caddy's documentation. "Automatic HTTPS": a site whose address has a host is served over HTTPS, unless the
 * scheme is http or the port is that of HTTP; port 80 redirects. "Caddyfile Concepts", Addresses: an address without a
 * host and a scheme is served over HTTPS only on port 443; a host in an address does not restrict the interface, but
 * only requests that name this host match. "tls": Caddy has no TLS before 1.2. The package's own Caddyfile serves :80.
 */

import { type HostPort, isLoopback, parseHostPort } from "../../evidence/addresses";
import { type CaddySite, type CaddyTree, caddyTrees, isCaddyJson } from "../../evidence/caddy";
import { composeServices, isReachable } from "../../evidence/containers";
import type { PlacedDirective } from "../../evidence/directive-tree";
import { shownPath } from "../../frame/message";
import { caddyPlace, judgeUpstreams } from "./caddy-upstreams";
import { type Finding, notJudged, plaintextHop, unread } from "./findings";

type Files = ReadonlyMap<string, string>;

/** Checks all Caddyfiles of a host, and the commands of Caddy's containers. */
export function judgeCaddy(files: Files): readonly Finding[] {
  const unread = [...files.keys()].filter(isCaddyJson).map((path) => ({
    at: shownPath(path),
    problem: "the policy does not read Caddy's JSON configuration",
    why: notJudged,
    fix: "write a Caddyfile, or pass one as the input configurationEvidence of a component, under the droplet's name",
  }));
  const trees = [...caddyTrees(files), ...commandTrees(files)];
  return [...unread, ...trees.flatMap((tree) => judgeTree(tree, files))];
}

/** True if the files show what Caddy serves. */
export const hasCaddySite = (files: Files): boolean =>
  [...files.keys()].some(isCaddyJson) ||
  [...caddyTrees(files), ...commandTrees(files)].some(({ sites }) => sites.length > 0);

/** `caddy reverse-proxy --from ADDRESS --to ADDRESS` and `caddy file-server --listen ADDRESS` of a compose file. */
function commandTrees(files: Files): readonly CaddyTree[] {
  return composeServices(files).flatMap(({ path, image, command, isPublished }) => {
    const verb = command.find((word) => /^(?:reverse-proxy|file-server|respond)$/.test(word));
    if (image !== "caddy" || !isPublished || verb === undefined) return [];
    const words = command.flatMap((word) => (/^--\w[\w-]*=/.test(word) ? word.split(/=(.*)/s) : [word]));
    const values = (...flags: readonly string[]) =>
      words.filter((_, at) => flags.includes(words[at - 1] ?? ""));
    const fallback = verb === "reverse-proxy" ? "localhost" : ":80";
    const [from = fallback] = values("--from", "-f", "--listen", "-l", "--domain", "-d");
    const place = { path, line: 0 };
    const block = words.includes("--insecure") ? insecureTransport(place) : [];
    const proxy = { ...place, name: "reverse_proxy", args: values("--to", "-t"), block };
    const directives = verb === "reverse-proxy" ? [proxy] : [{ ...place, name: verb, args: [] }];
    return [{ options: [], sites: [{ ...place, keys: [from], directives }], faults: [] }];
  });
}

const insecureTransport = (place: {
  readonly path: string;
  readonly line: number;
}): readonly PlacedDirective[] => [
  {
    ...place,
    name: "transport",
    args: ["http"],
    block: [{ ...place, name: "tls_insecure_skip_verify", args: [] }],
  },
];

interface Options {
  readonly httpPort: string;
  readonly httpsPort: string;
  readonly isAutomatic: boolean;
  readonly bind: readonly string[] | undefined;
}

function judgeTree({ options, sites, faults }: CaddyTree, files: Files): readonly Finding[] {
  const option = (name: string) => options.find((one) => one.name === name)?.args;
  const settings: Options = {
    httpPort: option("http_port")?.[0] ?? "80",
    httpsPort: option("https_port")?.[0] ?? "443",
    isAutomatic: !["off", "disable_certs"].includes(option("auto_https")?.[0] ?? ""),
    bind: option("default_bind"),
  };
  return [
    ...unread(faults),
    ...judgeOptions(options),
    ...sites.flatMap((site) => judgeSite(site, settings, files)),
    ...sites.flatMap(({ directives }) => judgeUpstreams(directives, files)),
  ];
}

function judgeOptions(options: readonly PlacedDirective[]): readonly Finding[] {
  return options.flatMap((option) => {
    const at = caddyPlace(option);
    if (option.name === "layer4")
      return [
        {
          at,
          problem: "the policy does not read the option layer4",
          why: notJudged,
          fix: "remove the option, or pass the host's configuration as evidence without it",
        },
      ];
    const [address = "off"] = option.name === "admin" ? option.args : [];
    if (address === "off" || isLocalBind(address.replace(/:\d+$/, ""))) return [];
    return [
      {
        at,
        problem: "Caddy's administration serves plain text to other hosts",
        why: plaintextHop,
        fix: "set admin localhost:2019 or admin off",
      },
    ];
  });
}

/** An interface in `bind`, `default_bind` or `admin`. */
const isLocalBind = (address: string) =>
  /^(?:unix|fd)[\w+]*\//.test(address) || isLoopback(address.replace(/^(?:tcp|udp)[46]?\//, ""));

type Service = "tls" | "plain" | "no certificate" | "unknown";

function judgeSite(site: CaddySite, options: Options, files: Files): readonly Finding[] {
  const bind = site.directives.filter(({ name }) => name === "bind").flatMap(({ args }) => args);
  const bound = bind.length > 0 ? bind : (options.bind ?? []);
  if (bound.length > 0 && bound.every(isLocalBind)) return [];
  const reachable = site.keys.filter((key) => {
    const port = portOf(key, options);
    return isReachable(port === undefined ? undefined : Number(port), site.path, "caddy", files);
  });
  const found = new Set(reachable.map((key) => serviceOf(key, site.directives, options)));
  const at = caddyPlace(site);
  const findings: Finding[] = [];
  if (found.has("plain") && !onlyRedirects(site.directives))
    findings.push({
      at,
      problem: "Caddy serves a site in plain text",
      why: plaintextHop,
      fix: "give the site's address a host name without http:// and without port 80, add tls, bind it to 127.0.0.1, or let it only redirect (redir https://{host}{uri})",
    });
  if (found.has("no certificate"))
    findings.push({
      at,
      problem: "auto_https switches off certificates, and the site has no tls directive with a certificate",
      why: "without a certificate, Caddy cannot serve HTTPS, and the site is reached in plain text or not at all",
      fix: "remove the option auto_https, or add tls CERTIFICATE KEY to the site",
    });
  if (found.has("unknown"))
    findings.push({
      at,
      problem: "a variable sets the scheme or the port of the site's address",
      why: notJudged,
      fix: "write https:// before the variable, and the port as a number",
    });
  return findings;
}

/** The scheme, the host and the port of a site's address; no address if a variable sets a part of it. */
function addressOf(key: string): { readonly scheme: string; readonly address: HostPort | undefined } {
  const [, scheme = "", rest = ""] = /^([a-z]+:\/\/)?(.*)$/is.exec(key) ?? [];
  const authority = rest.replace(/\/.*$/s, "");
  return { scheme, address: rest.includes("{") ? undefined : parseHostPort(authority) };
}

function portOf(key: string, { httpPort, httpsPort }: Options): string | undefined {
  const { scheme, address } = addressOf(key);
  if (address === undefined) return undefined;
  return address.port === undefined ? (scheme === "http://" ? httpPort : httpsPort) : String(address.port);
}

/** How Caddy serves a site at one of its addresses; undefined if no other host can reach it there. */
function serviceOf(
  key: string,
  directives: readonly PlacedDirective[],
  options: Options,
): Service | undefined {
  const { scheme, address } = addressOf(key);
  const host = address?.host ?? "";
  // Only requests that name this host match, so no request of another host is answered.
  if (isLoopback(host)) return undefined;
  if (scheme === "http://") return "plain";
  const hasTls = directives.some(({ name }) => name === "tls");
  if (scheme !== "https://") {
    if (address === undefined) return "unknown";
    const port = portOf(key, options);
    if (port === options.httpPort) return "plain";
    if (host === "" && port !== options.httpsPort && !hasTls) return "plain";
  }
  const hasCertificate = directives.some(({ name, args, block = [] }) => {
    const words = [...args, ...block.map((one) => one.name)];
    return (
      name === "tls" && (args.length === 2 || words.includes("load") || words.includes("get_certificate"))
    );
  });
  return options.isAutomatic || hasCertificate ? "tls" : "no certificate";
}

const inert = new Set([
  "log",
  "log_skip",
  "log_append",
  "header",
  "bind",
  "vars",
  "request_header",
  "encode",
]);

/** True if a site only redirects to HTTPS or refuses. */
function onlyRedirects(directives: readonly PlacedDirective[]): boolean {
  // The definition of a matcher (`@name`) answers nothing.
  const rest = directives.filter(({ name }) => !inert.has(name) && !name.startsWith("@"));
  return rest.length > 0 && rest.every(isSafeAnswer) && rest.some(answersEverything);
}

function isSafeAnswer({ name, args, block }: PlacedDirective): boolean {
  if (name === "redir") return args.some((arg) => arg.startsWith("https://"));
  if (name === "abort") return true;
  if (name === "error" || name === "respond")
    return block === undefined && args.some((arg) => /^4\d\d$/.test(arg));
  return /^(?:handle|route)$/.test(name) && block?.every(isSafeAnswer) === true;
}

/** A directive without a matcher answers every request. */
function answersEverything({ name, args, block = [] }: PlacedDirective): boolean {
  const [first = "*"] = args;
  if (name === "redir") return first.startsWith("https://") || first === "*";
  if (/^(?:handle|route)$/.test(name)) return args.length === 0 && block.some(answersEverything);
  return !/^[/@]/.test(first);
}
