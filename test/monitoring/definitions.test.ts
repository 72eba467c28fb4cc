import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseConfig } from "../../infra/config/parse";
import { dashboard, graphs } from "../../infra/monitoring/dashboard";
import { type MonitorDefinition, runbook, type Watched } from "../../infra/monitoring/definition";
import { monitors } from "../../infra/monitoring/monitors";
import { burnAlerts, objectives } from "../../infra/monitoring/objectives";
import { metricsOf, parseExpression, parseMonitorQuery } from "../../sandbox/datadog/query";
import { ofType, type Registrations, registrations } from "../mocks/registrations";

const root = join(__dirname, "..", "..");
const apiKey = "0123456789abcdef0123456789abcdef";
const appKey = "0123456789abcdef0123456789abcdef01234567";
/** Alerts that are made where a limit is set. */
const withLimits = {
  alerts: JSON.stringify({ backupAgeHours: 26 }),
  backups: JSON.stringify({ enabled: true }),
};
const withKeys = { domain: "dev.foobar.com", datadog: JSON.stringify({ apiKey, appKey }) };

function watched(settings: Record<string, string> = {}): Watched {
  const raw = { domain: "dev.foobar.com", ...settings };
  const config = parseConfig(
    Object.fromEntries(Object.entries(raw).map(([key, value]) => [`secured-web:${key}`, value])),
  );
  return { stack: "dev", ...config, writers: config.database.count };
}

function allMonitors(of: Watched): MonitorDefinition[] {
  return [...monitors(of), ...objectives(of).flatMap((objective) => burnAlerts(objective, "slo-1"))];
}

describe("monitoring: definitions", () => {
  it("watch everything that the design asks for", () => {
    const names = allMonitors(watched()).map(({ name }) => name);
    for (const name of [
      ...["web-qps-drop", "web-qps-surge", "web-errors", "web-latency", "database-qps-drop"],
      ...["member-not-online", "writers", "member-unfit", "replication-queue", "certification-conflicts"],
      ...["disk", "memory", "cpu-steal", "agent-silent", "certificate-expiry"],
      ...["availability-burns-fast", "availability-burns-slow", "latency-burns-fast", "latency-burns-slow"],
    ]) {
      assert.ok(names.includes(name), name);
    }
    assert.equal(new Set(names).size, names.length);
  });

  it("watch the age of backups where a limit is set, and refuse a limit without backups", () => {
    const found = monitors(watched(withLimits)).find(({ name }) => name === "backup-age");
    assert.match(found?.query ?? "", /secured_web\.backup\.age_hours\{stack:dev\} by \{host\} > 26$/);
    assert.ok(!monitors(watched()).some(({ name }) => name === "backup-age"));
    assert.throws(() => watched({ alerts: withLimits.alerts }), /alerts\.backupAgeHours: requires backups/);
  });

  it("have no monitor of a group where there is none", () => {
    const names = monitors(watched({ replication: "source-replica" })).map(({ name }) => name);
    assert.ok(!names.includes("writers") && names.includes("database-qps-drop"));
  });

  it("say in the query what they say in the threshold, and select by the stack in every part", () => {
    for (const monitor of allMonitors(watched())) {
      const query = parseMonitorQuery(monitor.query);
      assert.equal(query.threshold, monitor.critical, monitor.name);
      if (query.kind === "burn-rate") continue;
      for (const { scope, metric } of metricsOf(query.expression)) {
        assert.deepEqual(scope, [{ key: "stack", value: "dev", not: false }], metric);
      }
    }
  });

  it("follow the settings", () => {
    const queries = new Map(
      monitors(watched({ alerts: JSON.stringify({ diskPercent: 66, qpsDropPercent: 33 }) })).map(
        (monitor) => [monitor.name, monitor.query],
      ),
    );
    assert.match(queries.get("disk") ?? "", /> 0\.66$/);
    assert.match(queries.get("web-qps-drop") ?? "", /< -33$/);
  });

  it("have objectives whose budget can burn as fast as the alert says", () => {
    for (const environment of ["development", "production"]) {
      const extra = environment === "production" ? { datadog: JSON.stringify({ apiKey }) } : {};
      for (const objective of objectives(watched({ environment, ...extra }))) {
        for (const query of [objective.good, objective.all]) parseExpression(query);
        for (const { critical } of burnAlerts(objective, "x")) {
          assert.ok(critical < 100 / (100 - objective.targetPercent), `${objective.name} ${critical}`);
        }
      }
    }
  });

  it("show web and database QPS by their names on the dashboard, and nothing that does not parse", () => {
    const all = graphs(watched());
    for (const title of ["Web QPS", "Database QPS"]) assert.ok(all.some((graph) => graph.title === title));
    for (const { queries } of all) for (const query of queries) parseExpression(query);
    const text = JSON.stringify(dashboard(watched(), ["slo-1", "slo-2"]));
    assert.match(text, /"slo_id":"slo-2"/);
  });
});

