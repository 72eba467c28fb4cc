/** The clusters of Envoy: endpoints on the host itself, or on other hosts over verified TLS. */
import { carriesItsOwnEncryption, parseHostPort } from "../../evidence/addresses";
import { isOnSameHost } from "../../evidence/containers";
import { shownHost } from "../../frame/message";
import { listOf, mapOf, valueAt } from "../../parsers/yaml-tree";
import { messageOf, type Security, securityOf } from "./envoy-sockets";
import { type Finding, noIdentity, notJudged, plaintextHop } from "./findings";

type Files = ReadonlyMap<string, string>;

interface Endpoint {
  readonly host: string;
  readonly port: number | undefined;
  readonly isLocal: boolean;
}

export interface EnvoyCluster {
  readonly index: number;
  readonly name: unknown;
  readonly security: Security;
  readonly verifies: boolean;
  readonly endpoints: readonly Endpoint[];
  /** True if Envoy finds the endpoints elsewhere (EDS, the original destination). */
  readonly isDynamic: boolean;
}

export function clustersOf(clusters: readonly unknown[], files: Files): readonly EnvoyCluster[] {
  return clusters.map((cluster, index) => {
    const matches = listOf(valueAt(cluster, "transport_socket_matches")).map((one) =>
      valueAt(one, "transport_socket"),
    );
    const sockets = matches.length > 0 ? matches : [valueAt(cluster, "transport_socket")];
    const securities = sockets.map(securityOf);
    const type = valueAt(cluster, "type");
    return {
      index,
      name: valueAt(cluster, "name"),
      security:
        (["plain", "unknown", "weak", "tls"] as const).find((one) => securities.includes(one)) ?? "plain",
      verifies: sockets.every(verifiesPeer),
      endpoints: endpointsOf(cluster, files),
      isDynamic:
        type === "EDS" ||
        type === "ORIGINAL_DST" ||
        !["undefined", "envoy.clusters.aggregate"].includes(String(valueAt(cluster, "cluster_type", "name"))),
    };
  });
}

function endpointsOf(cluster: unknown, files: Files): readonly Endpoint[] {
  const groups = listOf(valueAt(cluster, "load_assignment", "endpoints"));
  return groups
    .flatMap((group) => listOf(valueAt(group, "lb_endpoints")))
    .flatMap((one) => {
      const socket = valueAt(one, "endpoint", "address", "socket_address");
      if (socket === undefined) return [];
      const { address, port_value } = mapOf(socket);
      const host = parseHostPort(String(address))?.host ?? String(address);
      return [{ host, port: Number(port_value), isLocal: isOnSameHost(host, files) }];
    });
}

/** True if a TLS context names the authorities or the certificates that it trusts. */
function verifiesPeer(socket: unknown): boolean {
  const inner = valueAt(socket, "typed_config", "transport_socket");
  if (inner !== undefined) return verifiesPeer(inner);
  if (messageOf(socket) !== "UpstreamTlsContext") return messageOf(socket) === "QuicUpstreamTransport";
  const common = mapOf(valueAt(socket, "typed_config", "common_tls_context"));
  if (common.validation_context_sds_secret_config !== undefined) return true;
  const combined = mapOf(common.combined_validation_context);
  if (combined.validation_context_sds_secret_config !== undefined) return true;
  const context = mapOf(common.validation_context ?? combined.default_validation_context);
  if (context.trust_chain_verification === "ACCEPT_UNTRUSTED") return false;
  return [
    "trusted_ca",
    "system_root_certs",
    "ca_certificate_provider_instance",
    "verify_certificate_hash",
    "verify_certificate_spki",
  ].some((key) => context[key] !== undefined);
}

/**
 * @param forwarded names of clusters to which listeners forward bytes as they are
 * @param at the place of a part of the file
 */
export function judgeClusters(
  clusters: readonly EnvoyCluster[],
  forwarded: ReadonlySet<unknown>,
  at: (part: string) => string,
): readonly Finding[] {
  return clusters.flatMap((cluster) => {
    const place = at(`clusters[${cluster.index}]`);
    const remote = cluster.endpoints.filter(({ isLocal }) => !isLocal);
    if (remote.length === 0 && !cluster.isDynamic) return [];
    const where = remote[0] === undefined ? "hosts that it looks up" : shownHost(remote[0].host);
    if (cluster.security === "unknown")
      return [
        {
          at: place,
          problem: "the cluster has a transport_socket that the policy does not know",
          why: notJudged,
          fix: "use envoy.transport_sockets.tls",
        },
      ];
    if (cluster.security === "plain") {
      const isEncrypted = remote.length > 0 && remote.every(({ port }) => carriesItsOwnEncryption(port));
      if (isEncrypted && forwarded.has(cluster.name)) return [];
      return [
        {
          at: place,
          problem: `Envoy sends requests to ${where} in plain text`,
          why: plaintextHop,
          fix: "add a transport_socket with an UpstreamTlsContext and a validation_context to the cluster, or reach it on loopback",
        },
      ];
    }
    if (cluster.verifies) return [];
    return [
      {
        at: place,
        problem: `Envoy connects to ${where} with TLS without verifying its certificate`,
        why: noIdentity,
        fix: "set common_tls_context.validation_context.trusted_ca of the cluster",
      },
    ];
  });
}
