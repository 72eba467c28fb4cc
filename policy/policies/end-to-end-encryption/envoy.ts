/**
 * Envoy: no plain text listener or upstream beyond the host itself, and no weak TLS.
 *
 * Facts from the reference of the API of version 3. FilterChain.transport_socket and Cluster.transport_socket: without
 * one, plain text is used. TlsParameters: the minimum version of servers is TLS 1.2 by default since 1.22.
 * CertificateValidationContext.trusted_ca: without it, an upstream's certificate is not verified. Bootstrap.admin: its
 * address takes plain text.
 */
import { carriesItsOwnEncryption, isLoopback } from "../../evidence/addresses";
import { isReachable } from "../../evidence/containers";
import { isEnvoyPath } from "../../evidence/envoy";
import { shownPath } from "../../frame/message";
import { listOf, mapOf, parseYamlText, snakeKeys, valueAt } from "../../parsers/yaml-tree";
import { clustersOf, type EnvoyCluster, judgeClusters } from "./envoy-clusters";
import { securityOf } from "./envoy-sockets";
import { type Finding, notJudged, plaintextHop } from "./findings";

type Files = ReadonlyMap<string, string>;

/** Checks all files of Envoy on a host. */
export function judgeEnvoy(files: Files): readonly Finding[] {
  return [...files]
    .filter(([path]) => isEnvoyPath(path))
    .flatMap(([path, text]) => {
      const parsed = parseYamlText(text);
      if (parsed.ok) return judgeBootstrap(path, snakeKeys(parsed.value), files);
      return [
        {
          at: `${shownPath(path)}:${parsed.line}`,
          problem: "it is not valid YAML or JSON",
          why: notJudged,
          fix: "write the configuration as YAML without templates",
        },
      ];
    });
}

/** True if the files contain the bootstrap of Envoy. */
export const hasEnvoyListener = (files: Files): boolean => [...files.keys()].some(isEnvoyPath);

function judgeBootstrap(path: string, value: unknown, files: Files): readonly Finding[] {
  const listeners = resourcesOf(value, "listeners", "Listener");
  const clusters = clustersOf(resourcesOf(value, "clusters", "Cluster"), files);
  const at = (part: string) => `${shownPath(path)}, ${part}`;
  const findings: Finding[] = [];
  const dynamic = mapOf(valueAt(value, "dynamic_resources"));
  for (const key of ["lds_config", "cds_config", "ads_config"]) {
    const source = dynamic[key];
    const named = valueAt(source, "path_config_source", "path") ?? valueAt(source, "path");
    if (source === undefined || files.has(String(named))) continue;
    findings.push({
      at: at(`dynamic_resources.${key}`),
      problem: "Envoy reads listeners or clusters from another place",
      why: notJudged,
      fix: "write them into static_resources",
    });
  }
  const admin = socketOf(valueAt(value, "admin", "address"));
  if (admin !== undefined && isOpen(admin, path, files))
    findings.push({
      at: at("admin"),
      problem: "Envoy's administration serves plain text to other hosts",
      why: plaintextHop,
      fix: "set the address to 127.0.0.1, or remove admin",
    });
  for (const [index, listener] of listeners.entries()) {
    const addresses = [
      valueAt(listener, "address"),
      ...listOf(valueAt(listener, "additional_addresses")).map((one) => valueAt(one, "address")),
    ];
    const open = addresses.map(socketOf).filter((one) => one !== undefined && isOpen(one, path, files));
    if (open.length > 0 || addresses[0] === undefined)
      findings.push(...judgeListener(listener, at(`listeners[${index}]`), open[0]?.port, clusters));
  }
  const forwarded = new Set(listeners.flatMap(forwardedClusters));
  return [...findings, ...judgeClusters(clusters, forwarded, at)];
}

/** The listeners or clusters of a bootstrap, or of a file that a bootstrap names in dynamic_resources. */
function resourcesOf(value: unknown, key: "listeners" | "clusters", message: string): readonly unknown[] {
  const others = listOf(valueAt(value, "resources")).filter((one) =>
    String(valueAt(one, "@type")).endsWith(`.${message}`),
  );
  return [...listOf(valueAt(value, "static_resources", key)), ...others];
}

