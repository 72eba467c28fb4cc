/**
 * The slices of a converged host: they keep the database's share of CPU, and a program that eats memory to itself. The
 * guest's processor is emulated, which takes minutes, so it is run by itself:
 *
 *     SECURED_WEB_LONG_TESTS=1 npm test -- test/hosts/proofs/slices.test.ts
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseConfig } from "../../../infra/config/parse";
import { hostSettings } from "../../../infra/userdata/hostSettings";
import { renderUserData } from "../../../infra/userdata/render";
import type { HostContext } from "../../../infra/userdata/types";
import { findProgram } from "../../../sandbox/hosts/requirements";
import { median } from "../../../scripts/bench/median";
import { longDescribe } from "../../longTests";
import { contextOf, fakeSecrets } from "../../payload/contexts";
import { RenderedHost } from "../../payload/rendered";
import { skipWithoutHosts } from "../requirement";
import { TestAuthority } from "./pki";
import { bootGuest, type Line } from "./slices/guest";

/** 70 s on an idle machine of two cores. */
const LIMIT_MS = 600_000;
const guestFiles = join(__dirname, "slices");
const { host, topology } = contextOf({ topology: "converged" }, "node-1");
const defaults = hostSettings("dev", parseConfig({ "secured-web:domain": "foobar.test" }), topology);
const context: HostContext = { host, topology, settings: defaults };

longDescribe("slices, in a guest with a kernel of its own", function () {
  this.timeout(LIMIT_MS + 90_000);
  let told: readonly Line[];

  before(async function () {
    await skipWithoutHosts(this);
    if (!(await findProgram("linux.uml"))) {
      console.log(
        "      skipped: the package user-mode-linux is missing. As root: apt-get install -y user-mode-linux gcc libc6-dev",
      );
      this.skip();
    }
    this.timeout(LIMIT_MS + 90_000);
    const host = await convergedHost();
    try {
      told = await bootGuest(host.root, LIMIT_MS);
    } finally {
      host.remove();
    }
  });

  const latencies = (phase: string): number[] =>
    told.flatMap(([word, of, time]) => (word === "latency" && of === phase ? [Number(time)] : []));
  const words = (word: string, phase?: string): string => {
    const line = told.find(([first, of]) => first === word && (phase === undefined || of === phase));
    return line?.slice(phase === undefined ? 1 : 2).join(" ") ?? "";
  };

  it("are those of the payload, and mysqld runs in its own", () => {
    assert.equal(words("cgroup").split(" ")[0], "/database.slice/mysql.service");
    const { web, database } = defaults.slices;
    assert.equal(words("weights"), `${web.weight} ${database.weight}`);
  });

  it("keep the database quick beside three CPU hogs in web.slice, and without their weights it is slow", () => {
    const idle = median(latencies("idle"));
    const weighed = median(latencies("with"));
    const unweighed = median(latencies("without"));
    console.log(
      `      a query, median of ${latencies("with").length}: ${ms(idle)} idle, ${ms(weighed)} beside the hogs, ` +
        `${ms(unweighed)} without the weights (${(unweighed / weighed).toFixed(2)} times as long)`,
    );
    assert.ok(unweighed > weighed * 1.15, "the weights make no difference");
  });

  it("end a program in app.slice that takes more memory than its limit, and mysqld notices nothing", () => {
    const begin = words("mysqld", "begin");
    assert.equal(words("memory", "with"), "oom-kill");
    assert.equal(words("mysqld", "with"), begin);
    assert.equal(words("answer", "with"), "1");
    assert.equal(
      words("memory", "without"),
      "success",
      "without the limit the same program must come through",
    );
  });
});

/** The root of a converged host with the settings that a stack has by default, as far as it is without a network. */
async function convergedHost(): Promise<RenderedHost> {
  const { host } = context;
  const authority = await TestAuthority.create("slices");
  const database = await authority.issue({ names: [host.fqdn] });
  const secrets = { ...fakeSecrets(host), caCertificate: authority.certificate, database };
  const rendered = await RenderedHost.create(renderUserData(context, secrets));
  try {
    const initialize = "mysqld --no-defaults --initialize-insecure --user=mysql --datadir=/var/lib/mysql";
    rendered.must("sh", "-c", `install -d -o mysql -g mysql -m 0700 /var/lib/mysql && ${initialize}`);
    rendered.write("/etc/hosts", `127.0.0.1 localhost ${host.fqdn}\n`);
    rendered.write("/root/guest.sh", readFileSync(join(guestFiles, "guest.sh"), "utf8"), 0o755);
    for (const unit of ["slice-proof.service", "hog@.service", "glutton@.service"]) {
      rendered.write(`/etc/systemd/system/${unit}`, readFileSync(join(guestFiles, "units", unit), "utf8"));
    }
    // It has no network, whose addresses this service would wait for.
    rendered.must("ln", "-sf", "/dev/null", "/etc/systemd/system/secured-web-peers.service");
    rendered.write("/etc/cloud/cloud-init.disabled", "");
    return rendered;
  } catch (error) {
    rendered.remove();
    throw error;
  }
}

const ms = (microseconds: number): string => `${Math.round(microseconds / 1000)} ms`;
