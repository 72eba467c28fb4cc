/**
 * Finds the monitoring agents of a host that collect the request rate of its web servers and the query rate of its
 * databases, from the agents' configuration files (at the default paths in each agent's manual).
 */
import type { HostContent } from "./content";

/** The programs whose rates an agent collects, by the role of a host. */
export interface CollectedRates {
  readonly web: ReadonlySet<string>;
  readonly database: ReadonlySet<string>;
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

/** A program, the names that each agent gives it, and its Prometheus exporter. */
interface Program {
  readonly name: string;
  readonly datadog: string;
  readonly telegraf?: string;
  readonly openTelemetry?: string;
  readonly alloy?: string;
  readonly newRelic?: string;
  readonly netdata?: string;
  readonly exporter?: string;
  /** An example of an integration, for messages. */
  readonly example: string;
}

const example = (check: string, setting: string) =>
  `Datadog's check ${check} (${check}.d/conf.yaml with ${setting})`;

/** From the manual of each agent. */
const webPrograms: readonly Program[] = [
  {
    name: "nginx",
    datadog: "nginx",
    telegraf: "nginx|nginx_plus_api",
    openTelemetry: "nginx",
    alloy: "nginx",
    newRelic: "nginx",
    netdata: "nginx|web_log",
    exporter: "nginx",
    example: example("nginx", "nginx_status_url"),
  },
  {
    name: "apache",
    datadog: "apache",
    telegraf: "apache",
    openTelemetry: "apache",
    alloy: "apache",
    newRelic: "apache",
    netdata: "apache|web_log",
    exporter: "apache",
    example: example("apache", "apache_status_url"),
  },
  {
    name: "haproxy",
    datadog: "haproxy",
    telegraf: "haproxy",
    openTelemetry: "haproxy",
    alloy: "haproxy",
    newRelic: "haproxy",
    netdata: "haproxy",
    exporter: "haproxy",
    example: example("haproxy", "url"),
  },
  {
    name: "varnish",
    datadog: "varnish",
    telegraf: "varnish",
    newRelic: "varnish",
    example: example("varnish", "varnishstat"),
  },
  { name: "lighttpd", datadog: "lighttpd", example: example("lighttpd", "lighttpd_status_url") },
  { name: "php-fpm", datadog: "php_fpm", telegraf: "phpfpm", example: example("php_fpm", "status_url") },
  {
    name: "traefik",
    datadog: "traefik_mesh",
    telegraf: "prometheus",
    example: example("traefik_mesh", "openmetrics_endpoint"),
  },
  {
    name: "envoy",
    datadog: "envoy",
    telegraf: "prometheus",
    example: example("envoy", "openmetrics_endpoint"),
  },
  {
    name: "caddy",
    datadog: "openmetrics",
    telegraf: "prometheus",
    example: example("openmetrics", "openmetrics_endpoint http://localhost:2019/metrics"),
  },
];
const databasePrograms: readonly Program[] = [
  {
    name: "mysql",
    datadog: "mysql",
    telegraf: "mysql",
    openTelemetry: "mysql",
    alloy: "mysql",
    newRelic: "mysql",
    netdata: "mysql",
    exporter: "mysqld",
    example: example("mysql", "host or sock"),
  },
  {
    name: "postgresql",
    datadog: "postgres",
    telegraf: "postgresql",
    openTelemetry: "postgresql",
    alloy: "postgres",
    newRelic: "postgresql",
    netdata: "postgres",
    exporter: "postgres",
    example: example("postgres", "host"),
  },
  {
    name: "redis",
    datadog: "redisdb",
    telegraf: "redis",
    openTelemetry: "redis",
    alloy: "redis",
    newRelic: "redis",
    netdata: "redis",
    exporter: "redis|valkey",
    example: example("redisdb", "host"),
  },
  {
    name: "mongodb",
    datadog: "mongo",
    telegraf: "mongodb",
    openTelemetry: "mongodb",
    alloy: "mongodb",
    newRelic: "mongodb",
    netdata: "mongodb",
    exporter: "mongodb",
    example: example("mongo", "hosts"),
  },
  {
    name: "elasticsearch",
    datadog: "elastic",
    telegraf: "elasticsearch",
    openTelemetry: "elasticsearch",
    exporter: "elasticsearch",
    example: example("elastic", "url"),
  },
  { name: "cassandra", datadog: "cassandra", example: example("cassandra", "host") },
  {
    name: "clickhouse",
    datadog: "clickhouse",
    telegraf: "clickhouse",
    example: example("clickhouse", "server"),
  },
  { name: "couchdb", datadog: "couch", telegraf: "couchdb", example: example("couch", "server") },
];

/** An example of the integration for a program; undefined if the table lacks it. */
export function exampleFor(program: string): string | undefined {
  return [...webPrograms, ...databasePrograms].find(({ name }) => name === program)?.example;
}

function collectorsOf(program: Program): readonly Collector[] {
  const agents = [
    [program.datadog, datadog],
    [program.telegraf, telegraf],
    [program.openTelemetry, openTelemetry],
    [program.alloy, alloy],
    [program.newRelic, newRelic],
    [program.netdata, netdata],
  ] as const;
  return agents.flatMap(([names, collector]) => (names === undefined ? [] : [collector(names)]));
}

/** Prometheus exporters always serve rates while they run. */
const exporterOf = ({ exporter }: Program) =>
  exporter === undefined
    ? undefined
    : new RegExp(`^(prometheus-)?(${exporter})([-_]prometheus)?[-_]exporter$`);

const detectors = new Map(
  [...webPrograms, ...databasePrograms].map((program) => [
    program.name,
    { collectors: collectorsOf(program), exporter: exporterOf(program) },
  ]),
);

export function collectedRates({ files, packages, words }: HostContent): CollectedRates {
  const names = [...packages.map((name) => name.toLowerCase()), ...words];
  const isCollected = ({ name }: Program) => {
    const { collectors = [], exporter } = detectors.get(name) ?? {};
    if (names.some((one) => exporter?.test(one))) return true;
    return [...files].some(([path, text]) =>
      collectors.some((collector) => collector.path.test(path) && (collector.text?.test(text) ?? true)),
    );
  };
  const collected = (programs: readonly Program[]) =>
    new Set(programs.filter(isCollected).map(({ name }) => name));
  return { web: collected(webPrograms), database: collected(databasePrograms) };
}
