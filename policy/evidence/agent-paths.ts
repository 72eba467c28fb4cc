/** Folders of agents that watch other programs: a file named after a web server there does not configure it. */
const agents =
  /\/(?:telegraf|prometheus|datadog-agent|grafana|grafana-agent|alloy|otelcol[\w-]*|vector|promtail|fluent-bit|fluentd|td-agent|filebeat|newrelic-infra|netdata|monit|logrotate\.d|fail2ban|rsyslog\.d)\//;

export const belongsToAgent = (path: string): boolean => agents.test(path);
