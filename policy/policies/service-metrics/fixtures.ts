import { cloudConfig, droplet, memberFiles, nginxFiles, tier } from "../../fixtures/texts";
import type { PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

const nginxCheck = {
  "/etc/datadog-agent/conf.d/nginx.d/conf.yaml":
    "instances:\n  - nginx_status_url: http://127.0.0.1:8081/nginx_status\n",
};
const mysqlCheck = {
  "/etc/datadog-agent/conf.d/mysql.d/conf.yaml": "instances:\n  - sock: /run/mysqld/mysqld.sock\n",
};
const webFiles = { ...nginxFiles, ...nginxCheck };
const databaseFiles = { ...memberFiles, ...mysqlCheck };
const host = (name: string, files: Readonly<Record<string, string>>, rest = {}) => ({
  [name]: droplet(name, { userData: cloudConfig(files, rest) }),
});

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    { path: /^userData$/, change: /unknown|mistyped/, reason: "evidence covers the host" },
    {
      path: /\.files\.(.*nginx\.conf|.*site\.conf|.*zz-secured-web\.cnf)$/,
      change: /removed|emptied/,
      reason: "the roles show what the host serves",
    },
    { path: /\.roles(\[\d+\])?$/, change: /removed|emptied/, reason: "the files show what the host serves" },
  ],
  valid: [
    {
      title: "Datadog's checks on a web host and a database host, in a first preview",
      stack: "prod",
      resources: {
        tier: tier({
          "web-1": { roles: ["web"], files: webFiles },
          "db-1": { roles: ["database"], files: databaseFiles },
        }),
        "web-1": droplet("web-1", { userData: unknownValue }),
        "db-1": droplet("db-1", { userData: unknownValue }),
      },
    },
    {
      title: "Prometheus's exporters and Telegraf's inputs",
      stack: "prod",
      resources: {
        ...host("web-1", nginxFiles, { packages: ["prometheus-nginx-exporter"] }),
        ...host("db-1", {
          ...memberFiles,
          "/etc/telegraf/telegraf.conf": "[[inputs.mysql]]\n  servers = []\n",
        }),
      },
    },
    {
      title: "Telegraf reads the metrics that Caddy serves",
      stack: "prod",
      leftAlone: true,
      resources: host(
        "web-1",
        {
          "/etc/telegraf/telegraf.d/caddy.conf":
            '[[inputs.prometheus]]\n  urls = ["http://localhost:2019/metrics"]\n',
        },
        { packages: ["caddy", "telegraf"] },
      ),
    },
    {
      title: "a part that an option switches off is no web server",
      stack: "prod",
      leftAlone: true,
      resources: {
        "node-1": droplet("node-1", {
          userData: '#!/bin/sh\ncurl -sfL https://get.k3s.io | INSTALL_K3S_EXEC="--disable traefik" sh -\n',
        }),
      },
    },
    {
      title: "the checks of Redis, Valkey, PostgreSQL, MongoDB and Apache",
      stack: "prod",
      leftAlone: true,
      resources: {
        ...host(
          "cache-1",
          { "/etc/datadog-agent/conf.d/redisdb.d/conf.yaml": "instances:\n  - host: localhost\n" },
          { packages: ["redis-server"] },
        ),
        ...host("cache-2", {}, { packages: ["valkey-server", "prometheus-redis-exporter"] }),
        ...host(
          "db-1",
          { "/etc/telegraf/telegraf.d/db.conf": "[[inputs.postgresql]]\n" },
          { packages: ["postgresql"] },
        ),
        ...host(
          "db-2",
          { "/etc/datadog-agent/conf.d/mongo.d/conf.yaml": "instances:\n  - hosts: [localhost]\n" },
          { packages: ["mongodb-org"] },
        ),
        ...host("web-1", {}, { packages: ["apache2", "prometheus-apache-exporter"] }),
      },
    },
  ],
  invalid: [
    {
      title: "a web host without an agent",
      stack: "prod",
      resources: host("web-1", nginxFiles),
      violations: [
        { resource: "web-1", says: "no agent on it collects its request rate", at: "registration" },
      ],
    },
    {
      title: "a database host whose agent only collects the web server's rate",
      stack: "prod",
      resources: host("db-1", { ...memberFiles, ...nginxCheck }),
      violations: [{ resource: "db-1", says: "no agent on it collects its query rate", at: "registration" }],
    },
    {
      title: "evidence of a web host without an agent",
      stack: "prod",
      resources: {
        tier: tier({ "web-1": { roles: ["web"], files: nginxFiles } }),
        "web-1": droplet("web-1", { userData: unknownValue }),
      },
      violations: [{ resource: "tier", says: 'host "web-1": it is a web host', at: "registration" }],
    },
    {
      title: "a Redis host without an agent",
      stack: "prod",
      resources: host("cache-1", {}, { packages: ["redis-server"] }),
      violations: [
        {
          resource: "cache-1",
          says: "such as Datadog's check redisdb (redisdb.d/conf.yaml",
          at: "registration",
        },
      ],
    },
    {
      title: "a PostgreSQL host whose agent collects MySQL's rate",
      stack: "prod",
      resources: host("db-1", mysqlCheck, { packages: ["postgresql-16"] }),
      violations: [{ resource: "db-1", says: "such as Datadog's check postgres", at: "registration" }],
    },
    {
      title: "a Caddy host without an agent",
      stack: "prod",
      resources: host("web-1", {}, { packages: ["caddy"] }),
      violations: [{ resource: "web-1", says: "such as Datadog's check openmetrics", at: "registration" }],
    },
    {
      title: "a web server in a compose file, without an agent",
      stack: "prod",
      resources: host("web-1", {
        "/srv/compose.yaml": 'services:\n  proxy: { image: "traefik:v3", ports: ["443:443"] }\n',
      }),
      violations: [{ resource: "web-1", says: "such as Datadog's check traefik_mesh", at: "registration" }],
    },
    {
      title: "a host that cannot be read",
      stack: "prod",
      resources: { "web-1": droplet("web-1", { userData: unknownValue }) },
      violations: [{ resource: "web-1", says: "it may have no metrics", at: "stack" }],
    },
  ],
};
