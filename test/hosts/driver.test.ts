import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningApi, startApi } from "../../sandbox/api/server";
import { Driver } from "../../sandbox/hosts/driver";
import { readPublished } from "../../sandbox/hosts/publish";
import { attempt } from "../../sandbox/hosts/run";
import { waitFor } from "../waitFor";
import { skipWithoutHosts } from "./requirement";
import { asClient } from "./testWorld";
import { nothingIsLeft } from "./world/leftovers";

const TOKEN = "dop_v1_test";
const SETUP = `#cloud-config
write_files:
  - path: /etc/nginx/sites-enabled/default
    content: |
      server { listen 80 default_server; location / { return 200 "$hostname\\n"; } }
runcmd:
  - systemctl restart nginx
`;

/** Bodies of DigitalOcean's API, as far as the tests look into them. */
interface Droplet {
  id: number;
  status: string;
  vpc_uuid: string;
  networks: { v4: { ip_address: string; type: string }[] };
}
interface Action {
  id: number;
  status: string;
}

describe("the API with hosts behind it", function () {
  this.timeout(300_000);
  let stateDir: string;
  let driver: Driver;
  let api: RunningApi;
  const logged: string[] = [];

  async function start(): Promise<void> {
    driver = await Driver.open({ dir: join(stateDir, "hosts"), log: (line) => logged.push(line) });
    api = await startApi({
      stateDir: join(stateDir, "api"),
      port: 0,
      token: TOKEN,
      actionDelayMs: 20,
      host: driver,
    });
  }
  async function call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${api.url}/v2/${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return (text === "" ? {} : JSON.parse(text)) as T;
  }
  const get = async (id: number) => (await call<{ droplet: Droplet }>("GET", `droplets/${id}`)).droplet;
  async function create(name: string, more: object = {}): Promise<number> {
    const body = {
      name,
      region: "nyc1",
      size: "s-1vcpu-1gb",
      image: "ubuntu-24-04-x64",
      user_data: SETUP,
      ...more,
    };
    return (await call<{ droplet: Droplet }>("POST", "droplets", body)).droplet.id;
  }
  const active = (id: number) =>
    waitFor(
      `droplet ${id} to be active`,
      async () => {
        const found = await get(id);
        return found.status === "active" ? found : undefined;
      },
      { within: 60 },
    );
  async function act(id: number, body: object): Promise<string> {
    const { action } = await call<{ action: Action }>("POST", `droplets/${id}/actions`, body);
    return waitFor(
      `action ${JSON.stringify(body)}`,
      async () => {
        const now = (await call<{ action: Action }>("GET", `actions/${action.id}`)).action.status;
        return now === "in-progress" ? undefined : now;
      },
      { within: 60 },
    );
  }
  const address = ({ networks }: Droplet, type: string) =>
    networks.v4.find((net) => net.type === type)?.ip_address ?? "";
  const sees = async (ip: string, port = 80) =>
    (await asClient(driver.provider, "curl", ["-s", "-m", "2", `http://${ip}:${port}/`])).stdout.trim();

  before(async function () {
    await skipWithoutHosts(this);
    stateDir = await mkdtemp(join(tmpdir(), "sw-hosts-"));
    await start();
  });
  after(async () => {
    if (!api) return;
    await api.close();
    await driver.provider.destroy();
    await rm(stateDir, { recursive: true, force: true });
    await nothingIsLeft(driver.provider.instance);
  });

  let first: number;
  let second: number;

  it("boots a droplet, which is active when its host is up and answers at its address", async () => {
    [first, second] = await Promise.all([
      create("api-1", { tags: ["Web"] }),
      create("api-2", { tags: ["web"] }),
    ]);
    const [one] = await Promise.all([active(first), active(second)]);
    await waitFor("nginx", async () => (await sees(address(one, "public"))) === "api-1", { within: 30 });
    assert.equal((await driver.provider.host(first).run("hostname", [])).trim(), "api-1");
  });

  it("puts a load balancer before them, a firewall around them and a name on it", async () => {
    const { load_balancer } = await call<{ load_balancer: { id: string } }>("POST", "load_balancers", {
      name: "edge",
      region: "nyc1",
      tag: "web",
      forwarding_rules: [
        { entry_protocol: "http", entry_port: 80, target_protocol: "http", target_port: 80 },
      ],
      health_check: {
        protocol: "http",
        port: 80,
        path: "/",
        check_interval_seconds: 3,
        response_timeout_seconds: 3,
        healthy_threshold: 2,
        unhealthy_threshold: 2,
      },
    });
    const path = `load_balancers/${load_balancer.id}`;
    const ip = await waitFor("the load balancer", async () => {
      const found = (await call<{ load_balancer: { status: string; ip: string } }>("GET", path))
        .load_balancer;
      return found.status === "active" ? found.ip : undefined;
    });
    await call("POST", "firewalls", {
      name: "web",
      tags: ["web"],
      inbound_rules: [{ protocol: "tcp", ports: "80", sources: { load_balancer_uids: [load_balancer.id] } }],
      outbound_rules: [],
    });
    await waitFor("both hosts through the load balancer", async () => {
      const seen = new Set(await Promise.all([1, 2, 3, 4].map(() => sees(ip))));
      return seen.has("api-1") && seen.has("api-2");
    });
    const droplet = await get(first);
    await waitFor("the firewall", async () => (await sees(address(droplet, "public"))) === "");
    await call("POST", "domains", { name: "foobar.test", ip_address: ip });
    await call("POST", "domains/foobar.test/records", { type: "CNAME", name: "www", data: "@", ttl: 60 });
    await waitFor("the name", async () => {
      const { stdout } = await attempt("nsenter", [
        `--net=/run/netns/${driver.provider.instance.id}-services`,
        "--",
        process.execPath,
        "-e",
        `const r = new (require("node:dns").Resolver)(); r.setServers(["192.0.2.53"]); r.resolve4("www.foobar.test", (e, a) => console.log(e ? e.code : a[0]))`,
      ]);
      return stdout.trim() === ip;
    });
  });

  it("keeps what changes while a droplet boots", async () => {
    type Edge = { id: string; forwarding_rules: object[] };
    const [edge] = (await call<{ load_balancers: Edge[] }>("GET", "load_balancers")).load_balancers;
    assert.ok(edge);
    const setRules = (rules: object[]) =>
      call("PUT", `load_balancers/${edge.id}`, {
        name: "edge",
        region: "nyc1",
        tag: "web",
        forwarding_rules: rules,
      });
    const late = await create("late");
    await waitFor("its disk", () => driver.provider.host(late).exists());
    const more = { entry_protocol: "http", entry_port: 81, target_protocol: "http", target_port: 80 };
    await setRules([...edge.forwarding_rules, more]);
    assert.equal((await get(late)).status, "new", "the change comes while it boots");
    await active(late);
    const states = await driver.provider.balancers.states(edge.id);
    assert.equal(states.length, 4, "two droplets behind two ports");
    await setRules(edge.forwarding_rules);
    await call("DELETE", `droplets/${late}`);
  });

  it("does its actions, and says what errored", async () => {
    assert.equal(await act(first, { type: "power_off" }), "completed");
    assert.equal((await get(first)).status, "off");
    assert.equal(await driver.provider.host(first).running(), undefined);
    assert.equal(await act(first, { type: "power_on" }), "completed");
    assert.equal(await act(first, { type: "resize", size: "s-2vcpu-2gb" }), "completed");
    assert.equal((await get(first)).status, "off", "a resize powers a running droplet off");
    assert.equal(await driver.provider.host(first).running(), undefined);
    for (const state of ["off", "on already"])
      assert.equal(await act(first, { type: "power_on" }), "completed", state);
    const init = await driver.provider.host(first).init();
    assert.equal(await act(first, { type: "reboot" }), "completed");
    const rebooted = await driver.provider.host(first).init();
    assert.notEqual(rebooted, init);
    assert.equal(await act(first, { type: "power_cycle" }), "completed");
    assert.notEqual(await driver.provider.host(first).init(), rebooted);
    await driver.provider.host(first).run("sh", ["-c", "echo kept > /root/kept; sync"]);
    assert.equal(await act(first, { type: "rename", name: "renamed" }), "completed");
    assert.equal(await driver.provider.host(first).name(), "renamed");
    assert.equal(
      (await driver.provider.host(first).run("hostname", [])).trim(),
      "api-1",
      "as at DigitalOcean",
    );
    assert.equal(await act(first, { type: "snapshot", name: "one" }), "completed");
    const { snapshots } = await call<{ snapshots: { id: string }[] }>("GET", `droplets/${first}/snapshots`);
    assert.equal(await act(first, { type: "rebuild", image: "debian-13-x64" }), "completed");
    await assert.rejects(driver.provider.host(first).run("test", ["-e", "/root/kept"]));
    assert.equal(await act(first, { type: "rebuild", image: Number(snapshots[0]?.id) }), "completed");
    assert.equal((await driver.provider.host(first).run("cat", ["/root/kept"])).trim(), "kept");
    const bad = await create("bad", { user_data: "#cloud-config\nruncmd: [\n" });
    await waitFor("the errored droplet", async () => (await get(bad)).status === "off");
    const { actions } = await call<{ actions: Action[] }>("GET", `droplets/${bad}/actions`);
    assert.equal(actions[0]?.status, "errored");
    await call("DELETE", `droplets/${bad}`);
  });

  it("adopts its hosts after a restart, and boots those that died meanwhile", async () => {
    const before = await driver.provider.host(first).init();
    const published = await readPublished(driver.provider.instance);
    assert.equal(published.length, 1);
    const died = await driver.provider.host(second).init();
    await api.close();
    await attempt("kill", ["-KILL", String(died)]);
    await waitFor("its end", async () => (await driver.provider.host(second).running()) === undefined);
    await start();
    assert.equal(await driver.provider.host(first).init(), before);
    assert.ok(await driver.provider.host(second).running(), logged.join("\n"));
    assert.deepEqual(driver.provider.published, published, "the port on the loopback stays");
  });

  it("boots droplets that were made while they were records", async () => {
    await api.close();
    api = await startApi({ stateDir: join(stateDir, "api"), port: 0, token: TOKEN, actionDelayMs: 20 });
    const [on, off] = [await create("record-on"), await create("record-off")];
    await Promise.all([active(on), active(off)]);
    assert.equal(await act(off, { type: "power_off" }), "completed");
    await api.close();
    await start();
    assert.ok(await driver.provider.host(on).running());
    assert.equal(await driver.provider.host(off).running(), undefined);
    assert.equal(await act(off, { type: "power_on" }), "completed");
    assert.ok(await driver.provider.host(off).running());
    for (const id of [on, off]) await call("DELETE", `droplets/${id}`);
  });

  it("leaves nothing of a deleted droplet", async () => {
    await call("DELETE", `droplets/${second}`);
    await waitFor("the end of the host", async () => !(await driver.provider.host(second).exists()));
    assert.equal(await driver.provider.host(second).running(), undefined);
    const { id } = driver.provider.instance;
    const { stdout } = await attempt("sh", [
      "-c",
      `ls /run/netns | grep ${id}-d${second}; find /sys/fs/cgroup -maxdepth 4 -path '*/${id}/${second}'`,
    ]);
    assert.equal(stdout, "");
  });
});
