/**
 * The Datadog agent's names for the metrics that Telegraf reads. Left: Telegraf's measurement and field. Sources:
 * metadata.csv of each integration in DataDog/integrations-core, and mysql/datadog_checks/mysql/const.py there; the
 * system checks: docs.datadoghq.com/integrations/system.
 */

/** `rate`: the agent converts a counter to its change per second. `factor`: the agent uses another unit. */
export interface AgentMetric {
  readonly name: string;
  readonly rate?: true;
  readonly factor?: number;
}

const rate = (name: string): AgentMetric => ({ name, rate: true });
const gauge = (name: string, factor?: number): AgentMetric =>
  factor === undefined ? { name } : { name, factor };

export const agentNames: Readonly<Record<string, AgentMetric>> = {
  "cpu.usage_idle": gauge("system.cpu.idle"),
  "cpu.usage_iowait": gauge("system.cpu.iowait"),
  "cpu.usage_steal": gauge("system.cpu.stolen"),
  "cpu.usage_system": gauge("system.cpu.system"),
  "cpu.usage_user": gauge("system.cpu.user"),
  "disk.free": gauge("system.disk.free", 1 / 1024),
  "disk.total": gauge("system.disk.total", 1 / 1024),
  "disk.used": gauge("system.disk.used", 1 / 1024),
  "disk.used_percent": gauge("system.disk.in_use", 0.01),
  "mem.available_percent": gauge("system.mem.pct_usable", 0.01),
  "mem.total": gauge("system.mem.total", 1 / 1024 ** 2),
  "system.load1": gauge("system.load.1"),
  "system.load15": gauge("system.load.15"),
  "system.load5": gauge("system.load.5"),

  "nginx.active": gauge("nginx.net.connections"),
  "nginx.accepts": rate("nginx.net.conn_opened_per_s"),
  "nginx.reading": gauge("nginx.net.reading"),
  "nginx.requests": rate("nginx.net.request_per_s"),
  "nginx.waiting": gauge("nginx.net.waiting"),
  "nginx.writing": gauge("nginx.net.writing"),

  "haproxy.scur": gauge("haproxy.backend.session.current"),
  "haproxy.stot": rate("haproxy.backend.session.rate"),

  "mysql.aborted_clients": rate("mysql.net.aborted_clients"),
  "mysql.aborted_connects": rate("mysql.net.aborted_connects"),
  "mysql.bytes_received": rate("mysql.performance.bytes_received"),
  "mysql.bytes_sent": rate("mysql.performance.bytes_sent"),
  "mysql.connections": rate("mysql.net.connections"),
  "mysql.innodb_row_lock_waits": rate("mysql.innodb.row_lock_waits"),
  "mysql.queries": rate("mysql.performance.queries"),
  "mysql.questions": rate("mysql.performance.questions"),
  "mysql.slow_queries": rate("mysql.performance.slow_queries"),
  "mysql.threads_connected": gauge("mysql.performance.threads_connected"),
  "mysql.threads_running": gauge("mysql.performance.threads_running"),
  "mysql.com_delete": rate("mysql.performance.com_delete"),
  "mysql.com_insert": rate("mysql.performance.com_insert"),
  "mysql.com_select": rate("mysql.performance.com_select"),
  "mysql.com_update": rate("mysql.performance.com_update"),
  "mysql_variables.max_connections": gauge("mysql.net.max_connections_available"),

  "group.transactions": gauge("mysql.replication.group.transactions"),
  "group.conflicts": gauge("mysql.replication.group.conflicts_detected"),
  "group.applier_queue": gauge("mysql.replication.group.transactions_in_applier_queue"),
  "group.applied": gauge("mysql.replication.group.transactions_applied"),
  "group.proposed": gauge("mysql.replication.group.transactions_proposed"),
  "group.rollback": gauge("mysql.replication.group.transactions_rollback"),

  "procstat.cpu_usage": gauge("system.processes.cpu.pct"),
  "procstat.memory_rss": gauge("system.processes.mem.rss"),
  "procstat.num_threads": gauge("system.processes.threads"),
  "procstat_lookup.running": gauge("system.processes.number"),

  "x509_cert.expiry": gauge("tls.days_left", 1 / 86_400),
  "tls.days_left": gauge("tls.days_left"),
};

/**
 * The values that the agent reads from the group with the option `replication`
 * (mysql/datadog_checks/mysql/queries.py).
 */
export const groupQuery = `SELECT COUNT_TRANSACTIONS_IN_QUEUE AS transactions,
COUNT_CONFLICTS_DETECTED AS conflicts, COUNT_TRANSACTIONS_REMOTE_IN_APPLIER_QUEUE AS applier_queue,
COUNT_TRANSACTIONS_REMOTE_APPLIED AS applied, COUNT_TRANSACTIONS_LOCAL_PROPOSED AS proposed,
COUNT_TRANSACTIONS_LOCAL_ROLLBACK AS rollback
FROM performance_schema.replication_group_member_stats WHERE MEMBER_ID = @@server_uuid`;
