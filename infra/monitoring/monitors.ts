/** The Datadog monitors, as a table. docs/monitoring.md says what sends each metric. Pure. */
import { type MonitorDefinition, scopeOf, type Watched } from "./definition";

/** Every monitor of a stack, except those of its objectives (objectives.ts). */
export function monitors(watched: Watched): readonly MonitorDefinition[] {
  return [
    ...trafficMonitors(watched),
    ...(watched.replication === "group" ? groupMonitors(watched) : []),
    ...databaseMonitors(watched),
    ...backupMonitors(watched),
    ...hostMonitors(watched),
  ];
}

/** The change compared with an hour ago. A fixed limit would not fit every site, or both day and night. */
function change(metric: string, scope: string): string {
  return `pct_change(avg(last_5m),last_1h):sum:${metric}{${scope}}`;
}

function trafficMonitors(watched: Watched): MonitorDefinition[] {
  const { alerts } = watched;
  const scope = scopeOf(watched);
  const drop = -alerts.qpsDropPercent;
  const surge = alerts.qpsSurgePercent;
  const errors = alerts.errorPercent;
  const seconds = alerts.latencyP95Ms / 1000;
  const requests = `sum:secured_web.http.requests{${scope}}.as_count()`;
  return [
    {
      name: "web-qps-drop",
      title: `Web QPS dropped by more than ${-drop}% within an hour`,
      type: "query alert",
      query: `${change("nginx.net.request_per_s", scope)} < ${drop}`,
      critical: drop,
      noDataMinutes: 10,
      priority: 1,
    },
    {
      name: "web-qps-surge",
      title: `Web QPS rose by more than ${surge}% within an hour`,
      type: "query alert",
      query: `${change("nginx.net.request_per_s", scope)} > ${surge}`,
      critical: surge,
      priority: 2,
    },
    {
      name: "web-errors",
      title: `More than ${errors}% of the responses are 5xx`,
      type: "query alert",
      query: `sum(last_5m):sum:secured_web.http.errors{${scope}}.as_count() / ${requests} * 100 > ${errors}`,
      critical: errors,
      priority: 1,
    },
    {
      name: "web-latency",
      title: `95th percentile of response times on {{host.name}} is above ${seconds} s`,
      type: "query alert",
      query: `avg(last_5m):max:secured_web.http.seconds.95percentile{${scope}} by {host} > ${seconds}`,
      critical: seconds,
      priority: 2,
    },
  ];
}

function groupMonitors(watched: Watched): MonitorDefinition[] {
  const { alerts, writers } = watched;
  const scope = scopeOf(watched);
  const queue = alerts.replicationQueue;
  const conflicts = alerts.conflicts;
  return [
    {
      name: "member-not-online",
      title: "{{host.name}} is not an ONLINE member of its group",
      type: "query alert",
      query: `max(last_5m):min:secured_web.group.self_online{${scope}} by {host} < 1`,
      critical: 1,
      noDataMinutes: 10,
      priority: 1,
    },
    {
      name: "writers",
      title: `Fewer than ${writers} database hosts accept writes`,
      type: "query alert",
      query: `max(last_5m):max:secured_web.group.writers{${scope}} < ${writers}`,
      critical: writers,
      noDataMinutes: 10,
      priority: 1,
    },
    {
      // The verdict of the web hosts' health checks, by which HAProxy uses a member or not.
      name: "member-unfit",
      title: "A web host has not used {{member.name}} for 5 minutes",
      type: "query alert",
      query: `max(last_5m):min:secured_web.member.serves{${scope}} by {member} < 1`,
      critical: 1,
      priority: 2,
    },
    {
      name: "replication-queue",
      title: `{{host.name}} has more than ${queue} transactions in its applier queue`,
      type: "query alert",
      query: `avg(last_5m):max:mysql.replication.group.transactions_in_applier_queue{${scope}} by {host} > ${queue}`,
      critical: queue,
      priority: 2,
    },
    {
      name: "certification-conflicts",
      title: `{{host.name}} detected more than ${conflicts} conflicts between writers within 5 minutes`,
      type: "query alert",
      query: `change(max(last_5m),last_5m):max:mysql.replication.group.conflicts_detected{${scope}} by {host} > ${conflicts}`,
      critical: conflicts,
      priority: 3,
    },
  ];
}

function databaseMonitors(watched: Watched): MonitorDefinition[] {
  const { alerts } = watched;
  const scope = scopeOf(watched);
  const drop = -alerts.qpsDropPercent;
  const connections = alerts.connectionsPercent;
  const used = `max:mysql.performance.threads_connected{${scope}} by {host}`;
  const most = `max:mysql.net.max_connections_available{${scope}} by {host}`;
  return [
    {
      name: "database-qps-drop",
      title: `Database QPS fell by more than ${-drop} percent within an hour`,
      type: "query alert",
      query: `${change("mysql.performance.questions", scope)} < ${drop}`,
      critical: drop,
      noDataMinutes: 10,
      priority: 1,
    },
    {
      name: "database-connections",
      title: `{{host.name}} uses more than ${connections}% of its database connections`,
      type: "query alert",
      query: `avg(last_5m):${used} / ${most} * 100 > ${connections}`,
      critical: connections,
      priority: 2,
    },
  ];
}

/** Only if a limit is set: an operator's machine must send the metric (docs/monitoring.md), or there is never any data. */
function backupMonitors(watched: Watched): MonitorDefinition[] {
  const hours = watched.alerts.backupAgeHours;
  if (hours === undefined) return [];
  return [
    {
      name: "backup-age",
      title: `{{host.name}} has no backup from the last ${hours} hours`,
      type: "query alert",
      query: `max(last_2h):max:secured_web.backup.age_hours{${scopeOf(watched)}} by {host} > ${hours}`,
      critical: hours,
      noDataMinutes: 360,
      priority: 2,
    },
  ];
}

function hostMonitors(watched: Watched): MonitorDefinition[] {
  const { alerts } = watched;
  const scope = scopeOf(watched);
  const disk = alerts.diskPercent / 100;
  const usable = (100 - alerts.memoryPercent) / 100;
  const steal = alerts.stealPercent;
  const days = watched.uptime.certificateDays;
  return [
    {
      name: "disk",
      title: `{{device.name}} on {{host.name}} is more than ${alerts.diskPercent}% full`,
      type: "query alert",
      query: `avg(last_5m):max:system.disk.in_use{${scope}} by {host,device} > ${disk}`,
      critical: disk,
      priority: 1,
    },
    {
      name: "memory",
      title: `{{host.name}} has less than ${100 - alerts.memoryPercent}% of its memory available`,
      type: "query alert",
      query: `avg(last_5m):min:system.mem.pct_usable{${scope}} by {host} < ${usable}`,
      critical: usable,
      priority: 2,
    },
    {
      name: "cpu-steal",
      title: `CPU steal on {{host.name}} is above ${steal}%`,
      type: "query alert",
      query: `avg(last_10m):avg:system.cpu.stolen{${scope}} by {host} > ${steal}`,
      critical: steal,
      priority: 3,
    },
    {
      name: "agent-silent",
      title: "{{host.name}} sends no metrics",
      type: "query alert",
      query: `max(last_5m):max:datadog.agent.running{${scope}} by {host} < 1`,
      critical: 1,
      noDataMinutes: 10,
      priority: 1,
    },
    {
      name: "certificate-expiry",
      title: `A certificate on {{host.name}} expires within ${days} days`,
      type: "query alert",
      query: `max(last_15m):min:tls.days_left{${scope}} by {host,name} < ${days}`,
      critical: days,
      warning: days + 16,
      priority: 2,
    },
  ];
}
