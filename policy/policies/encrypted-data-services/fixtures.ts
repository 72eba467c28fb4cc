import { cloudConfig, droplet, tier } from "../../fixtures/texts";
import type { PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

const host = (path: string, ...lines: readonly string[]) => ({
  "db-1": droplet("db-1", { userData: cloudConfig({ [path]: `${lines.join("\n")}\n` }) }),
});
const refused = (...says: readonly string[]) =>
  says.map((text) => ({ resource: "db-1", says: text, at: "registration" as const }));

const postgresql = "/etc/postgresql/18/main/postgresql.conf";
const access = "/etc/postgresql/18/main/pg_hba.conf";
const redis = "/etc/redis/redis.conf";
const mongo = "/etc/mongod.conf";
const memcached = "/etc/memcached.conf";
const rabbit = "/etc/rabbitmq/rabbitmq.conf";
const search = "/etc/elasticsearch/elasticsearch.yml";

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    {
      path: /^userData$/,
      reason:
        "other text is checked for its content; unknown text is checked in the update, or its evidence is",
    },
  ],
  valid: [
    {
      title: "PostgreSQL with TLS",
      resources: host(
        postgresql,
        "listen_addresses = '*'",
        "ssl = on",
        "ssl_min_protocol_version = 'TLSv1.2'",
      ),
    },
    {
      title: "PostgreSQL beside the distribution's own file, which has TLS on",
      resources: host("/etc/postgresql/18/main/conf.d/listen.conf", "listen_addresses = '10.0.0.2'"),
    },
    {
      title: "access to PostgreSQL over TLS, and without it from its own host",
      resources: host(
        access,
        "local all postgres peer",
        "host all all 127.0.0.1/32 scram-sha-256",
        "host all all ::1/128 trust",
        "hostssl all all 10.0.0.0/16 scram-sha-256",
        "hostnossl all all 0.0.0.0/0 reject",
      ),
    },
    { title: "Redis for its own host", resources: host(redis, "bind 127.0.0.1 -::1", "port 6379") },
    { title: "Redis behind protected mode", resources: host(redis, "maxmemory 256mb") },
    {
      title: "Valkey with TLS and users",
      resources: host(
        "/etc/valkey/valkey.conf",
        "bind 10.0.0.2",
        "port 0",
        "tls-port 6379",
        "aclfile /etc/valkey/users.acl",
      ),
    },
    { title: "MongoDB for its own host", resources: host(mongo, "storage:", "  dbPath: /var/lib/mongodb") },
    {
      title: "MongoDB with TLS and users",
      resources: host(
        mongo,
        "net:",
        "  bindIp: 127.0.0.1,10.0.0.2",
        "  tls: { mode: requireTLS, certificateKeyFile: /etc/ssl/mongo.pem }",
        "security:",
        "  authorization: enabled",
      ),
    },
    { title: "memcached for its own host", resources: host(memcached, "-m 64", "-l 127.0.0.1,::1") },
    {
      title: "RabbitMQ with only TLS",
      resources: host(rabbit, "listeners.tcp = none", "listeners.ssl.default = 5671"),
    },
    {
      title: "Elasticsearch with TLS",
      resources: host(search, "network.host: 10.0.0.2", "xpack.security.http.ssl.enabled: true"),
    },
    {
      title: "services that only their own host can reach",
      resources: {
        "db-1": droplet("db-1", {
          userData: cloudConfig({
            [postgresql]: "listen_addresses = 'localhost' # default\nssl = off\n",
            [access]: "host all all 0.0.0.0/0 scram-sha-256\n",
            "/etc/opensearch/opensearch.yml": "network.host: 127.0.0.1\ncluster.name: logs\n",
          }),
        }),
      },
    },
  ],
  invalid: [
    {
      title: "Elasticsearch that answers other hosts without TLS",
      resources: host(
        search,
        'network.host: "0.0.0.0"',
        "xpack: { security: { http: { ssl: { enabled: false } } } }",
      ),
      violations: refused(`${search}: the search engine listens to other hosts without TLS`),
    },
    {
      title: "a configuration of OpenSearch that is not YAML",
      resources: host("/etc/opensearch/opensearch.yml", "network.host: [unclosed"),
      violations: refused("the configuration cannot be read as YAML"),
    },
    {
      title: "PostgreSQL whose files disagree: the main one has TLS off, and another one opens it",
      resources: {
        "db-1": droplet("db-1", {
          userData: cloudConfig({
            [postgresql]: "ssl = off\n",
            "/etc/postgresql/18/main/conf.d/listen.conf": "listen_addresses = '10.0.0.2'\n",
          }),
        }),
      },
      violations: refused(`${postgresql}:1: PostgreSQL listens to other hosts, and ssl is not on`),
    },
    {
      title: "a command changes PostgreSQL's addresses in a way that the policy does not follow",
      resources: {
        "db-1": droplet("db-1", {
          userData: `#!/bin/sh\nsed -i "s/#listen_addresses.*/listen_addresses = '*'/" ${postgresql}\n`,
        }),
      },
      violations: refused(`${postgresql}: the file's text is unknown`),
    },
    {
      title: "PostgreSQL without TLS",
      resources: host(postgresql, "# for the web hosts", "listen_addresses = 'localhost, 10.0.0.2'"),
      violations: refused(`userData, ${postgresql}:2: PostgreSQL listens to other hosts, and ssl is not on`),
    },
    {
      title: "PostgreSQL with TLS off, and PostgreSQL with an old version of it",
      resources: host(
        postgresql,
        "listen_addresses = '*'",
        "ssl = off",
        "ssl_min_protocol_version = 'TLSv1'",
      ),
      violations: refused(
        `${postgresql}:2: PostgreSQL listens to other hosts, and ssl is not on`,
        "PostgreSQL accepts TLS 1.0 or 1.1",
      ),
    },
    {
      title: "access to PostgreSQL without TLS, and without a password",
      resources: host(access, "host all all 10.0.0.0/16 md5", "hostssl all all 10.0.0.0/16 trust"),
      violations: refused(
        `${access}:1: PostgreSQL accepts connections of other hosts without TLS`,
        `${access}:2: PostgreSQL accepts other hosts without a password`,
      ),
    },
    {
      title: "Redis for everyone",
      resources: host(redis, "bind 0.0.0.0", "protected-mode no"),
      violations: refused("has no password", "listens to other hosts without TLS"),
    },
    {
      title: "Redis with a password in plain text",
      resources: host(redis, "bind 10.0.0.2", "requirepass from-the-secret-store"),
      violations: refused("listens to other hosts without TLS"),
    },
    {
      title: "MongoDB for everyone",
      resources: host(mongo, "net:", "  bindIp: 0.0.0.0"),
      violations: refused("does not require TLS", "anyone can read and write"),
    },
    {
      title: "a configuration of MongoDB that is not YAML",
      resources: host(mongo, "net: [unclosed"),
      violations: refused("cannot be read as YAML"),
    },
    {
      title: "memcached for everyone",
      resources: host(memcached, "-m 64"),
      violations: refused("memcached listens to other hosts without TLS and passwords"),
    },
    {
      title: "RabbitMQ without TLS, and with a guest from elsewhere",
      resources: host(rabbit, "listeners.tcp.default = 5672", "loopback_users.guest = false"),
      violations: refused("RabbitMQ listens to other hosts without TLS", "RabbitMQ lets the user guest"),
    },
    {
      title: "Redis without TLS, in the evidence of a first preview",
      resources: {
        tier: tier({ "db-1": { roles: ["database"], files: { [redis]: "bind 10.0.0.2\nuser app on\n" } } }),
        "db-1": droplet("db-1", { userData: unknownValue }),
      },
      violations: [
        { resource: "tier", says: `host "db-1", ${redis}:1: Redis or Valkey`, at: "registration" },
      ],
    },
  ],
};
