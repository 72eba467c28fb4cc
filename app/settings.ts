import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { TlsMaterial } from "./database";
import type { Replication } from "./memberState";

/** The environment that systemd passes: the unit's EnvironmentFile and its credentials. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface ServeSettings {
  readonly siteName: string;
  /** The name in the certificate of every database host, which the application verifies. */
  readonly databaseName: string;
  /** HAProxy's socket on this host. */
  readonly databaseSocket: string;
  readonly connectionLimit: number;
  /** The DogStatsD stream socket of the monitoring agent; absent without an agent. */
  readonly metricsSocket?: string;
  readonly hostName: string;
  readonly password: string;
  readonly tls: TlsMaterial;
}

export interface HealthSettings {
  readonly replication: Replication;
  /** Database hosts, each with the loopback port of its health check. */
  readonly members: readonly { readonly host: string; readonly port: number }[];
  readonly password: string;
  readonly tls: TlsMaterial;
}

/** Throws if a variable or a credential is missing. The error names it. */
export function serveSettings(env: Environment): ServeSettings {
  return {
    siteName: variable(env, "SITE_NAME"),
    databaseName: variable(env, "DATABASE_NAME"),
    databaseSocket: variable(env, "DATABASE_SOCKET"),
    connectionLimit: Number(variable(env, "CONNECTION_LIMIT")),
    ...(env.METRICS_SOCKET ? { metricsSocket: env.METRICS_SOCKET } : {}),
    hostName: hostname(),
    password: credential(env, "password").trim(),
    tls: {
      ca: credential(env, "ca.pem"),
      cert: credential(env, "client.pem"),
      key: credential(env, "client.key"),
    },
  };
}

/** Throws if a variable or a credential is missing or malformed. The error names it. */
export function healthSettings(env: Environment): HealthSettings {
  const replication = variable(env, "REPLICATION");
  if (replication !== "group" && replication !== "source-replica") {
    throw new Error("REPLICATION must be group or source-replica");
  }
  const members = variable(env, "MEMBERS")
    .split(",")
    .map((entry) => {
      const [host, port] = entry.split("=");
      if (!host || !port || !/^\d+$/.test(port)) throw new Error("MEMBERS must be host=port,host=port,...");
      return { host, port: Number(port) };
    });
  return {
    replication,
    members,
    password: credential(env, "password").trim(),
    tls: { ca: credential(env, "ca.pem") },
  };
}

function variable(env: Environment, name: string): string {
  const value = env[name];
  if (!value) throw new Error(`the environment variable ${name} is not set`);
  return value;
}

function credential(env: Environment, name: string): string {
  return readFileSync(join(variable(env, "CREDENTIALS_DIRECTORY"), name), "utf8");
}
