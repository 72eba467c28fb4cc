/**
 * Releases on running hosts: what reaches them, what is refused, what is undone, and what a cut leaves. In `npm test` the
 * release program is killed at some of its steps, and slow tests are left out; this runs all:
 *
 *     SECURED_WEB_LONG_TESTS=1 npm test -- test/hosts/release.test.ts
 */
import assert from "node:assert/strict";
import type { ReleaseFile } from "../../infra/userdata/releaseForm";
import { IS_LONG } from "../longTests";
import { waitFor } from "../waitFor";
import { everyAcknowledged } from "./checkers/acknowledged";
import { edit, type Forgery, ReleaseBucket, strangersKey } from "./releases/bucket";
import { Visitors } from "./workloads/visitors";
import { useOwnWorld } from "./world/useWorld";
import type { WorldHost } from "./world/worldHost";

const NGINX = "/etc/nginx/nginx.conf";
const APP = "/usr/local/lib/secured-web/app/main.js";
const MYCNF = "/etc/mysql/secured-web.cnf";
const PACKAGES = "/etc/secured-web/packages.d/web";
const STATE = "/var/lib/secured-web/release";

type Change = (files: Map<string, ReleaseFile>) => void;
let seconds = 1000;
/** A harmless change that can be told from every other: another time for HSTS. */
const hsts = (): Change => edit(NGINX, /max-age=\d+/, `max-age=${++seconds}`);

/** The application starts and never listens. (A module of Node.js may return.) */
const NEVER_READY = edit(APP, /^/, 'if (process.argv[2] === "serve") return setInterval(() => {}, 1000); ');

