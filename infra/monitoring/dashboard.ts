/** The dashboard, as JSON for Datadog's API (API reference, Dashboards). Pure. */
import { scopeOf, type Watched } from "./definition";

interface Graph {
  readonly title: string;
  readonly queries: readonly string[];
}

/** The graphs, in the order in which an operator needs them during an incident. */
export function graphs(watched: Watched): readonly Graph[] {
  const scope = scopeOf(watched);
  const of = (aggregate: string, metric: string, by = "") => `${aggregate}:${metric}{${scope}}${by}`;
  const count = (metric: string) => `${of("sum", `secured_web.http.${metric}`)}.as_count()`;
  const byHost = " by {host}";
  return [
    { title: "Web QPS", queries: [of("sum", "nginx.net.request_per_s")] },
    { title: "Web QPS per host", queries: [of("sum", "nginx.net.request_per_s", byHost)] },
    { title: "5xx responses (%)", queries: [`${count("errors")} / ${count("requests")} * 100`] },
    {
      title: "Response time, 95th percentile (s)",
      queries: [of("max", "secured_web.http.seconds.95percentile", byHost)],
    },
    { title: "Database QPS", queries: [of("sum", "mysql.performance.questions")] },
    { title: "Database QPS per host", queries: [of("sum", "mysql.performance.questions", byHost)] },
    {
      title: "Reads and writes per second",
      queries: ["com_select", "com_insert", "com_update", "com_delete"].map((verb) =>
        of("sum", `mysql.performance.${verb}`),
      ),
    },
    ...(watched.replication === "group"
      ? [
          {
            title: "Database hosts that accept writes",
            queries: [of("min", "secured_web.group.writers", byHost)],
          },
          {
            title: "Applier queue (transactions)",
            queries: [of("max", "mysql.replication.group.transactions_in_applier_queue", byHost)],
          },
          {
            title: "Conflicts between writers",
            queries: [of("max", "mysql.replication.group.conflicts_detected", byHost)],
          },
        ]
      : []),
    { title: "Slow statements per second", queries: [of("sum", "mysql.performance.slow_queries", byHost)] },
    { title: "CPU idle (%)", queries: [of("avg", "system.cpu.idle", byHost)] },
    { title: "Memory available (share)", queries: [of("min", "system.mem.pct_usable", byHost)] },
    { title: "Disk in use (share)", queries: [of("max", "system.disk.in_use", " by {host,device}")] },
    { title: "Load average (1 minute)", queries: [of("max", "system.load.1", byHost)] },
    { title: "Days until a certificate expires", queries: [of("min", "tls.days_left", " by {host,name}")] },
  ];
}

/** The dashboard as a plain object. The objectives are its first graphs, after the alerts. */
export function dashboard(watched: Watched, objectiveIds: readonly string[]): object {
  return {
    title: `secured-web ${watched.stack}`,
    description: "Managed by the stack: the next update overwrites manual changes.",
    layout_type: "ordered",
    reflow_type: "auto",
    template_variables: [],
    widgets: [
      {
        definition: {
          type: "manage_status",
          title: "Alerts",
          query: `tag:(${scopeOf(watched)})`,
          display_format: "countsAndList",
          color_preference: "text",
          hide_zero_counts: true,
          sort: "status,asc",
        },
      },
      ...objectiveIds.map((slo_id) => ({
        definition: {
          type: "slo",
          slo_id,
          view_type: "detail",
          view_mode: "overall",
          show_error_budget: true,
          time_windows: ["7d", "30d"],
        },
      })),
      ...graphs(watched).map(({ title, queries }) => ({
        definition: {
          type: "timeseries",
          title,
          requests: queries.map((q) => ({ q, display_type: "line" })),
        },
      })),
    ],
  };
}