const terminalOf = (chain: unknown) => valueAt(listOf(valueAt(chain, "filters")).at(-1), "typed_config");

/** The clusters to which a listener forwards bytes as they are, and does not terminate TLS. */
function forwardedClusters(listener: unknown): readonly unknown[] {
  return [...listOf(valueAt(listener, "filter_chains")), valueAt(listener, "default_filter_chain")]
    .filter((chain) => securityOf(valueAt(chain, "transport_socket")) === "plain")
    .map((chain) => valueAt(terminalOf(chain), "cluster"));
}

interface Socket {
  readonly host: string;
  readonly port: number | undefined;
}

/** The socket of an address; undefined for a pipe and for an internal listener. */
function socketOf(address: unknown): Socket | undefined {
  const socket = valueAt(address, "socket_address");
  if (socket === undefined) return undefined;
  const { address: host, port_value: port } = mapOf(socket);
  return { host: String(host ?? ""), port: port === undefined ? undefined : Number(port) };
}

const isOpen = ({ host, port }: Socket, path: string, files: Files) =>
  !isLoopback(host) && isReachable(port, path, "envoy", files);

function judgeListener(
  listener: unknown,
  at: string,
  port: number | undefined,
  clusters: readonly EnvoyCluster[],
): readonly Finding[] {
  if (valueAt(listener, "api_listener") !== undefined || valueAt(listener, "internal_listener") !== undefined)
    return [];
  const fallback = valueAt(listener, "default_filter_chain");
  const chains = [
    ...listOf(valueAt(listener, "filter_chains")),
    ...(fallback === undefined ? [] : [fallback]),
  ];
  const securities = (chains.length > 0 ? chains : [{}]).map((chain) => {
    const security = securityOf(valueAt(chain, "transport_socket"));
    return security === "plain" && isSafeWithoutTls(chain, clusters) ? "tls" : security;
  });
  const findings: Finding[] = [];
  if (securities.includes("plain"))
    findings.push({
      at,
      problem: `Envoy serves plain text${port === undefined || Number.isNaN(port) ? "" : ` on port ${port}`}`,
      why: plaintextHop,
      fix: "add a transport_socket with a DownstreamTlsContext to every filter chain, listen on 127.0.0.1, or let its routes only redirect (https_redirect: true)",
    });
  if (securities.includes("weak"))
    findings.push({
      at,
      problem: "the listener allows TLS versions before 1.2",
      why: "SSL and TLS before 1.2 have known attacks (RFC 8996)",
      fix: "set tls_minimum_protocol_version to TLSv1_2, or remove it",
    });
  if (securities.includes("unknown"))
    findings.push({
      at,
      problem: "a filter chain has a transport_socket that the policy does not know",
      why: notJudged,
      fix: "use envoy.transport_sockets.tls",
    });
  return findings;
}

/** A filter chain without TLS can redirect to HTTPS, or forward the bytes of an encrypted protocol. */
function isSafeWithoutTls(chain: unknown, clusters: readonly EnvoyCluster[]): boolean {
  const terminal = terminalOf(chain);
  const proxied = valueAt(terminal, "cluster");
  if (proxied !== undefined) {
    const cluster = clusters.find(({ name }) => name === proxied);
    return (
      cluster !== undefined &&
      cluster.security === "plain" &&
      cluster.endpoints.length > 0 &&
      cluster.endpoints.every(({ port }) => carriesItsOwnEncryption(port))
    );
  }
  const hosts = listOf(valueAt(terminal, "route_config", "virtual_hosts"));
  const serving = hosts.filter((host) => valueAt(host, "require_tls") !== "ALL");
  const routes = serving.flatMap((host) => listOf(valueAt(host, "routes")));
  return hosts.length > 0 && (serving.length === 0 || (routes.length > 0 && routes.every(isRedirect)));
}

function isRedirect(route: unknown): boolean {
  const redirect = valueAt(route, "redirect");
  if (redirect !== undefined)
    return (
      valueAt(redirect, "https_redirect") === true ||
      String(valueAt(redirect, "scheme_redirect")).toLowerCase() === "https"
    );
  const status = Number(valueAt(route, "direct_response", "status"));
  return status >= 400 && status < 500;
}
