/** The collector on running hosts, what the intake receives of them, and monitors that fire and clear. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { parseConfig } from "../../infra/config";
import { graphs } from "../../infra/monitoring/dashboard";
import type { Watched } from "../../infra/monitoring/definition";
import { monitors } from "../../infra/monitoring/monitors";
import { objectives } from "../../infra/monitoring/objectives";
import { Gateway, INTAKE_URL } from "../../sandbox/datadog/collector/gateway";
import { installCollector } from "../../sandbox/datadog/collector/host";
import { ensureTelegraf } from "../../sandbox/datadog/collector/telegraf";
import { timeline } from "../../sandbox/datadog/evaluate";
import { type MetricQuery, metricsOf, parseExpression, parseMonitorQuery } from "../../sandbox/datadog/query";
import { type RunningDatadog, startDatadog } from "../../sandbox/datadog/server";
import { findProgram } from "../../sandbox/hosts/requirements";
import { useOwnWorld } from "../hosts/world/useWorld";
import { waitFor } from "../hosts/world/waitFor";
import type { WorldHost } from "../hosts/world/worldHost";

const intervalSeconds = 2;
/** Windows pass 60 times faster: five minutes are five seconds. */
const timeScale = 60;
const bucketSeconds = 4;
const settings = { qpsDropPercent: 30, replicationQueue: 20, conflicts: 3, connectionsPercent: 80 };

