/**
 * Servers behind Traefik: the host itself, or another host over verified TLS (Traefik's documentation, "Services":
 * servers have URLs with a scheme; "ServersTransport": insecureSkipVerify switches verification off; "TLS": minVersion
 * is TLS 1.2 by default).
 */
import { carriesItsOwnEncryption, parseHostPort } from "../../evidence/addresses";
import { isOnSameHost } from "../../evidence/containers";
import { dynamicPaths, type StaticSource } from "../../evidence/traefik";
import { shownHost, shownPath } from "../../frame/message";
import { listOf, mapOf, valueAt } from "../../parsers/yaml-tree";
import { type Finding, noIdentity, notJudged, plaintextHop } from "./findings";

type Files = ReadonlyMap<string, string>;

const isTrue = (value: unknown) => /^true$/i.test(String(value));

/** The addresses of the servers of all services of a kind. */
function serversOf({ data }: StaticSource, kind: "http" | "tcp"): readonly string[] {
  const key = kind === "http" ? "url" : "address";
  return Object.values(mapOf(valueAt(data, kind, "services"))).flatMap((service) => {
    const balancer = valueAt(service, "loadbalancer");
    const listed = [...listOf(valueAt(balancer, "servers")), valueAt(balancer, "server")];
    return listed.map((server) => valueAt(server, key)).filter((text) => typeof text === "string");
  });
}

/** Checks the servers and the connections to them, in a file or in the labels of a container. */
export function judgeServers(source: StaticSource, files: Files): readonly Finding[] {
  const at = shownPath(source.path);
  const findings: Finding[] = [];
  for (const url of serversOf(source, "http")) {
    const [, scheme = "", authority = ""] = /^([a-z0-9]+):\/\/(?:[^/?]*@)?([^/?]*)/i.exec(url) ?? [];
    const host = parseHostPort(authority)?.host ?? "";
    if (scheme.toLowerCase() === "https" || (host !== "" && isOnSameHost(host, files))) continue;
    findings.push(plainServer(at, host));
  }
  for (const address of serversOf(source, "tcp")) {
    const parsed = parseHostPort(address);
    const host = parsed?.host ?? "";
    if (host !== "" && isOnSameHost(host, files)) continue;
    if (!carriesItsOwnEncryption(parsed?.port)) findings.push(plainServer(at, host));
  }
  const transports = ["http", "tcp"].flatMap((kind) =>
    Object.values(mapOf(valueAt(source.data, kind, "serverstransports"))),
  );
  if (
    transports.some((one) =>
      isTrue(valueAt(one, "insecureskipverify") ?? valueAt(one, "tls", "insecureskipverify")),
    )
  )
    findings.push(unverified(at));
  return findings;
}

const plainServer = (at: string, host: string): Finding => ({
  at,
  problem: `Traefik sends requests to ${shownHost(host)} in plain text`,
  why: plaintextHop,
  fix: "give the server a URL with https://, or reach it on loopback",
});

const unverified = (at: string): Finding => ({
  at,
  problem: "insecureSkipVerify lets Traefik connect to servers without verifying their certificates",
  why: noIdentity,
  fix: "remove insecureSkipVerify, and set rootCAs to the certificate authority of the servers",
});

const weakVersions = /^VersionTLS1[01]$/i;

/** Checks the options of TLS listeners. */
export function judgeTlsOptions({ path, data }: StaticSource): readonly Finding[] {
  const options = Object.values(mapOf(valueAt(data, "tls", "options")));
  if (!options.some((one) => weakVersions.test(String(valueAt(one, "minversion"))))) return [];
  return [
    {
      at: shownPath(path),
      problem: "minVersion allows TLS versions before 1.2",
      why: "SSL and TLS before 1.2 have known attacks (RFC 8996)",
      fix: "set minVersion to VersionTLS12, or remove it",
    },
  ];
}

/** Providers whose routers and servers are in no file of the host. */
const remoteProviders =
  /^(?:consul|consulcatalog|ecs|etcd|http|kubernetescrd|kubernetesgateway|kubernetesingress|kubernetesingressnginx|knative|nomad|plugin|redis|rest|zookeeper)$/;

/** Checks that the dynamic configuration that a static one names is known. */
export function judgeProviders(source: StaticSource, files: Files): readonly Finding[] {
  const { data } = source;
  const at = shownPath(source.path);
  const providers = mapOf(data.providers);
  const findings: Finding[] = [];
  if (isTrue(valueAt(data, "serverstransport", "insecureskipverify"))) findings.push(unverified(at));
  const remote = Object.keys(providers).filter((name) => remoteProviders.test(name));
  const { filename, directory } = mapOf(providers.file);
  const isMissing =
    (filename !== undefined || directory !== undefined) && dynamicPaths(source, files).length === 0;
  if (isMissing || remote.length > 0)
    findings.push({
      at,
      problem: isMissing
        ? "it reads a dynamic configuration whose text is unknown"
        : `the provider ${remote[0]} adds routers and servers that are unknown`,
      why: notJudged,
      fix: isMissing
        ? "write the dynamic configuration into files in the user data or the evidence"
        : "use the provider file with its files in the user data, or the provider docker",
    });
  return findings;
}
