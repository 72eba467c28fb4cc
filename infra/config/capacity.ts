/** Checks sums over several settings: connections against MySQL's limit, the buffer pool against the host's memory. */
import { projectName } from "./table";
import type { Config } from "./types";

/** Connections of the health check of one web host to one member: one, and its successor while it is renewed. */
const healthConnections = 2;
/** Connections from each member to each other one: the group's own, and one for the recovery of a new member. */
const memberConnections = 2;
/** Connections for operators, setup and the monitoring agent (whose user may have 5). */
const operatorConnections = 10;

/** Memory of mysqld that does not depend on a setting: code, performance schema, log buffer (MiB). */
const mysqldBaseMib = 256;
/** `group_replication_message_cache_size` in the payload's my.cnf (MiB). */
const messageCacheMib = 128;
/** Memory of one idle connection (MiB). */
const connectionMib = 0.5;
/** InnoDB's own structures take about 10 % on top of the buffer pool (MySQL manual, "InnoDB Buffer Pool Size"). */
const bufferPoolOverhead = 1.1;
/** The kernel and the system's services (MiB). */
const systemMib = 128;
/** nginx, the application and HAProxy (MiB). */
const webMib = 160;
/** The monitoring agent (MiB). */
const agentMib = 160;

/** The problem if all web hosts connect to the same member; undefined if its connections suffice. */
export function connectionProblem(config: Config): string | undefined {
  const { app, database, topology, web } = config;
  const separated = topology === "separated";
  // A replacement creates the new web hosts before it deletes the old ones. Database hosts are deleted first.
  const webHosts = separated ? 2 * web.count : database.count;
  const needed =
    webHosts * (app.connectionLimit + healthConnections) +
    database.count * memberConnections +
    operatorConnections;
  if (needed <= database.maxConnections) return undefined;
  const hosts = separated
    ? `${webHosts} web hosts (web.count, twice while they are replaced)`
    : `${webHosts} hosts`;
  return `${projectName}:database.maxConnections: expected at least ${needed}, got ${database.maxConnections}. All web hosts can connect to the same member: ${hosts} x (app.connectionLimit ${app.connectionLimit} + ${healthConnections} of the health check) + ${database.count} members x ${memberConnections} + ${operatorConnections} for operators and the monitoring agent. Raise database.maxConnections, or lower app.connectionLimit`;
}

/**
 * The problem if mysqld needs more memory than a database host has for it; undefined if it fits, or if the size's slug
 * does not tell the memory.
 *
 * @param memory the host's memory in MiB
 */
export function bufferPoolProblem(
  config: Config,
  memory = memoryMib(config.database.size),
): string | undefined {
  if (memory === undefined) return undefined;
  const { database, monitoring, replication, slices, topology } = config;
  const others = systemMib + (topology === "converged" ? webMib : 0) + (monitoring === "none" ? 0 : agentMib);
  const limit = Math.min(Math.floor((memory * slices.databaseMemoryPercent) / 100), memory - others);
  const fixed =
    mysqldBaseMib +
    (replication === "group" ? messageCacheMib : 0) +
    Math.ceil(database.maxConnections * connectionMib);
  const most = Math.max(0, Math.floor((limit - fixed) / bufferPoolOverhead));
  if (database.bufferPoolMib <= most) return undefined;
  return `${projectName}:database.bufferPoolMib: expected at most ${most} on ${database.size}, got ${database.bufferPoolMib}. Of ${memory} MiB, MySQL can use ${limit} (slices.databaseMemoryPercent ${slices.databaseMemoryPercent}, and ${others} for the rest of a ${topology} host), and needs ${fixed} besides the pool (${database.maxConnections} connections included) and a tenth of the pool. Lower database.bufferPoolMib, or set database.size to a larger size`;
}

/**
 * The memory in MiB that a size's slug names; undefined if it names none. CPU-optimized sizes (c-4) have 2 GiB for
 * each CPU (DigitalOcean's price list).
 */
export function memoryMib(size: string): number | undefined {
  const named = /-(\d+)(mb|gb)(?:-|$)/.exec(size);
  if (named !== null) return Number(named[1]) * (named[2] === "gb" ? 1024 : 1);
  const cpus = /^c-(\d+)(?:-intel|-amd)?$/.exec(size)?.[1];
  return cpus === undefined ? undefined : Number(cpus) * 2048;
}