describe("monitoring: on running hosts", function () {
  this.timeout(240_000);
  let datadog: RunningDatadog;
  let gateway: Gateway;
  // Before the world's own hooks: it counts what is left on the machine.
  after(async () => {
    await gateway?.close();
    await datadog?.close();
  });
  const world = useOwnWorld({ config: { monitoring: "datadog" } });
  const watched: Watched = {
    stack: "dev",
    config: parseConfig({
      "secured-web:domain": "dev.foobar.com",
      "secured-web:alerts": JSON.stringify(settings),
    }),
    writers: 3,
  };

  before("the collectors", async function () {
    this.timeout(400_000);
    const telegraf = await ensureTelegraf((line) => console.log(`      ${line}`));
    if (telegraf === undefined) {
      console.log("      skipped: no collector on this machine (it is built with Go)");
      this.skip();
    }
    datadog = await startDatadog({ port: 0, timeScale, bucketSeconds, evaluateMs: 500 });
    gateway = new Gateway(world().instance);
    await gateway.open(datadog.port);
    for (const host of world().hosts) {
      await installCollector(host.machine, telegraf, { intakeUrl: INTAKE_URL, intervalSeconds });
    }
    for (const { name, title, type, query, critical, noDataMinutes } of monitors(watched)) {
      datadog.account.putMonitor(undefined, {
        name,
        type,
        query,
        message: title,
        options: {
          thresholds: { critical },
          notify_no_data: noDataMinutes !== undefined,
          ...(noDataMinutes === undefined ? {} : { no_data_timeframe: noDataMinutes }),
        },
      });
    }
    await waitFor("figures of every host", async () => hostsThatSend().length === 3, { within: 90 });
  });
  const seconds = () => Date.now() / 1000;
  const hostsThatSend = () => [
    ...new Set(datadog.store.of("datadog.agent.running").flatMap(({ tags }) => tags.get("host") ?? [])),
  ];

  const wholeBuckets = (from: number, to: number) => ({
    from: Math.ceil(from / bucketSeconds) * bucketSeconds,
    to: Math.floor(to / bucketSeconds) * bucketSeconds,
  });

  /** The mean of a query's whole buckets between two times, by group. */
  function mean(query: string, from: number, to: number): Map<string, number> {
    const window = { ...wholeBuckets(from, to), bucket: bucketSeconds };
    return new Map(
      [...timeline(datadog.store, parseExpression(query), window)].map(([group, values]) => [
        group,
        [...values.values()].reduce((sum, value) => sum + value, 0) / values.size,
      ]),
    );
  }

  /** Requests to the application of one host, past the load balancer. */
  function askHost(host: WorldHost, times: number): Promise<string> {
    const site = world().client.site;
    const url = `https://${site}/api/notes`;
    return host.run(
      `for i in $(seq ${times}); do curl -sk -o /dev/null -w '%{http_code} ' --max-time 8 --resolve ${site}:443:127.0.0.1 ${url}; done`,
      { timeoutMs: 120_000 },
    );
  }

  describe("what is received", () => {
    /** What a definition names and no host sends, as sentences. */
    function missing(named: readonly MetricQuery[]): string[] {
      return named.flatMap(({ metric, scope, by }) => {
        const keys = [...scope.map(({ key }) => key), ...by];
        const isThere = datadog.store.of(metric).some(({ tags }) => keys.every((key) => tags.has(key)));
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
      await Promise.all(world().hosts.map((host) => askHost(host, 5)));
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
    it("hold no secret and no address of a client, which the files on the host do hold", async () => {
      const [host] = world().hosts as [WorldHost];
      await world().client.get("/a-page-that-is-not-there?email=jane@example.com");
      // A pattern that scrubbing must find in a real file: what a careless program would write.
      await host.run(
        "echo 'careless: password=hunter2hunter2 for jane.doe@example.com from 192.0.2.10' >> /var/log/cloud-init-output.log",
      );
      const texts = () => datadog.logs.map(({ message }) => message);
      await waitFor("the careless line", async () => texts().some((line) => line.startsWith("careless:")), {
        within: 60,
      });
      await waitFor(
        "nginx's access log",
        async () => texts().some((line) => line.includes("/a-page-that-is-not-there")),
        { within: 60 },
      );
      const raw = await Promise.all(world().hosts.map((one) => one.run("cat /var/log/nginx/access.log")));
      assert.ok(
        raw.some((text) => text.includes("192.0.2.10")),
        "the host's own file has the client's address",
      );

      const secrets = await host.run(
        "cat /etc/secured-web/secrets/*.password; cut -d= -f2 /etc/secured-web/secrets/datadog.env; grep -v -- ----- /etc/nginx/tls/server.key",
      );
      const forbidden = [
        ...secrets.split("\n").filter((line) => line.length >= 8),
        ...[
          "192.0.2.10",
          "hunter2hunter2",
          "jane.doe@example.com",
          "jane@example.com",
          host.publicIp,
          host.privateIp,
        ],
      ];
      assert.ok(forbidden.length > 8);
      for (const line of texts()) {
        for (const word of forbidden)
          assert.ok(!line.includes(word), `a log holds what it must not: ${line.slice(0, 40)}...`);
      }
      const sources = new Set(datadog.logs.map(({ source }) => source));
      for (const source of ["nginx", "mysql", "cloud-init", "nodejs"]) assert.ok(sources.has(source), source);
    });
  });

  describe("alerts", () => {
    type Fault = {
      readonly monitor: string;
      readonly what: string;
      readonly make: () => Promise<unknown>;
      readonly undo: () => Promise<unknown>;
    };
    const host = (name: string) => world().host(name);
    let running: { stop: () => Promise<unknown> } | undefined;

    /** Runs something on a host until it is stopped. */
    const during = (work: () => Promise<unknown>) => {
      let isOver = false;
      const done = (async () => {
        while (!isOver) await work();
      })();
      running = {
        stop: () => {
          isOver = true;
          return done;
        },
      };
    };

    const faults: Fault[] = [
      {
        monitor: "web-errors",
        what: "HAProxy stopped on a host: its application reaches no database",
        make: async () => {
          await host("node-1").run("systemctl stop haproxy");
          during(() => askHost(host("node-1"), 3));
        },
        undo: async () => {
          await host("node-1").run("systemctl start haproxy");
          await running?.stop();
        },
      },
      {
        monitor: "web-latency",
        what: "the application's table locked on a member",
        make: async () => {
          await host("node-1").run(
            "systemd-run --quiet --unit=lock mysql --no-defaults --socket=/run/mysqld/mysqld.sock -e 'LOCK TABLES app.notes WRITE; SELECT SLEEP(40)'",
          );
          during(() => askHost(host("node-1"), 1));
        },
        undo: async () => {
          // The client's end does not end its statement.
          await host("node-1").mysql(
            "SELECT CONCAT('KILL ', id) INTO @kill FROM information_schema.processlist WHERE info LIKE '%SLEEP(40)%' AND info NOT LIKE '%processlist%'; PREPARE k FROM @kill; EXECUTE k",
          );
          await host("node-1").attempt("systemctl stop lock");
          await running?.stop();
        },
      },
      {
        monitor: "disk",
        what: "a file system filled",
        make: () =>
          host("node-2").run(
            "mkdir -p /mnt/small /mnt/full && mount -t tmpfs -o size=16m tmpfs /mnt/small && mkdir /mnt/small/{l,u,w} && mount -t overlay overlay -o lowerdir=/mnt/small/l,upperdir=/mnt/small/u,workdir=/mnt/small/w /mnt/full && dd if=/dev/zero of=/mnt/full/big bs=1M count=15 status=none",
          ),
        undo: () => host("node-2").run("rm /mnt/full/big"),
      },
      {
        monitor: "certificate-expiry",
        what: "nginx's certificate replaced by one that ends in five days",
        make: () =>
          host("node-2").run(
            "cp -p /etc/nginx/tls/server.pem /root/server.pem && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -days 5 -subj /CN=short -out /etc/nginx/tls/server.pem 2>/dev/null",
          ),
        undo: () => host("node-2").run("cp -p /root/server.pem /etc/nginx/tls/server.pem"),
      },
      {
        monitor: "member-not-online",
        what: "a member out of its group",
        make: () =>
          host("node-3").run(
            "systemctl stop secured-web-group && mysql --no-defaults --socket=/run/mysqld/mysqld.sock -e 'STOP GROUP_REPLICATION'",
            { timeoutMs: 60_000 },
          ),
        undo: () => host("node-3").run("systemctl start secured-web-group"),
      },
      {
        monitor: "agent-silent",
        what: "the agent stopped",
        make: () => host("node-3").run("systemctl stop datadog-agent"),
        undo: () => host("node-3").run("systemctl start datadog-agent"),
      },
    ];

    const stateOf = (name: string) => {
      const monitor = datadog.account.monitors.find((one) => one.name === name);
      return monitor ? datadog.evaluator.overall(monitor.id) : undefined;
    };
    /** Without a visitor there is no new figure of what visitors get, and the last verdict stands. */
    const isWell = async (name: string): Promise<boolean> => {
      if (name.startsWith("web-")) await askHost(host("node-1"), 2);
      return stateOf(name) === "OK";
    };
    const isUnwell = (name: string) => ["Alert", "No Data"].includes(stateOf(name) ?? "");
    const within = 100;

    /** Makes a fault, sees its alert fire, mends it, sees it clear. */
    async function provoke({ monitor, make, undo }: Fault): Promise<void> {
      await waitFor(`${monitor} is well`, () => isWell(monitor), { within });
      await make();
      const began = Date.now();
      try {
        await waitFor(`${monitor} fires`, async () => isUnwell(monitor), { within });
      } finally {
        await undo();
      }
      const mended = Date.now();
      await waitFor(`${monitor} clears`, () => isWell(monitor), { within });
      const [fired, cleared] = [mended - began, Date.now() - mended].map((ms) => (ms / 1000).toFixed(1));
      console.log(
        `      ${monitor} fired ${fired} s after the fault, cleared ${cleared} s after the repair (windows pass ${timeScale} times faster)`,
      );
    }

    // Beside each other where neither the host nor the figure is the same.
    for (const together of [
      ["web-errors", "disk", "certificate-expiry"],
      ["web-latency", "member-not-online"],
      ["agent-silent"],
    ]) {
      const chosen = faults.filter(({ monitor }) => together.includes(monitor));
      it(`fire and clear: ${chosen.map(({ monitor, what }) => `${monitor} (${what})`).join("; ")}`, async () => {
        assert.equal(chosen.length, together.length);
        const ends = await Promise.allSettled(chosen.map(provoke));
        for (const end of ends) if (end.status === "rejected") throw end.reason;
      });
    }

    it("writers: it fired with the member that was out of its group", () => {
      const states = datadog.transitions.filter(({ name }) => name === "writers").map(({ to }) => to);
      assert.ok(states.includes("Alert"), states.join());
    });
  });

  describe("a load of known rate", () => {
    /** Requests in a second; nginx allows one client 50 on each of the three hosts. */
    const wantedRate = 45;
    let loaded = false;

    it("shows as web QPS and database QPS within 5 percent, of each host and in sum; and fires the surge", async function () {
      if (!(await findProgram("hey"))) {
        console.log("      skipped: no load tool on this machine (apt-get install hey)");
        this.skip();
      }
      const web = "sum:nginx.net.request_per_s{stack:dev}";
      const database = "sum:mysql.performance.questions{stack:dev}";
      const restFrom = seconds();
      await delay(12_000);
      const restTo = seconds();
      const processes = await world().host("node-1").run(cpuScript);
      const [othersBefore, from] = [await otherStatements(), seconds()];
      // The load lies within whole buckets, with rest on both sides.
      await delay(1.5 * bucketSeconds * 1000);
      const [sent, took] = await load(wantedRate, 24);
      loaded = sent / took > wantedRate * 0.8;
      // What was counted in the load's last seconds arrives a little later.
      await delay(2 * bucketSeconds * 1000);
      const [to, othersAfter] = [seconds(), await otherStatements()];
      const after = await world().host("node-1").run(cpuScript);
      await delay(2 * bucketSeconds * 1000);
      if (!loaded) {
        console.log(
          `      skipped: this machine is too busy for a steady load (${(sent / took).toFixed(1)} of ${wantedRate} a second)`,
        );
        this.skip();
      }
      const beside = {
        // Health checks and the agent ask nginx as evenly at rest as under load.
        web: mean(web, restFrom, restTo).get("") ?? 0,
        // Health checks of MySQL slow down on a busy machine, so MySQL tells what was not the load's.
        database: (othersAfter - othersBefore) / (to - from),
      };
      const whole = wholeBuckets(from, to);
      const length = whole.to - whole.from;
      for (const [name, query] of [
        ["web", web],
        ["database", database],
      ] as const) {
        const count = ((mean(query, from, to).get("") ?? 0) - beside[name]) * length;
        const hosts = mean(`${query} by {host}`, from, to);
        const sum = ([...hosts.values()].reduce((total, value) => total + value, 0) - beside[name]) * length;
        const each = [...hosts].map(([host, value]) => `${host.slice(5)} ${value.toFixed(1)}`).join(", ");
        console.log(
          `      ${name} QPS: ${(sent / took).toFixed(1)} sent, ${(count / took).toFixed(1)} seen; with the others' over ${length} s: ${each}`,
        );
        assert.ok(Math.abs(count - sent) <= sent * 0.05, `${name}: ${count} of ${sent}`);
        assert.equal(hosts.size, 3);
        assert.ok(Math.abs(sum - count) <= sent * 0.01, "the hosts' figures add up");
      }
      const [cpu, all, rss] = difference(processes, after);
      console.log(
        `      the collector: ${((cpu / (to - from)) * 100).toFixed(1)} percent of a CPU, ${(rss / 1024).toFixed(0)} MiB; the host used ${(all / (all - cpu)).toFixed(3)} times the CPU that it would without`,
      );
      assert.ok(cpu < all / 2);
      const fired = datadog.transitions.some(
        ({ name, to: state }) => name === "web-qps-surge" && state === "Alert",
      );
      assert.ok(fired, "web-qps-surge fires when the load begins");
    });

    it("its end fires the drop of both, and the minute after clears them", async function () {
      if (!loaded) {
        console.log("      skipped: there was no load");
        this.skip();
      }
      for (const monitor of ["web-qps-drop", "database-qps-drop"]) {
        const seen = () => datadog.transitions.filter(({ name }) => name === monitor).map(({ to }) => to);
        await waitFor(
          `${monitor} fires and clears`,
          async () => seen().includes("Alert") && seen().at(-1) === "OK",
          {
            within: 150,
            explain: async () => seen().join(),
          },
        );
      }
    });
  });

  /** Statements on all members but those that the load asks for, as MySQL itself counts them. */
  async function otherStatements(): Promise<number> {
    const counts = await Promise.all(
      world().hosts.map((host) =>
        host.mysql(
          "SELECT (SELECT VARIABLE_VALUE FROM performance_schema.global_status WHERE VARIABLE_NAME = 'Questions') - (SELECT COALESCE(SUM(COUNT_STAR), 0) FROM performance_schema.events_statements_summary_by_digest WHERE DIGEST_TEXT LIKE '%FROM `notes` ORDER BY%')",
        ),
      ),
    );
    return counts.reduce((sum, [[count = "0"] = []]) => sum + Number(count), 0);
  }

  /** Requests to the load balancer at a rate, for some seconds, as the client; gives how many were answered with 200, and in how long. */
  async function load(rate: number, forSeconds: number): Promise<[count: number, seconds: number]> {
    const connections = 6;
    const [command, args] = world().client.command("hey", [
      ...["-z", `${forSeconds}s`, "-c", String(connections), "-q", String(rate / connections)],
      `https://${world().client.site}/api/notes`,
    ]);
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (text) => {
      output += text;
    });
    await new Promise((resolve) => child.on("close", resolve));
    const good = Number(/\[200\]\s+(\d+) responses/.exec(output)?.[1] ?? 0);
    const total = Number(/Total:\s+([\d.]+) secs/.exec(output)?.[1] ?? 1);
    assert.doesNotMatch(output, /\[[45]\d\d\]/, output);
    return [good, total];
  }

  /** CPU ticks of the collector, of all of the host's processes, and the collector's memory in KiB. */
  const cpuScript = `pid=$(systemctl show --value --property=MainPID datadog-agent)
    awk '{ print $14 + $15 }' /proc/$pid/stat
    cat /proc/[0-9]*/stat 2>/dev/null | awk '{ sub(/^.*\\) /, ""); sum += $12 + $13 } END { print sum }'
    awk '$1 == "VmRSS:" { print $2 }' /proc/$pid/status`;

  function difference(before: string, later: string): [number, number, number] {
    const ticks = 100;
    const [cpu = 0, whole = 0] = before.split("\n").map(Number);
    const [cpuNow = 0, wholeNow = 0, rss = 0] = later.split("\n").map(Number);
    return [(cpuNow - cpu) / ticks, (wholeNow - whole) / ticks, rss];
  }
});
