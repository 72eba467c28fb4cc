/** The collector on running hosts, what the intake receives of them, and alerts that fire and clear. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { graphs } from "../../infra/monitoring/dashboard";
import { monitors } from "../../infra/monitoring/monitors";
import { objectives } from "../../infra/monitoring/objectives";
import { type MetricQuery, metricsOf, parseExpression, parseMonitorQuery } from "../../sandbox/datadog/query";
import { findProgram } from "../../sandbox/hosts/requirements";
import { useOwnWorld } from "../hosts/world/useWorld";
import type { WorldHost } from "../hosts/world/worldHost";
import { waitFor } from "../waitFor";
import { countBetween, type HostCounts, hostCounts } from "./live/counts";
import { askHost, type FaultGroup, faultGroups, loadAlerts } from "./live/faults";
import { intervalSeconds, Lab, watched, worldConfig } from "./live/lab";
import { type Sent, sendLoad } from "./live/load";
import { provoke } from "./live/provoke";

describe("monitoring: on running hosts", function () {
  // Three waits of two minutes, on a machine that does much else.
  this.timeout(400_000);
  let opened: Lab | undefined;
  // Before the world's own hooks: it counts what is left on the machine.
  after(() => opened?.close());
  const world = useOwnWorld({ config: worldConfig });
  const lab = (): Lab => {
    if (!opened) throw new Error("the collectors are there in tests, not while the suite is defined");
    return opened;
  };
  const groups = faultGroups(lab);
  const seconds = () => Date.now() / 1000;
  /** Alerts that were seen to fire and to clear. */
  const proven = new Set<string>();

  before("the collectors", async function () {
    opened = await Lab.open(world());
    if (!opened) {
      console.log("      skipped: no collector on this machine (it is built with Go)");
      this.skip();
    }
    await lab().figuresSince("datadog.agent.running", 0);
  });

  /** Makes a group's faults at once; each alert's times are printed. */
  async function provokeAll({ faults }: FaultGroup): Promise<void> {
    const ends = await Promise.allSettled(faults.map((fault) => provoke(lab(), fault)));
    for (const [index, end] of ends.entries()) {
      if (end.status === "rejected") continue;
      console.log(`      ${faults[index]?.what}:`);
      for (const { alert, firedAfter, clearedAfter } of end.value) {
        proven.add(alert);
        console.log(
          `        ${alert} fired ${firedAfter.toFixed(1)} s after the fault, cleared ${clearedAfter.toFixed(1)} s after the repair (windows pass ${lab().alert(alert).timeScale} times faster)`,
        );
      }
    }
    const failures = ends.flatMap((end) => (end.status === "rejected" ? [String(end.reason)] : []));
    assert.deepEqual(failures, []);
  }

  describe("what is received", () => {
    /** What a definition names and no host sends, as sentences. */
    function missing(named: readonly MetricQuery[]): string[] {
      return named.flatMap(({ metric, scope, by }) => {
        const keys = [...scope.map(({ key }) => key), ...by];
        const isThere = lab()
          .datadog.store.of(metric)
          .some(({ tags }) => keys.every((key) => tags.has(key)));
        return isThere ? [] : [`${metric} with the tags ${keys.join(", ")}`];
      });
    }

    function named(): MetricQuery[] {
      const queries = [
        ...graphs(watched).flatMap((graph) => graph.queries),
        ...objectives(watched).flatMap(({ good, all }) => [good, all]),
      ];
      return [
        ...queries.flatMap((query) => metricsOf(parseExpression(query))),
        ...monitors(watched).flatMap(({ query }) => {
          const parsed = parseMonitorQuery(query);
          return parsed.kind === "burn-rate" ? [] : metricsOf(parsed.expression);
        }),
      ];
    }

    it("holds every metric and tag that a monitor, an objective or the dashboard names", async () => {
      await Promise.all(world().hosts.map((host) => askHost(lab(), host, 5)));
      await lab().sendBackupAges(new Date());
      await waitFor("every metric", async () => missing(named()).length === 0, {
        within: 60,
        explain: async () => missing(named()).join("\n"),
      });
      assert.ok(named().length > 40);
    });

    it("lacks a name that nothing sends, and the check says so", () => {
      const query = parseExpression("sum:nginx.net.requests_per_s{stack:dev}") as MetricQuery;
      assert.deepEqual(missing([query]), ["nginx.net.requests_per_s with the tags stack"]);
      const tag = parseExpression("sum:nginx.net.request_per_s{stack:dev} by {datacenter}") as MetricQuery;
      assert.equal(missing([tag]).length, 1);
    });
  });

  describe("the MySQL account", () => {
    const tryAs = (host: WorldHost, sql: string) =>
      host.attempt(
        `runuser -u dd-agent -- mysql --no-defaults --socket=/run/mysqld/mysqld.sock --batch -e "${sql}"`,
      );

    it("reads the group's state and the counters", async () => {
      const [host] = world().hosts;
      for (const sql of [
        "SELECT MEMBER_STATE FROM performance_schema.replication_group_members",
        "SHOW GLOBAL STATUS LIKE 'Questions'",
        "SHOW ENGINE INNODB STATUS",
        "SHOW BINARY LOGS",
      ]) {
        const { code, stderr } = await tryAs(host as WorldHost, sql);
        assert.equal(code, 0, `${sql}: ${stderr}`);
      }
    });

    for (const sql of [
      "SELECT * FROM app.notes",
      "INSERT INTO app.notes (text, web_host, database_host) VALUES ('x', 'x', 'x')",
      "SELECT user FROM mysql.user",
      "SELECT SQL_TEXT FROM performance_schema.events_statements_history",
      "SELECT DIGEST_TEXT FROM performance_schema.events_statements_summary_by_digest",
      "CREATE DATABASE mine",
      "CREATE USER mine",
      "SET GLOBAL super_read_only = OFF",
      "STOP GROUP_REPLICATION",
      "KILL 1",
      "FLUSH TABLES",
      "SELECT LOAD_FILE('/etc/passwd') IS NULL AND 1 / (SELECT COUNT(*) FROM app.notes)",
      "SHUTDOWN",
    ]) {
      it(`cannot: ${sql}`, async () => {
        const { code, stderr } = await tryAs(world().hosts[0] as WorldHost, sql);
        assert.equal(code, 1, stderr);
        assert.match(stderr, /denied|Unknown thread id/);
      });
    }

    it("is nobody's who is another unix user, and cannot come over the network", async () => {
      const [host] = world().hosts;
      const other = await host?.attempt(
        "runuser -u www-data -- mysql --no-defaults --socket=/run/mysqld/mysqld.sock --user=dd-agent -e 'SELECT 1'",
      );
      assert.match(other?.stderr ?? "", /Access denied/);
      const remote = await host?.attempt(
        `runuser -u dd-agent -- mysql --no-defaults --host=${host.fqdn} --protocol=TCP -e 'SELECT 1'`,
      );
      assert.match(remote?.stderr ?? "", /denied|not allowed/);
    });
  });

  describe("logs", () => {
    const careless = (name: string) =>
      `${name}: password=hunter2hunter2 for jane.doe@example.com from 192.0.2.10`;
    const write = (host: WorldHost, name: string) =>
      host.run(`echo '${careless(name)}' >> /var/log/cloud-init-output.log`);
    const received = (words: string) =>
      waitFor(words, async () => lab().datadog.logs.some(({ message }) => message.includes(words)), {
        within: 60,
      });

    /** What no log may hold: the host's own secrets, and what the tests have said and done. */
    async function forbidden(host: WorldHost): Promise<string[]> {
      const secrets = await host.run(
        "cat /etc/secured-web/secrets/*.password; cut -d= -f2 /etc/secured-web/secrets/datadog.env; grep -v -- ----- /etc/nginx/tls/server.key",
      );
      const said = ["192.0.2.10", "hunter2hunter2", "jane.doe@example.com", "jane@example.com"];
      return [
        ...secrets.split("\n").filter((line) => line.length >= 8),
        ...[...said, host.publicIp, host.privateIp],
      ];
    }

    function told(words: readonly string[]): string[] {
      const texts = lab().datadog.logs.map(({ message }) => message);
      return words.filter((word) => texts.some((text) => text.includes(word)));
    }

    it("hold no secret and no address of a client, which the files on the host do hold", async () => {
      const [host] = world().hosts as [WorldHost];
      await world().client.get("/a-page-that-is-not-there?email=jane@example.com");
      await write(host, "careless");
      await received("careless:");
      await received("/a-page-that-is-not-there");
      const raw = await Promise.all(world().hosts.map((one) => one.run("cat /var/log/nginx/access.log")));
      assert.ok(
        raw.some((text) => text.includes("192.0.2.10")),
        "the host's own file has the client's address",
      );
      const words = await forbidden(host);
      assert.ok(words.length > 8);
      // Not the words themselves: a failure is printed.
      assert.equal(told(words).length, 0, "a log holds what it must not");
      const sources = new Set(lab().datadog.logs.map(({ source }) => source));
      for (const source of ["nginx", "mysql", "cloud-init", "nodejs"]) assert.ok(sources.has(source), source);
    });

    it("hold them where the agent's file has no rules, and the same search finds them", async () => {
      const host = world().host("node-3");
      const file = "/etc/datadog-agent/datadog.yaml";
      await host.run(`cp -p ${file} /root/datadog.yaml && sed -i '/^logs_config:/,$d' ${file}`);
      try {
        await lab().collect(host);
        await write(host, "unscrubbed");
        await received("unscrubbed:");
      } finally {
        await host.run(`cp -p /root/datadog.yaml ${file}`);
        await lab().collect(host);
      }
      assert.deepEqual(told(["192.0.2.10", "hunter2hunter2", "jane.doe@example.com"]), [
        "192.0.2.10",
        "hunter2hunter2",
        "jane.doe@example.com",
      ]);
    });
  });

  describe("alerts", () => {
    it(`fire and clear: ${groups.resources.title}`, () => provokeAll(groups.resources));
  });

  describe("a load of known rate", () => {
    /** nginx allows one client 50 requests in a second on each of the three hosts. */
    const wantedRate = 120;
    const restSeconds = 12;
    let loadBegan = 0;
    let loadEnded: number | undefined;

    it("shows as web QPS and database QPS within 5 percent, of each host and in sum; and fires the surge", async function () {
      if (!(await findProgram("hey"))) {
        console.log("      skipped: no load tool on this machine (apt-get install hey)");
        this.skip();
      }
      // DigitalOcean's own checker asks for pages too.
      await lab().stopWatching();
      const restFrom = seconds();
      await delay((restSeconds + intervalSeconds) * 1000);
      const before = await counts();
      await delay(2 * intervalSeconds * 1000);
      loadBegan = seconds();
      const sent = await sendLoad(world(), wantedRate, 24);
      loadEnded = seconds();
      await delay(3 * intervalSeconds * 1000);
      const later = await counts();
      await lab().figuresSince("nginx.net.request_per_s", seconds());
      await lab().figuresSince("mysql.performance.questions", seconds());
      lab().watch();

      const web = lab().world.hosts.map((host) => {
        const [from, to] = span(before, later, host);
        const rest = countOf("nginx.net.request_per_s", host, restFrom, restFrom + restSeconds) / restSeconds;
        const all = countOf("nginx.net.request_per_s", host, from.at, to.at);
        return { host, own: to.pages - from.pages, seen: all - rest * (to.at - from.at) };
      });
      const database = lab().world.hosts.map((host) => {
        const [from, to] = span(before, later, host);
        const all = countOf("mysql.performance.questions", host, from.at, to.at);
        return {
          host,
          own: to.statements - from.statements,
          seen: all - (to.otherStatements - from.otherStatements),
        };
      });
      judge("web", sent, web);
      judge("database", sent, database);
      await waitFor(
        "web-qps-surge fires when the load begins",
        async () => lab().alert("web-qps-surge").next?.("Alert", loadBegan) !== undefined,
        { within: 30, explain: async () => lab().alert("web-qps-surge").describe() },
      );
    });

    async function counts(): Promise<ReadonlyMap<string, HostCounts>> {
      return new Map(
        await Promise.all(world().hosts.map(async (host) => [host.name, await hostCounts(host)] as const)),
      );
    }

    function span(
      before: ReadonlyMap<string, HostCounts>,
      later: ReadonlyMap<string, HostCounts>,
      { name }: WorldHost,
    ): [HostCounts, HostCounts] {
      return [before.get(name) as HostCounts, later.get(name) as HostCounts];
    }

    /** What the intake has received of a host's metric between two times, as a count. */
    function countOf(metric: string, { identity }: WorldHost, from: number, to: number): number {
      const own = lab()
        .datadog.store.of(metric)
        .filter(({ tags }) => tags.get("host")?.includes(identity.dropletName));
      assert.equal(own.length, 1, `${metric} of ${identity.dropletName}`);
      return countBetween(own, from, to);
    }

    /** Compares what the intake received with what each host itself counted, and the sum with what was sent. */
    function judge(
      name: string,
      sent: Sent,
      hosts: readonly { readonly host: WorldHost; readonly own: number; readonly seen: number }[],
    ): void {
      const rate = (count: number) => (count / sent.seconds).toFixed(1);
      const sum = hosts.reduce((total, { seen }) => total + seen, 0);
      const each = hosts.map(({ host, own, seen }) => `${host.name} ${rate(own)} and ${rate(seen)}`);
      console.log(
        `      ${name} QPS, sent and seen: ${rate(sent.requests)} and ${rate(sum)} in sum; ${each.join(", ")}`,
      );
      assert.ok(Math.abs(sum - sent.requests) <= sent.requests * 0.05, `${name}: ${sum} of ${sent.requests}`);
      for (const { host, own, seen } of hosts) {
        assert.ok(own > 0, `the load came to ${host.name}`);
        assert.ok(Math.abs(seen - own) <= own * 0.05, `${name} of ${host.name}: ${seen} of ${own}`);
      }
    }

    for (const faults of [groups.outage, groups.lock, groups.power]) {
      it(`alerts fire and clear: ${faults.title}`, () => provokeAll(faults));
    }

    it("its end fired the drop of both, and the hour after cleared them and the surge", async function () {
      if (loadEnded === undefined) {
        console.log("      skipped: there was no load");
        this.skip();
      }
      for (const monitor of loadAlerts) {
        const isDrop = monitor.endsWith("drop");
        const since = isDrop ? loadEnded : loadBegan;
        const alert = lab().alert(monitor);
        const times = await waitFor(
          `${monitor} fires and clears`,
          async () => {
            const fired = alert.next?.("Alert", since);
            const cleared = fired && alert.next?.("OK", fired);
            return fired && cleared ? { fired, cleared } : undefined;
          },
          { within: 150, explain: async () => alert.describe() },
        );
        proven.add(monitor);
        console.log(
          `      ${monitor} fired ${(times.fired - since).toFixed(1)} s after the load's ${isDrop ? "end" : "begin"}, cleared after ${(times.cleared - times.fired).toFixed(1)} s (windows pass ${alert.timeScale} times faster)`,
        );
      }
    });

    it("there is no alert that was not seen to fire and to clear", function () {
      if (loadEnded === undefined) {
        console.log("      skipped: there was no load");
        this.skip();
      }
      const names = lab().alerts.map(({ name }) => name);
      assert.ok(names.length >= 30);
      assert.deepEqual(
        names.filter((name) => !proven.has(name)),
        [],
      );
    });
  });
});
