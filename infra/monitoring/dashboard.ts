/** The one dashboard, in Datadog's JSON form (API reference, Dashboards). Pure. */
import { scopeOf, type Watched } from "./definition";

interface Graph {
  readonly title: string;
  readonly queries: readonly string[];
}

/** The graphs, in the order in which somebody who is woken up looks at them. */
export function graphs(watched: Watched): readonly Graph[] {
  const scope = scopeOf(watched);
  const of = (aggregate: string, metric: string, by = "") => `${aggregate}:${metric}{${scope}}${by}`;
  const count = (metric: string) => `${of("sum", `secured_web.http.${metric}`)}.as_count()`;
  const byHost = " by {host}";
  return [
    { title: "Web QPS", queries: [of("sum", "nginx.net.request_per_s")] },
    { title: "Web QPS of each host", queries: [of("sum", "nginx.net.request_per_s", byHost)] },
    { title: "5xx answers, percent", queries: [`${count("errors")} / ${count("requests")} * 100`] },
    {
      title: "Answer time, 95th percentile (s)",
      queries: [of("max", "secured_web.http.seconds.95percentile", byHost)],
    },
    { title: "Database QPS", queries: [of("sum", "mysql.performance.questions")] },
    { title: "Database QPS of each host", queries: [of("sum", "mysql.performance.questions", byHost)] },
    {
      title: "Reads and writes in a second",
      queries: ["com_select", "com_insert", "com_update", "com_delete"].map((verb) =>
        of("sum", `mysql.performance.${verb}`),
      ),
    },
    ...(watched.config.replication === "group"
      ? [
          {
            title: "Database hosts that take writes",
            queries: [of("min", "secured_web.group.writers", byHost)],
          },
          {
            title: "Transactions still to apply",
            queries: [of("max", "mysql.replication.group.transactions_in_applier_queue", byHost)],
          },
          {
            title: "Transactions that lost to another writer",
            queries: [of("max", "mysql.replication.group.conflicts_detected", byHost)],
          },
        ]
      : []),
    { title: "Slow statements in a second", queries: [of("sum", "mysql.performance.slow_queries", byHost)] },
    { title: "CPU idle, percent", queries: [of("avg", "system.cpu.idle", byHost)] },
    { title: "Memory left, share", queries: [of("min", "system.mem.pct_usable", byHost)] },
    { title: "Disk in use, share", queries: [of("max", "system.disk.in_use", " by {host,device}")] },
    { title: "Load over a minute", queries: [of("max", "system.load.1", byHost)] },
    { title: "Days until a certificate ends", queries: [of("min", "tls.days_left", " by {host,name}")] },
  ];
}

/** The dashboard as a plain object; `objectiveIds` are shown first. */
export function dashboard(watched: Watched, objectiveIds: readonly string[]): object {
  return {
    title: `secured-web ${watched.stack}`,
    description: "Made by the stack: what is changed here by hand is lost at its next update.",
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