describe("releases on running hosts", function () {
  this.timeout(900_000);
  let bucket: ReleaseBucket;
  const first = new Map<WorldHost, number>();
  const world = useOwnWorld(async () => {
    bucket = await ReleaseBucket.open();
    const onSpaces = (url: string) => {
      bucket.front.elsewhere = url;
    };
    return { spacesPort: bucket.front.port, onSpaces };
  });
  before("the hosts follow the bucket", async () => {
    for (const host of world().hosts) first.set(host, await bucket.adopt(host));
  });
  after(async () => bucket?.close());

  const node1 = () => world().host("node-1");

  /** Tests of rows that hosts go through side by side, each host another row: groups of rows, and their hosts. */
  function sideBySide<Row>(
    rows: readonly Row[],
    name: (row: Row) => string,
    test: (row: Row, host: WorldHost) => Promise<void>,
  ): void {
    const hosts = ["node-1", "node-2", "node-3"];
    for (let begin = 0; begin < rows.length; begin += hosts.length) {
      const group = rows.slice(begin, begin + hosts.length);
      it(group.map(name).join("; "), () =>
        Promise.all(group.map((row, index) => test(row, world().host(hosts[index] ?? "")))),
      );
    }
  }

  /** Runs something while visitors read and write: no request fails, and no acknowledged note is lost. */
  async function withoutFailure<T>(work: () => Promise<T>): Promise<T> {
    const visitors = Visitors.start(world());
    const result = await visitors.during("release", work);
    const { verdict, missing } = await everyAcknowledged(visitors.acknowledged, world().hosts);
    assert.equal(verdict, "kept", JSON.stringify(missing));
    return result;
  }

  /** The files of a host are those of its newest release, and of no other. */
  async function isWhole(host: WorldHost): Promise<void> {
    const files = [...bucket.filesOf(host).values()].filter(({ path }) => !path.endsWith(".sql"));
    const sums = await host.run(`sha256sum ${files.map(({ path }) => path).join(" ")}`);
    assert.deepEqual(sums.split("\n"), bucket.sumsOf(files));
    assert.equal(await host.run(`ls -A ${STATE} | grep -E '^(journal|next|staged)' || true`), "");
    assert.equal(
      await host.run("find /etc /usr/local /var/lib/cloud/scripts -name '.*.secured-web-new'"),
      "",
    );
  }

  describe("what reaches a host", () => {
    it("the rest of the release program; an object with the host's own files changes nothing, and gives its number", async () => {
      for (const [host, number] of first) {
        const status = await bucket.reported(host, number, "well");
        assert.equal(status.number, number);
        assert.equal(
          await host.run("journalctl --unit=secured-web-apply.service | grep -c setup: || true"),
          "0",
        );
        await isWhole(host);
      }
    });

    it("an nginx setting: nginx reloads, and no request fails", async () => {
      const main = () => node1().run("systemctl show --property=MainPID --value nginx.service");
      const before = await main();
      const change = hsts();
      await withoutFailure(async () => {
        const number = await bucket.publish(node1(), change);
        const status = await bucket.reported(node1(), number, "well");
        assert.equal(status.number, number);
      });
      assert.equal(await main(), before);
      await waitFor("the setting in an answer", async () => {
        const told = await node1().run(
          "curl -sik --resolve www.dev.foobar.com:443:127.0.0.1 https://www.dev.foobar.com/ | grep -i strict-transport",
        );
        return told.includes(`max-age=${seconds}`);
      });
      await isWhole(node1());
    });

    it("the application, HAProxy and the state of the database: no request fails", async () => {
      const app = () => node1().run("systemctl show --property=MainPID --value secured-web-app.service");
      const before = await app();
      await withoutFailure(async () => {
        const number = await bucket.publish(node1(), (files) => {
          edit(APP, /$/, "\n// another release\n")(files);
          edit("/etc/haproxy/haproxy.cfg", "maxconn 2000", "maxconn 2001")(files);
        });
        await bucket.reported(node1(), number, "well");
      });
      assert.notEqual(await app(), before);
      await isWhole(node1());
    });

    it("a setting that needs another mysqld: it restarts, and the group is whole again", async () => {
      const node2 = world().host("node-2");
      await withoutFailure(async () => {
        const number = await bucket.publish(
          node2,
          edit(MYCNF, /max_connections = \d+/, "max_connections = 123"),
        );
        const status = await bucket.reported(node2, number, "well");
        assert.equal(status.group?.online, 3);
        assert.ok(status.group?.writable);
      });
      assert.deepEqual(await node2.mysql("SELECT @@GLOBAL.max_connections"), [["123"]]);
    });

    it("a file that goes, a new unit and a unit that goes", async () => {
      const unit = "/etc/systemd/system/secured-web-extra.service";
      const content = "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n";
      const starter = "/usr/local/lib/secured-web/setup.d/95-extra";
      const added = await bucket.publish(node1(), (files) => {
        files.set(unit, { path: unit, mode: "0644", content });
        const text = "#!/bin/bash\nsystemctl enable --quiet --now secured-web-extra.service\n";
        files.set(starter, { path: starter, mode: "0755", content: text });
      });
      await bucket.reported(node1(), added, "well");
      assert.equal(await node1().unitState("secured-web-extra.service"), "active");
      const removed = await bucket.publish(node1(), (files) => {
        files.delete(unit);
        files.delete(starter);
      });
      await bucket.reported(node1(), removed, "well");
      assert.equal(await node1().unitState("secured-web-extra.service"), "inactive");
      assert.equal((await node1().attempt(`test -e ${unit}`)).code, 1);
    });

    it("a slice: its limit changes, and nothing restarts", async () => {
      const started = () =>
        node1().run("systemctl show --property=ActiveEnterTimestamp --value nginx.service mysql.service");
      const before = await started();
      const change = edit("/etc/systemd/system/web.slice", /TasksMax=\d+/, "TasksMax=4000");
      await bucket.reported(node1(), await bucket.publish(node1(), change), "well");
      assert.equal(await node1().run("systemctl show --property=TasksMax --value web.slice"), "4000");
      assert.equal(await started(), before);
    });
  });

  describe("a release that breaks is refused or undone, and the site never notices", () => {
    const rows: {
      readonly what: string;
      readonly change: Change;
      readonly outcome: "refused" | "undone";
      readonly step: string;
      readonly cause: RegExp;
      readonly unit?: string;
      readonly isLong?: true;
    }[] = [
      {
        what: "a bad nginx option",
        change: edit(NGINX, "ssl_session_tickets off;", "ssl_session_tikets off;"),
        outcome: "refused",
        step: "check",
        cause: /unknown directive "ssl_session_tikets"/,
      },
      {
        what: "a my.cnf that mysqld refuses",
        change: edit(MYCNF, "sync_binlog = 1", "sync_binlogs = 1"),
        outcome: "refused",
        step: "check",
        cause: /unknown variable 'sync_binlogs=1'/,
      },
      {
        what: "a my.cnf that mysqld takes, and cannot start with",
        change: edit(MYCNF, /bind_address = .*/, "bind_address = 192.0.2.99"),
        outcome: "undone",
        step: "restart",
        cause: /mysql\.service/,
        unit: "mysql.service",
      },
      {
        what: "an application that never gets ready",
        change: NEVER_READY,
        outcome: "refused",
        step: "check",
        cause: /the new application does not get ready/,
      },
      {
        what: "a needed unit that never gets active",
        isLong: true,
        change: edit("/etc/secured-web/release.d/common", /$/, "needs no-such-unit.service\n"),
        outcome: "undone",
        step: "well",
        cause: /not well after 20 s: no-such-unit.service is inactive/,
      },
      {
        what: "a package that cannot be installed",
        isLong: true,
        change: edit(PACKAGES, /$/, "no-such-package-anywhere\n"),
        outcome: "undone",
        step: "setup",
        cause: /could not install no-such-package-anywhere/,
      },
    ];
    before(async () => {
      const folder = "/run/systemd/system/secured-web-apply.service.d";
      for (const host of world().hosts) {
        await host.run(`mkdir -p ${folder}`);
        await host.write(`${folder}/test.conf`, "[Service]\nEnvironment=SECURED_WEB_WELL_LIMIT_S=20\n");
        await host.run("systemctl daemon-reload");
      }
    });

    for (const { what, change, outcome, step, cause, unit, isLong } of rows) {
      if (isLong && !IS_LONG) continue;
      it(what, async () => {
        const status = await withoutFailure(async () => {
          const number = await bucket.publish(node1(), change, { keep: false });
          return bucket.reported(node1(), number, outcome, 300);
        });
        assert.equal(status.step, step);
        assert.match(status.cause ?? "", cause);
        if (unit) assert.equal(status.unit, unit);
        assert.notEqual(status.number, status.wanted);
        await isWhole(node1());
        // The same number is not tried again, and the corrected one goes through.
        const good = await bucket.publish(node1(), hsts());
        await bucket.reported(node1(), good, "well");
        await isWhole(node1());
      });
    }
  });

  describe("what a host refuses", () => {
    const rows: readonly { readonly what: string; readonly forgery: Forgery; readonly cause: RegExp }[] = [
      { what: "cut", forgery: { change: (text) => text.slice(0, -200) }, cause: /is cut/ },
      {
        what: "unsigned",
        forgery: { change: (text) => text.replace(/"signatures":\[.*\]/, '"signatures":[]') },
        cause: /is not signed/,
      },
      { what: "signed by another key", forgery: { signedBy: strangersKey }, cause: /this stack's key/ },
      { what: "for another host", forgery: { host: "node-4" }, cause: /is for the host node-4/ },
      { what: "for another stack", forgery: { stack: "prod" }, cause: /is for the stack prod/ },
      { what: "older", forgery: { number: 1000 }, cause: /older than/ },
      {
        what: "too large",
        forgery: { change: (text) => text + " ".repeat(1_100_000) },
        cause: /larger than/,
      },
    ];
    sideBySide(
      rows,
      ({ what }) => what,
      async ({ forgery, cause }, host) => {
        await bucket.publish(host, hsts(), forgery);
        const status = await waitFor(
          `refused on ${host.name}`,
          async () => {
            const seen = await bucket.status(host);
            return seen?.outcome === "refused" && cause.test(seen.cause ?? "") ? seen : undefined;
          },
          { explain: async () => JSON.stringify(await bucket.status(host)) },
        );
        assert.ok(status.number > 1000);
        await isWhole(host);
      },
    );

    it("and each takes the next good one", async () => {
      await Promise.all(
        world().hosts.map(async (host) => {
          await bucket.reported(host, await bucket.publish(host, hsts()), "well");
          await isWhole(host);
        }),
      );
    });

    it("what does not fit on a full disk; it is applied as soon as there is room", async () => {
      const node3 = world().host("node-3");
      await node3.run(
        `cp -a ${STATE} /root/state && mount -t tmpfs -o size=64m,mode=0700 tmpfs ${STATE} &&
         cp -a /root/state/. ${STATE}/ && head -c 60M /dev/zero > ${STATE}/filler`,
      );
      try {
        const number = await bucket.publish(node3, hsts());
        const status = await bucket.reported(node3, number, "refused");
        assert.match(status.cause ?? "", /disk is full/);
        assert.equal(status.step, "stage");
        await node3.run(`rm ${STATE}/filler`);
        await bucket.reported(node3, number, "well");
        await isWhole(node3);
      } finally {
        const service = "secured-web-release.service";
        await node3.run(
          `systemctl stop ${service}; rm -rf /root/state ${STATE}/filler; cp -a ${STATE} /root/state; umount ${STATE};
           cp -a /root/state/. ${STATE}/; rm -rf /root/state; systemctl start ${service}`,
        );
      }
    });
  });

  describe("Spaces", () => {
    const said = () => node1().run("journalctl --unit=secured-web-release.service --output=cat --no-pager");
    for (const [mood, words] of [
      ["refusing", /could not fetch the release: .*(reply|reset|SSL|closed|502)/i],
      ["503", /could not fetch the release: Spaces answers 503/],
      ["skewed", /could not fetch the release: this host's clock is wrong by 10 minutes/],
      ["slow", /could not fetch the release: .*timed out/i],
    ] as const) {
      if (!IS_LONG && mood === "slow") continue;
      it(`${mood}: the host goes on as it is, and says so once`, async () => {
        const before = (await said()).split("\n").filter((line) => line.startsWith("could not fetch")).length;
        bucket.front.mood = mood;
        try {
          await waitFor("the words", async () => words.test(await said()), { within: 90, explain: said });
          const { count } = bucket.front;
          await waitFor("three more requests", async () => bucket.front.count > count + 3, { within: 120 });
          assert.equal((await world().client.get("/readyz")).status, 200);
        } finally {
          bucket.front.mood = "well";
        }
        const lines = (await said()).split("\n").filter((line) => line.startsWith("could not fetch"));
        assert.equal(lines.length, before + 1, lines.join("\n"));
        const number = await bucket.publish(node1(), hsts());
        await bucket.reported(node1(), number, "well");
        assert.match(await said(), /can fetch the release again/);
      });
    }
  });

  describe("killed while it applies", () => {
    const forward = IS_LONG
      ? ["verify", "stage", "check", "restart", "switch", "setup", "well", "commit", "committed"]
      : ["stage", "switch", "commit"];
    const back = IS_LONG
      ? ["back-switch", "back-setup", "back-restart", "back-well"]
      : ["back-switch", "back-setup", "back-well"];
    const KILLED_AT = "/run/secured-web/release-killed-at";
    sideBySide(
      forward,
      (step) => `at ${step}, and ends on the new release`,
      async (step, host) => {
        await host.run(`echo ${step} > ${KILLED_AT}`);
        const number = await bucket.publish(host, hsts());
        await bucket.reported(host, number, "well");
        assert.equal((await host.attempt(`test -e ${KILLED_AT}`)).code, 1);
        await isWhole(host);
      },
    );

    sideBySide(
      back,
      (step) => `at ${step}, and ends on the release before`,
      async (step, host) => {
        await host.run(`echo ${step} > ${KILLED_AT}`);
        const change = edit("/etc/secured-web/release.d/common", /$/, "needs no-such-unit.service\n");
        const number = await bucket.publish(host, change, { keep: false });
        await bucket.reported(host, number, "undone");
        assert.equal((await host.attempt(`test -e ${KILLED_AT}`)).code, 1);
        await isWhole(host);
      },
    );

    it("without power in the middle of the switch: the host is whole after its start", async () => {
      await node1().run(`echo setup > ${KILLED_AT}`);
      const number = await bucket.publish(node1(), hsts());
      await waitFor(
        "the switched files",
        async () => (await node1().run(`cat ${STATE}/journal.json ${NGINX}`)).includes(`max-age=${seconds}"`),
        { every: 0.05 },
      );
      await world().powerOff(node1());
      await world().powerOn(node1());
      await bucket.reported(node1(), number, "well");
      await isWhole(node1());
      await world().heal();
    });
  });
});
