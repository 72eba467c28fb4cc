/** The roles of a droplet, from its image, user data and evidence. */
import type { JudgedResource } from "../frame/resource";
import { valueOr } from "../frame/value";
import { composeServices } from "./containers";
import type { HostContent } from "./content";
import type { EvidenceEntry } from "./entry";
import type { Host } from "./host";
import { contentOf, knowHost } from "./host";
import { runsMysql } from "./mysql";
import { isNginxPath } from "./nginx";

/** `maybe`: the host's configuration is unknown. */
export type Certainty = "yes" | "maybe" | "no";

export interface HostRoles {
  readonly web: Certainty;
  readonly database: Certainty;
}

/** Packages, programs and images that serve web requests or run an application. */
const webWord =
  /^(nginx|nginx-(core|full|light|extras)|apache2|httpd|caddy|lighttpd|haproxy|traefik|envoy|varnish|tomcat\d*|php\d*(\.\d+)?-fpm|gunicorn|uwsgi|puma|pm2|nodejs)$/;
/** Packages, programs and images of database servers other than MySQL (see runsMysql). */
const databaseWord =
  /^(postgresql(-\d+)?|postgres|mongodb(-org)?(-server)?|mongod|redis(-server)?|valkey(-server)?|elasticsearch|opensearch|cassandra|clickhouse-server|couchdb|influxdb2?|mariadb-galera-server)$/;
/** Marketplace images, by the prefix of their slugs. */
const databaseImage = /^(mysql|mariadb|percona|postgres|mongodb|redis|lamp|lemp|wordpress|ghost|phpmyadmin)/i;
const webImage = /^(lamp|lemp|wordpress|ghost|nginx|nodejs|django|rails|caddy|phpmyadmin)/i;

const rolesOfHost = new WeakMap<HostContent, HostRoles>();

export function rolesOf(host: Host): HostRoles {
  const told = host.evidence.flatMap((entry) => entry.roles);
  const image = valueOr(host.droplet.inputs.text("image"), "");
  const content = contentOf(host);
  const unknown: Certainty = host.knowledge.state === "uncovered" ? "maybe" : "no";
  const found = content === undefined ? { web: unknown, database: unknown } : rolesOfContent(content);
  return {
    web: told.includes("web") || webImage.test(image) ? "yes" : found.web,
    database: told.includes("database") || databaseImage.test(image) ? "yes" : found.database,
  };
}

/** The roles of a droplet, given the evidence seen so far. */
export function rolesOfDroplet(droplet: JudgedResource, evidence: readonly EvidenceEntry[]): HostRoles {
  return rolesOf(knowHost(droplet, evidence));
}

export function rolesOfContent(content: HostContent): HostRoles {
  const known = rolesOfHost.get(content);
  if (known !== undefined) return known;
  const words = namesIn(content);
  const paths = [...content.files.keys()];
  const isWeb =
    words.some((word) => webWord.test(word)) ||
    paths.some((path) => isNginxPath(path) || /(^|\/)haproxy[^/]*\.cfg$/.test(path));
  const isDatabase = runsMysql(content) || words.some((word) => databaseWord.test(word));
  const roles: HostRoles = { web: isWeb ? "yes" : "no", database: isDatabase ? "yes" : "no" };
  rolesOfHost.set(content, roles);
  return roles;
}

/** Words of commands, packages, and images of containers. */
const namesIn = ({ words, packages, files }: HostContent): readonly string[] => [
  ...words,
  ...packages.map((name) => name.toLowerCase()),
  ...composeServices(files).map(({ image }) => image),
];

/** Programs by the words that install or start them. */
const programs: readonly (readonly [name: string, role: "web" | "database", word: RegExp])[] = [
  ["nginx", "web", /^nginx/],
  ["apache", "web", /^(apache2|httpd)$/],
  ["haproxy", "web", /^haproxy$/],
  ["varnish", "web", /^varnish$/],
  ["lighttpd", "web", /^lighttpd$/],
  ["php-fpm", "web", /^php\d*(\.\d+)?-fpm$/],
  ["traefik", "web", /^traefik$/],
  ["envoy", "web", /^envoy$/],
  ["caddy", "web", /^caddy$/],
  ["postgresql", "database", /^postgres(ql(-\d+)?)?$/],
  ["redis", "database", /^(redis|valkey)(-server)?$/],
  ["mongodb", "database", /^mongo(d$|db(-org)?(-server)?$)/],
  ["elasticsearch", "database", /^(elasticsearch|opensearch)$/],
  ["cassandra", "database", /^cassandra$/],
  ["clickhouse", "database", /^clickhouse-server$/],
  ["couchdb", "database", /^couchdb$/],
];

/** The known web servers or databases of a host. */
export function programsOf(content: HostContent, role: "web" | "database"): readonly string[] {
  const words = namesIn(content);
  const paths = [...content.files.keys()];
  const found = new Set(
    programs
      .filter(([, one, word]) => one === role && words.some((text) => word.test(text)))
      .map(([name]) => name),
  );
  if (role === "database" && runsMysql(content)) found.add("mysql");
  if (role === "web" && paths.some(isNginxPath)) found.add("nginx");
  if (role === "web" && paths.some((path) => /(^|\/)haproxy[^/]*\.cfg$/.test(path))) found.add("haproxy");
  return [...found];
}
