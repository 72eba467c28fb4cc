import * as pulumi from "@pulumi/pulumi";
import { dashboard } from "../monitoring/dashboard";
import { type MonitorDefinition, runbook, scopeOf, type Watched } from "../monitoring/definition";
import { monitors } from "../monitoring/monitors";
import { burnAlerts, objectives, objectiveTimeframe } from "../monitoring/objectives";

type Monitor = typeof import("@pulumi/datadog/monitor").Monitor;

/** Datadog's public API for a site, unless the environment variable that the official provider reads sets another. */
function apiUrl(site: string): { apiUrl?: string } {
  return process.env.DATADOG_HOST ? {} : { apiUrl: `https://api.${site}/` };
}

export interface DatadogMonitorsArgs {
  readonly watched: Watched;
  /** Datadog site, such as "datadoghq.eu". */
  readonly site: string;
  readonly apiKey: string;
  readonly appKey: string;
}

/**
 * Monitors, objectives and the dashboard at Datadog, created only if an API key and an application key are set. Only
 * this file loads the SDK and its plugin, so a stack without keys needs neither.
 */
export class DatadogMonitors extends pulumi.ComponentResource {
  private readonly provider: pulumi.ProviderResource;
  private readonly monitorType: Monitor;
  private readonly watched: Watched;

  constructor(
    private readonly name: string,
    args: DatadogMonitorsArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("secured-web:index:DatadogMonitors", name, {}, opts);
    const { watched, site, apiKey, appKey } = args;
    this.watched = watched;
    const { Provider } = require("@pulumi/datadog/provider") as typeof import("@pulumi/datadog/provider");
    const { Monitor } = require("@pulumi/datadog/monitor") as typeof import("@pulumi/datadog/monitor");
    const { ServiceLevelObjective } =
      require("@pulumi/datadog/serviceLevelObjective") as typeof import("@pulumi/datadog/serviceLevelObjective");
    const { DashboardJson } =
      require("@pulumi/datadog/dashboardJson") as typeof import("@pulumi/datadog/dashboardJson");
    this.monitorType = Monitor;
    this.provider = new Provider(
      `${name}-datadog`,
      {
        apiKey: pulumi.secret(apiKey),
        appKey: pulumi.secret(appKey),
        ...apiUrl(site),
      },
      { parent: this },
    );
    const own = { parent: this, provider: this.provider };

    for (const definition of monitors(watched)) this.monitor(definition, definition.query);
    const ids = objectives(watched).map((objective) => {
      const { title, good, all, targetPercent } = objective;
      const { id } = new ServiceLevelObjective(
        `${name}-${objective.name}`,
        {
          name: `secured-web ${watched.stack}: ${title}`,
          type: "metric",
          query: { numerator: good, denominator: all },
          thresholds: [{ timeframe: objectiveTimeframe, target: targetPercent }],
          tags: this.tags(),
        },
        own,
      );
      // The number and names of the alerts are known without the id. Only the query waits for it.
      for (const [index, alert] of burnAlerts(objective, "").entries()) {
        this.monitor(
          alert,
          id.apply((known) => burnAlerts(objective, known)[index]?.query ?? ""),
        );
      }
      return id;
    });
    new DashboardJson(
      `${name}-dashboard`,
      { dashboard: pulumi.all(ids).apply((known) => JSON.stringify(dashboard(watched, known))) },
      own,
    );
    this.registerOutputs({});
  }

  private monitor(definition: MonitorDefinition, query: pulumi.Input<string>): void {
    const { name, title, type, critical, warning, noDataMinutes, priority } = definition;
    new this.monitorType(
      `${this.name}-${name}`,
      {
        name: `secured-web ${this.watched.stack}: ${title}`,
        type,
        query,
        message: this.message(title, name),
        monitorThresholds: {
          critical: String(critical),
          ...(warning === undefined ? {} : { warning: String(warning) }),
        },
        notifyNoData: noDataMinutes !== undefined,
        ...(noDataMinutes === undefined ? {} : { noDataTimeframe: noDataMinutes }),
        requireFullWindow: false,
        includeTags: true,
        priority: String(priority),
        tags: [...this.tags(), `runbook:${name}`],
      },
      { parent: this, provider: this.provider },
    );
  }

  private message(title: string, name: string): string {
    const people = this.watched.alerts.emails.map((address) => `@${address}`).join(" ");
    return [`${title}.`, `What to do: ${runbook(name)}`, people].filter((line) => line !== "").join("\n");
  }

  private tags(): string[] {
    return [scopeOf(this.watched), "service:secured-web", `env:${this.watched.environment}`];
  }
}
