/**
 * Finds the monitoring agents of a host that collect the request rate of its web servers and the query rate of its
 * databases, from the agents' configuration files (at the default paths in each agent's manual).
 */
import type { HostContent } from "./content";

export interface CollectedRates {
  readonly web: boolean;
  readonly database: boolean;
}

/**
 * A file that makes an agent collect metrics. `text` must match if the agent keeps its whole configuration in one
 * file.
 */
interface Collector {
  readonly path: RegExp;
  readonly text?: RegExp;
}

/**
 * Datadog reads conf.d/<check>.d/*.yaml, and each file needs instances. It does not read samples (`*.yaml.example`).
 */
const datadog = (checks: string): Collector => ({
  path: new RegExp(`^/etc/datadog-agent/conf\\.d/(${checks})\\.d/[^/]+\\.ya?ml$`),
  text: /^\s*instances:\s*(\[\s*\{|\n\s*-|$)/m,
});
const telegraf = (inputs: string): Collector => ({
  path: /^\/etc\/telegraf\/(telegraf\.conf|telegraf\.d\/[^/]+\.conf)$/,
  text: new RegExp(`^\\s*\\[\\[inputs\\.(${inputs})\\]\\]`, "m"),
});
const openTelemetry = (receivers: string): Collector => ({
  path: /^\/etc\/otelcol(-contrib)?\/[^/]+\.ya?ml$/,
  text: new RegExp(`^ {2}(${receivers})(/[\\w-]+)?:`, "m"),
});
const alloy = (exporters: string): Collector => ({
  path: /^\/etc\/alloy\/[^/]+\.alloy$/,
  text: new RegExp(`^\\s*(prometheus\\.exporter|otelcol\\.receiver)\\.(${exporters})\\b`, "m"),
});
const newRelic = (names: string): Collector => ({
  path: new RegExp(`^/etc/newrelic-infra/integrations\\.d/(${names})[\\w-]*\\.ya?ml$`),
});
const netdata = (names: string): Collector => ({
  path: new RegExp(`^/etc/netdata/(go\\.d|python\\.d)/(${names})\\.conf$`),
});

const webCollectors: readonly Collector[] = [
  datadog("nginx|apache|haproxy|varnish|lighttpd|php_fpm|traefik_mesh|envoy"),
  telegraf("nginx|nginx_plus_api|apache|haproxy|varnish|phpfpm"),
  openTelemetry("nginx|apache|haproxy"),
  alloy("nginx|apache|haproxy"),
  newRelic("nginx|apache|haproxy|varnish"),
  netdata("nginx|apache|haproxy|web_log"),
];
const databaseCollectors: readonly Collector[] = [
  datadog("mysql|postgres|mongo|redisdb|elastic"),
  telegraf("mysql|postgresql|mongodb|redis|elasticsearch"),
  openTelemetry("mysql|postgresql|mongodb|redis|elasticsearch"),
  alloy("mysql|postgres|mongodb|redis"),
  newRelic("mysql|postgresql|mongodb|redis"),
  netdata("mysql|postgres|mongodb|redis"),
];

/** Prometheus exporters always serve rates while they run. */
const webExporter = /^(prometheus-)?(nginx|apache|haproxy)([-_]prometheus)?[-_]exporter$/;
const databaseExporter = /^(prometheus-)?(mysqld|postgres|mongodb|redis)[-_]exporter$/;

export function collectedRates({ files, packages, words }: HostContent): CollectedRates {
  const names = [...packages.map((name) => name.toLowerCase()), ...words];
  const collects = (collectors: readonly Collector[]) =>
    [...files].some(([path, text]) =>
      collectors.some((collector) => collector.path.test(path) && (collector.text?.test(text) ?? true)),
    );
  return {
    web: names.some((name) => webExporter.test(name)) || collects(webCollectors),
    database: names.some((name) => databaseExporter.test(name)) || collects(databaseCollectors),
  };
}
