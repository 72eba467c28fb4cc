/** The transport sockets of Envoy: TLS, plain text, or one that wraps another (envoy.extensions.transport_sockets). */
import { mapOf, valueAt } from "../../parsers/yaml-tree";

export type Security = "tls" | "weak" | "plain" | "unknown";

/** The name of a socket's message: `DownstreamTlsContext` of its type URL. */
export function messageOf(socket: unknown): string {
  const type = valueAt(socket, "typed_config", "@type");
  return typeof type === "string" ? (type.split(".").at(-1) ?? "") : "";
}

export function securityOf(socket: unknown): Security {
  if (socket === undefined || socket === null) return "plain";
  const message = messageOf(socket);
  if (message === "RawBuffer") return "plain";
  const config = valueAt(socket, "typed_config");
  if (message === "QuicDownstreamTransport" || message === "QuicUpstreamTransport") return "tls";
  if (/^(?:ProxyProtocolUpstreamTransport|Tap|TcpStatsConfig|Config)$/.test(message))
    return mapOf(config).transport_socket === undefined
      ? "unknown"
      : securityOf(mapOf(config).transport_socket);
  if (message !== "DownstreamTlsContext" && message !== "UpstreamTlsContext") return "unknown";
  const minimum = valueAt(config, "common_tls_context", "tls_params", "tls_minimum_protocol_version");
  return minimum === "TLSv1_0" || minimum === "TLSv1_1" ? "weak" : "tls";
}
