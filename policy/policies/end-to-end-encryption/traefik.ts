/**
 * Traefik: no plain text entry point or server beyond the host itself.
 *
 * Facts from Traefik's documentation of version 3. "EntryPoints": the address is [host]:port[/tcp|/udp];
 * http.redirections.entryPoint redirects, by default to the scheme https; http.tls gives every router of the entry point
 * TLS. "Routers", TLS: a router without tls answers only plain text. "API & Dashboard": api.insecure serves on the entry
 * point traefik, by default :8080. Without any entry point, Traefik creates one on :80 (pkg/config/static).
 */
import { isLoopback, parseHostPort } from "../../evidence/addresses";
import { isReachable } from "../../evidence/containers";
import {
  type Router,
  type StaticSource,
  type TraefikConfiguration,
  traefikConfiguration,
} from "../../evidence/traefik";
import { shownPath } from "../../frame/message";
import { mapOf, valueAt } from "../../parsers/yaml-tree";
import { type Finding, notJudged, plaintextHop } from "./findings";
import { judgeProviders, judgeServers, judgeTlsOptions } from "./traefik-servers";

type Files = ReadonlyMap<string, string>;

const redirectFix =
  "set http.redirections.entryPoint (to: websecure, scheme: https) on the entry point, set http.tls on it, listen on 127.0.0.1, or remove it";

/** Checks the static and the dynamic configuration of Traefik on a host. */
export function judgeTraefik(files: Files): readonly Finding[] {
  const configuration = traefikConfiguration(files);
  return [
    ...configuration.unread.map(({ path, line, problem }) => ({
      at: line === undefined ? shownPath(path) : `${shownPath(path)}:${line}`,
      problem,
      why: notJudged,
      fix: "write Traefik's configuration as YAML",
    })),
    ...configuration.statics.flatMap((source) => judgeStatic(source, configuration, files)),
    ...configuration.dynamics.flatMap((source) => judgeServers(source, files)),
    ...configuration.dynamics.flatMap(judgeTlsOptions),
  ];
}

/** True if the files show what Traefik listens on. */
export function hasTraefikEntryPoint(files: Files): boolean {
  const { statics, unread } = traefikConfiguration(files);
  return statics.length > 0 || unread.length > 0;
}

interface EntryPoint {
  readonly name: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly isUdp: boolean;
  readonly redirects: boolean;
  readonly hasTls: boolean;
  readonly isDefault: boolean;
}

const isSet = (value: unknown) => value !== undefined && value !== null && !/^false$/i.test(String(value));

function entryPointsOf({ data }: StaticSource): readonly EntryPoint[] {
  const found = Object.entries(mapOf(data.entrypoints));
  const entries: readonly (readonly [string, unknown])[] =
    found.length > 0 ? found : [["http", { address: ":80" }]];
  return entries.map(([name, entry]) => {
    const { address, asdefault } = mapOf(entry);
    const [, authority = "", protocol] = /^(.*?)(?:\/(tcp|udp))?$/.exec(String(address ?? "")) ?? [];
    const redirection = valueAt(entry, "http", "redirections", "entrypoint");
    const scheme = valueAt(redirection, "scheme") ?? "https";
    const parsed = parseHostPort(authority);
    return {
      name,
      host: parsed?.host ?? "",
      port: parsed?.port,
      isUdp: protocol === "udp",
      redirects: isSet(valueAt(redirection, "to")) && String(scheme).toLowerCase() === "https",
      hasTls: isSet(valueAt(entry, "http", "tls")),
      isDefault: isSet(asdefault),
    };
  });
}

function judgeStatic(
  source: StaticSource,
  configuration: TraefikConfiguration,
  files: Files,
): readonly Finding[] {
  const all = entryPointsOf(source);
  const isOpen = ({ host, port }: { readonly host: string; readonly port: number | undefined }) =>
    !isLoopback(host) && isReachable(port, source.path, "traefik", files);
  const isInsecure = isSet(valueAt(source.data, "api", "insecure"));
  const hasDefaults = all.some(({ isDefault }) => isDefault);
  const findings: Finding[] = [...judgeProviders(source, files)];
  for (const entry of all) {
    if (entry.isUdp || entry.redirects || !isOpen(entry)) continue;
    if (entry.name === "traefik" && isInsecure) continue;
    const takesAll = hasDefaults ? entry.isDefault : entry.name !== "traefik";
    const attached = configuration.routers.filter(({ entryPoints }) =>
      entryPoints === undefined ? takesAll : entryPoints.includes(entry.name),
    );
    findings.push(...judgeEntry(entry, attached, source.path, configuration.redirects));
  }
  const dashboard = all.find(({ name }) => name === "traefik") ?? { host: "", port: 8080 };
  if (isInsecure && isOpen(dashboard))
    findings.push({
      at: shownPath(source.path),
      problem: "api.insecure serves Traefik's dashboard and API in plain text",
      why: plaintextHop,
      fix: "remove api.insecure and give the dashboard a router with tls, or set the address of the entry point traefik to 127.0.0.1:8080",
    });
  return findings;
}

function judgeEntry(
  { port, hasTls }: EntryPoint,
  attached: readonly Router[],
  path: string,
  redirects: ReadonlySet<string>,
): readonly Finding[] {
  const where = port === undefined ? "an unknown port" : `port ${port}`;
  // http.tls is the default of HTTP routers only.
  const plain = attached.filter(
    (router) =>
      !router.hasTls &&
      !(router.kind === "http" && hasTls) &&
      !router.middlewares.some((name) => redirects.has(name)),
  );
  if (plain.length > 0)
    return [...new Set(plain.map((router) => `${router.path}\n${router.kind}`))].map((key) => {
      const [routerPath = "", kind = ""] = key.split("\n");
      return {
        at: shownPath(routerPath),
        problem: `a router (${kind}) without tls serves plain text on ${where} of Traefik`,
        why: plaintextHop,
        fix: `add tls to the router (tls: {}, or the label traefik.${kind}.routers.NAME.tls=true), or redirect its entry point to HTTPS`,
      };
    });
  if (attached.length > 0 || hasTls) return [];
  return [
    {
      at: shownPath(path),
      problem: `the entry point on ${where} neither redirects to HTTPS nor sets http.tls, and its routers are unknown`,
      why: plaintextHop,
      fix: redirectFix,
    },
  ];
}