describe("monitoring: the program", () => {
  let stack: Registrations;
  before(async () => {
    stack = await registrations("dev", withKeys);
  });

  it("makes every monitor, both objectives and one dashboard where both keys are given", () => {
    const names = ofType(stack, "Monitor").map(({ name }) => name);
    assert.deepEqual(
      names.sort(),
      allMonitors(watched())
        .map(({ name }) => name)
        .sort(),
    );
    assert.equal(ofType(stack, "ServiceLevelObjective").length, 2);
    assert.equal(ofType(stack, "DashboardJson").length, 1);
  });

  it("gives each monitor its message, runbook, tags and no-data rule", () => {
    const definitions = new Map(allMonitors(watched()).map((monitor) => [monitor.name, monitor]));
    for (const { name, inputs } of ofType(stack, "Monitor")) {
      assert.ok(inputs.message.includes(runbook(name)), name);
      assert.ok(inputs.tags.includes("stack:dev"));
      assert.equal(inputs.notifyNoData, definitions.get(name)?.noDataMinutes !== undefined);
    }
  });

  it("makes nothing at Datadog without an application key, and does not load its SDK", async () => {
    const loaded = () => Object.keys(require.cache).filter((path) => path.includes("@pulumi/datadog/"));
    for (const path of loaded()) delete require.cache[path];
    const plain = await registrations("dev", {
      domain: "dev.foobar.com",
      monitoring: "datadog",
      datadog: JSON.stringify({ apiKey }),
    });
    for (const type of ["Monitor", "ServiceLevelObjective", "DashboardJson"]) {
      assert.equal(ofType(plain, type).length, 0);
    }
    assert.ok(ofType(plain, "MonitorAlert").length > 0, "DigitalOcean's own alerts stand without Datadog");
    assert.deepEqual(loaded(), []);
  });
});

describe("monitoring: runbooks", () => {
  let names: string[];
  before(async () => {
    const stack = await registrations("dev", { ...withKeys, ...withLimits });
    names = ["Monitor", "MonitorAlert", "UptimeAlert"].flatMap((type) =>
      ofType(stack, type).map(({ name }) => name),
    );
  });

  /** What is wrong with an alert's page; undefined where nothing is. */
  function problemOf(name: string): string | undefined {
    const file = join(root, runbook(name));
    if (!existsSync(file)) return `${runbook(name)} is missing`;
    const text = readFileSync(file, "utf8");
    for (const heading of ["## What it means", "## First three commands", "## Fix"]) {
      if (!text.includes(`\n${heading}\n`)) return `${runbook(name)} lacks "${heading}"`;
    }
    const commands = /## First three commands\n```sh\n([\s\S]*?)\n```/.exec(text)?.[1]?.split("\n");
    if (commands?.length !== 3) return `${runbook(name)} has ${commands?.length ?? 0} commands, not three`;
    for (const [, link = ""] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
      if (!existsSync(join(file, "..", link))) return `${runbook(name)} links to ${link}, which is not there`;
    }
    return undefined;
  }

  it("there is one for every alert, Datadog's and DigitalOcean's own", () => {
    assert.ok(names.length >= 30, `${names.length} alerts`);
    assert.deepEqual(
      names.map(problemOf).filter((problem) => problem !== undefined),
      [],
    );
  });

  it("the check fails for an alert without a page", () => {
    assert.equal(problemOf("no-such-alert"), "docs/runbooks/no-such-alert.md is missing");
  });

  it("there is none for an alert that is no more, and those without an alert are known", () => {
    const withoutAlert = ["host-compromised"];
    const pages = readdirSync(join(root, "docs", "runbooks")).map((file) => file.replace(/\.md$/, ""));
    assert.deepEqual(
      pages.filter((page) => !names.includes(page)),
      withoutAlert,
    );
  });
});
