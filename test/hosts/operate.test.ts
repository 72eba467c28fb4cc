import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { captureCommand, clientCommand, hostStates } from "../../sandbox/hosts/operate";
import type { Provider } from "../../sandbox/hosts/provider";
import { attempt } from "../../sandbox/hosts/run";
import type { World } from "../../sandbox/hosts/world";
import { waitFor } from "../waitFor";
import { skipWithoutHosts } from "./requirement";
import { droplet, EMPTY, openProvider } from "./testWorld";
import { nothingIsLeft } from "./world/leftovers";

const LOCK_FILE = join(__dirname, "..", "..", "app", "package-lock.json");

describe("what an operator does", function () {
  this.timeout(180_000);
  const host = droplet(2);
  const off = droplet(3);
  const world: World = {
    ...EMPTY,
    droplets: [host, off],
    domains: [
      {
        name: "foobar.test",
        ttl: 1800,
        records: [
          {
            type: "A",
            name: "www",
            data: "198.18.0.2",
            priority: null,
            port: null,
            weight: null,
            flags: null,
            tag: null,
            ttl: 60,
          },
        ],
      },
    ],
  };
  let provider: Provider;
  before(async function () {
    await skipWithoutHosts(this);
    provider = await openProvider({ npmLockFile: LOCK_FILE });
    await Promise.all([provider.createDroplet(() => world, host), provider.createDroplet(() => world, off)]);
    await provider.host(off.id).powerOff();
    await provider.host(host.id).run("systemctl", ["is-system-running", "--wait"], { timeoutMs: 60_000 });
  });
  after(async () => {
    if (!provider) return;
    await provider.destroy();
    await nothingIsLeft(provider.instance);
  });

  it("status: each host with its power, units, cloud-init and memory", async () => {
    await provider.host(host.id).attempt("systemd-run", ["--unit=broken", "--wait", "false"]);
    const [running, stopped] = await hostStates(provider.instance);
    assert.equal(running?.power, "on");
    assert.equal(running?.system, "degraded");
    assert.deepEqual(running?.failedUnits, ["broken.service"]);
    assert.equal(running?.cloudInit?.status, "done");
    assert.ok((running?.memoryBytes ?? 0) > 10 * 1024 ** 2, `${running?.memoryBytes}`);
    assert.deepEqual([stopped?.power, stopped?.system], ["off", undefined]);
  });

  it("curl: from outside, by the sandbox's own names, and the machine's stay as they are", async () => {
    await provider.host(host.id).run("systemd-run", ["--unit=web", "python3", "-m", "http.server", "80"]);
    const code = () =>
      attempt(
        "nsenter",
        clientCommand(provider.instance, "curl", [
          "-s",
          "-o",
          "/dev/null",
          "-w",
          "%{http_code} %{remote_ip}",
          "http://www.foobar.test/",
        ]),
      );
    await waitFor("the web server", async () => (await code()).stdout === "200 198.18.0.2");
    assert.doesNotMatch(
      await import("node:fs/promises").then((fs) => fs.readFile("/etc/resolv.conf", "utf8")),
      /192\.0\.2\.53/,
    );
  });

  it("capture: what passes a hop", async () => {
    const [program, args] = captureCommand(
      provider.instance,
      { at: "droplet", dropletId: host.id, side: "public" },
      ["-A", "tcp port 80"],
    );
    const tcpdump: ChildProcess = spawn(program, args);
    let seen = "";
    let said = "";
    tcpdump.stdout?.on("data", (text) => {
      seen += text;
    });
    tcpdump.stderr?.on("data", (text) => {
      said += text;
    });
    try {
      await waitFor("tcpdump", async () => said.includes("listening on"));
      await attempt(
        "nsenter",
        clientCommand(provider.instance, "curl", ["-s", "http://www.foobar.test/marker-4711"]),
      );
      await waitFor("the marker", async () => seen.includes("GET /marker-4711"));
    } finally {
      tcpdump.kill("SIGTERM");
    }
  });

  it("npm ci: a host installs what the lock file names, without a registry", async () => {
    const { readFile } = await import("node:fs/promises");
    for (const name of ["package.json", "package-lock.json"]) {
      const text = await readFile(join(LOCK_FILE, "..", name), "utf8");
      await provider
        .host(host.id)
        .run("sh", ["-c", `mkdir -p /srv/app && cat > /srv/app/${name}`], { input: text });
    }
    const script = `cp -r /usr/local/share/npm-cache /srv/cache && cd /srv/app &&
      npm ci --omit=dev --omit=peer --ignore-scripts --no-audit --no-fund --prefer-offline --cache /srv/cache`;
    await provider.host(host.id).run("sh", ["-c", script], { timeoutMs: 60_000 });
    const { dependencies } = JSON.parse(await readFile(join(LOCK_FILE, "..", "package.json"), "utf8"));
    for (const name of Object.keys(dependencies)) {
      await provider.host(host.id).run("node", ["-e", `require("/srv/app/node_modules/${name}")`]);
    }
  });
});
