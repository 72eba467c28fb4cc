/**
 * Changes of a running stack, by the commands that an operator types, while visitors write and read through the load
 * balancer: no request fails, every acknowledged note is on every member exactly once, and a second update changes
 * nothing. It prints a table of times. It is too long for `npm test`, so it is run by itself:
 *
 *     npm test -- test/hosts/changesUnderLoad.ts
 */
import assert from "node:assert/strict";
import { ProjectCopy } from "../e2e/projectCopy";
import { Sandbox } from "../e2e/sandbox";
import { inOrder } from "../inOrder";
import { newDatadogKey } from "./newDatadogKey";
import { skipWithoutHosts } from "./requirement";
import { SandboxOnHosts } from "./sandboxOnHosts";

const NGINX = "infra/payload/web/etc/nginx/nginx.conf.template";
const MYCNF = "infra/payload/database-group/etc/mysql/secured-web.cnf.template";
const PACKAGES = "infra/payload/web/etc/secured-web/packages.d/web";
const APP = "app/main.ts";
const DATADOG_KEY = "/etc/secured-web/secrets/datadog.env";

/** The hosts of the stack, in the order of their turns. */
const TOPOLOGIES = {
  separated: { web: ["web-1", "web-2"], database: ["db-1", "db-2", "db-3"] },
  converged: { web: ["node-1", "node-2", "node-3"], database: ["node-1", "node-2", "node-3"] },
};

