/** A droplet is active when it has booted; its packages may take far longer. */
import assert from "node:assert/strict";
import { cloudInitState } from "../../sandbox/hosts/host/cloudInit";
import { packageSeconds } from "../../sandbox/hosts/host/packageDelay";
import type { Provider } from "../../sandbox/hosts/provider";
import type { World } from "../../sandbox/hosts/world";
import { waitFor } from "../waitFor";
import { skipWithoutHosts } from "./requirement";
import { droplet, EMPTY, openProvider } from "./testWorld";
import { nothingIsLeft } from "./world/leftovers";

/** Longer than this test: only the test itself ends the step. */
const SECONDS = 3600;
const USER_DATA = `#cloud-config
write_files:
  - path: /etc/marker
    content: written before the packages
packages: [nginx]
runcmd:
  - [sh, -c, "echo once >> /var/log/ran"]
`;

describe("a host whose packages take time", function () {
  this.timeout(300_000);
  const host = droplet(2, { userData: USER_DATA });
  const world: World = { ...EMPTY, droplets: [host] };
  let provider: Provider;
  const sleeping = async () =>
    (await provider.host(host.id).attempt("pgrep", ["--full", `^sleep ${SECONDS}$`])).stdout.trim();
  const state = () => cloudInitState(provider.host(host.id));

  before(async function () {
    await skipWithoutHosts(this);
    provider = await openProvider({ packageSeconds: SECONDS });
    await provider.createDroplet(() => world, host);
  });
  after(async () => {
    await provider?.destroy();
    if (provider !== undefined) await nothingIsLeft(provider.instance);
  });

  it("has booted, and waits for them: files are written, scripts have not run", async () => {
    await waitFor("the package step", sleeping, { within: 60 });
    const { code, stdout } = await provider.host(host.id).attempt("cat", ["/etc/marker"]);
    assert.deepEqual([code, stdout], [0, "written before the packages"]);
    assert.equal((await state())?.status, "running");
    assert.equal(await provider.host(host.id).readFile("/var/log/ran"), undefined);
  });

  it("does not wait at a boot with the packages installed", async () => {
    await provider.host(host.id).run("touch", ["/var/lib/cloud/sandbox-packages-installed"]);
    await provider.host(host.id).shutdown();
    await provider.powerOn(host);
    await waitFor("cloud-init", async () => (await state())?.status === "done", { within: 60 });
    assert.equal(await sleeping(), "");
    assert.equal(await provider.host(host.id).readFile("/var/log/ran"), "once\n");
  });
});

describe("how long packages take", () => {
  it("is a whole number of seconds, 0 if nothing is set", () => {
    assert.equal(packageSeconds({}), 0);
    assert.equal(packageSeconds({ DIGITALOCEAN_SANDBOX_PACKAGE_SECONDS: "90" }), 90);
    assert.throws(() => packageSeconds({ DIGITALOCEAN_SANDBOX_PACKAGE_SECONDS: "a minute" }), /whole number/);
  });
});