for (const [topology, { web, database }] of Object.entries(TOPOLOGIES)) {
  const isSeparated = topology === "separated";
  const all = [...new Set([...web, ...database])];

  describe(`changes of a running stack, ${topology}`, function () {
    this.timeout(20 * 60_000);
    inOrder();
    let copy: ProjectCopy;
    let live: SandboxOnHosts;
    /** The settings that earlier tests have changed. */
    const settings = new Map([
      ["topology", topology],
      ["monitoring", "datadog"],
    ]);
    const times: { what: string; seconds: number; hosts: number; requests: number }[] = [];

    const configured = () =>
      [...settings].flatMap(([name, value]) => ["--config", `secured-web:${name}=${value}`]);
    const must = (command: string, ...args: string[]) => live.must(command, ...args);
    const exec = (host: string, ...command: string[]) => live.exec(host, ...command);
    const status = () => live.status();
    const dropletIds = async () =>
      Object.fromEntries((await status()).droplets.map(({ name, id }) => [name, id] as const));

    /** Runs something under load, and adds its time to the table. */
    async function underLoad(what: string, hosts: number, work: () => Promise<unknown>): Promise<void> {
      const { seconds, requests } = await live.underLoad(database, work);
      times.push({ what, seconds, hosts, requests });
    }

    async function changesNothing(): Promise<void> {
      assert.match(await must("up", "dev", ...configured()), /✔ Update: \d+ unchanged\n/);
    }

    /** The hosts that an update has waited for, in order. */
    const taken = (stdout: string) => [
      ...new Set([...stdout.matchAll(/^ *([a-z]+-\d): well/gm)].map(([, name]) => name)),
    ];

    /** An update under load, with other settings or with what the copy of the project says now. */
    async function up(what: string, hosts: readonly string[], changed: Record<string, string> = {}) {
      for (const [name, value] of Object.entries(changed)) settings.set(name, value);
      let stdout = "";
      await underLoad(what, hosts.length, async () => {
        stdout = await must("up", "dev", ...configured());
      });
      assert.deepEqual(taken(stdout), hosts);
      await changesNothing();
    }

    /** The same, and no droplet is touched. */
    async function inPlace(what: string, hosts: readonly string[], changed?: Record<string, string>) {
      const before = await dropletIds();
      await up(what, hosts, changed);
      assert.deepEqual(await dropletIds(), before);
    }

    before(async function () {
      await skipWithoutHosts(this);
      copy = ProjectCopy.make();
      live = new SandboxOnHosts(await Sandbox.make(undefined, copy.dir));
      await must("start", "--yes", ...configured());
    });
    after(async () => {
      await live?.sandbox.remove();
      copy?.remove();
      const rows = times.map(({ what, seconds, hosts, requests }) =>
        [
          what.padEnd(46),
          `${seconds.toFixed(1)} s`.padStart(8),
          hosts === 0 ? "-".padStart(10) : `${(seconds / hosts).toFixed(1)} s each`.padStart(12),
          `${requests} requests`.padStart(14),
        ].join("  "),
      );
      console.log(
        `      ${[`${topology}: 0 requests failed, 0 notes lost or doubled`, ...rows].join("\n      ")}`,
      );
    });

    it("an application release", async () => {
      copy.edit(
        APP,
        "if (!program) {",
        'if (process.argv[2] === "release-2") process.exit(0);\nif (!program) {',
      );
      await inPlace("application release", web);
      for (const host of web) {
        await exec(host, "grep", "-q", "release-2", "/usr/local/lib/secured-web/app/main.js");
      }
    });

    it("an nginx setting", async () => {
      await inPlace("nginx setting", web, { "hsts.maxAgeSeconds": "301" });
      for (const host of web) {
        assert.match(await exec(host, "cat", "/etc/nginx/nginx.conf"), /max-age=301/);
      }
    });

    it("a load balancer setting", async () => {
      await inPlace("load balancer setting", [], { "loadBalancer.idleTimeoutSeconds": "70" });
    });

    it("Datadog's key", async () => {
      const key = newDatadogKey(live.sandbox.home, "dev");
      await inPlace("Datadog's key", all);
      for (const host of all) await exec(host, "grep", "-qx", `DD_API_KEY=${key}`, DATADOG_KEY);
    });

    it("slices", async () => {
      await inPlace("slices", all, { "slices.monitoring": "60" });
      const weight = ["systemctl", "show", "--property=CPUWeight", "--value", "monitoring.slice"];
      for (const host of all) assert.equal((await exec(host, ...weight)).trim(), "60", host);
    });

    it("an option of my.cnf that needs a restart of mysqld", async () => {
      await inPlace("my.cnf option, mysqld restarts", database, { "database.maxConnections": "210" });
      for (const host of database) {
        const told = await exec(host, "mysql", "-BNe", "SELECT @@max_connections");
        assert.equal(told.trim(), "210", host);
      }
    });

    it("replace of each host, with another change pending", async () => {
      settings.set("hsts.maxAgeSeconds", "302");
      for (const host of all) {
        const before = await dropletIds();
        await underLoad(`replace ${host}`, 1, () => must("replace", "dev", host, ...configured()));
        const { [`dev-${host}`]: replaced, ...others } = await dropletIds();
        const { [`dev-${host}`]: former, ...same } = before;
        assert.notEqual(replaced, former);
        assert.deepEqual(others, same);
      }
      await must("up", "dev", ...configured());
      await changesNothing();
    });

    it("a reboot of all hosts", async () => {
      await underLoad("reboot of all hosts", all.length, () => must("reboot", "dev"));
      await changesNothing();
    });

    if (isSeparated) {
      it("another web host, and without it again", async () => {
        await up("web.count 2 to 3", [], { "web.count": "3" });
        assert.ok("dev-web-3" in (await dropletIds()));
        await up("web.count 3 to 2", [], { "web.count": "2" });
        assert.ok(!("dev-web-3" in (await dropletIds())));
      });

      it("larger web hosts", async () => {
        await up("web.size", web, { "web.size": "s-1vcpu-2gb" });
      });
    }

    it("larger database hosts", async () => {
      const before = await dropletIds();
      await up("database.size", database, { "database.size": "s-2vcpu-4gb" });
      assert.deepEqual(await dropletIds(), before, "resized, not replaced");
    });

    it("another image", async () => {
      const before = await dropletIds();
      await up("image of all hosts", all, { image: "ubuntu-24-04-x64" });
      const now = await dropletIds();
      for (const [name, id] of Object.entries(before)) assert.notEqual(now[name], id, name);
    });

    const broken: readonly {
      readonly what: string;
      readonly path: string;
      readonly edit: readonly [string, string];
      readonly hosts: readonly string[];
      readonly error: RegExp;
    }[] = [
      {
        what: "a bad nginx option",
        path: NGINX,
        edit: ["ssl_session_tickets off;", "ssl_session_tikets off;"],
        hosts: web,
        error: /refused at check: .*unknown directive "ssl_session_tikets"/s,
      },
      {
        what: "an application that never gets ready",
        path: APP,
        edit: ["try {\n", 'try {\n  if (process.argv[2] === "serve") for (;;);\n'],
        hosts: web,
        error: /refused at check: .*does not get ready/s,
      },
      {
        what: "a my.cnf that mysqld refuses",
        path: MYCNF,
        edit: ["sync_binlog = 1", "sync_binlogs = 1"],
        hosts: database,
        error: /refused at check: .*unknown variable 'sync_binlogs=1'/s,
      },
      {
        what: "a package that cannot be installed",
        path: PACKAGES,
        edit: ["haproxy\n", "haproxy\nno-such-package-anywhere\n"],
        hosts: web,
        error: /undone at setup: .*could not install no-such-package-anywhere/s,
      },
    ];
    for (const { what, path, edit, hosts, error } of broken) {
      it(`${what} stops at the first host, and the corrected one goes through`, async () => {
        const [firstHost] = hosts;
        await underLoad(`${what}: refused or undone`, 1, async () => {
          copy.edit(path, ...edit);
          const { exitCode, stdout, stderr } = await live.run("up", "dev", ...configured());
          assert.equal(exitCode, 1, stdout);
          assert.match(stderr, error);
          assert.match(stderr, new RegExp(`${firstHost}: `));
          assert.deepEqual(taken(stdout), []);
        });
        copy.restore();
        await underLoad(`${what}: corrected`, 1, () => must("up", "dev", ...configured()));
        await changesNothing();
      });
    }
  });
}
