import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../../sandbox/hosts/run";
import { waitFor } from "../../waitFor";
import { skipWithoutHosts } from "../requirement";
import { Account, type ApiDroplet } from "../world/account";
import { nothingIsLeft } from "../world/leftovers";

const LIMIT = 64 * 1024;

describe("hosts that cannot come up", function () {
  this.timeout(240_000);
  let account: Account;
  /** What the API's server has printed: why an action errored. */
  const printed: string[] = [];
  const print = console.error;
  before(async function () {
    await skipWithoutHosts(this);
    console.error = (line) => printed.push(String(line));
    account = await Account.open((line) => console.log(`      ${line}`));
  });
  after(async () => {
    console.error = print;
    if (!account) return;
    const { instance } = account.driver.provider;
    await account.close();
    // Some of the droplets below are still there, each in its trouble.
    await nothingIsLeft(instance);
  });

  async function create(name: string, userData: string): Promise<number> {
    const body = {
      name,
      region: "nyc3",
      size: "s-1vcpu-1gb",
      image: "ubuntu-26-04-x64",
      user_data: userData,
    };
    return (await account.call<{ droplet: ApiDroplet }>("POST", "droplets", body)).droplet.id;
  }
  const firstAction = async (id: number) =>
    (await account.call<{ actions: { status: string }[] }>("GET", `droplets/${id}/actions`)).actions.at(-1)
      ?.status;

  const told = (name: string) =>
    waitFor(
      "somebody to tell",
      async () => [...account.log, ...printed].find((line) => line.includes(name)),
      { within: 120 },
    );
  /** A droplet that never came up: its creation errored, and it is off. */
  async function didNotComeUp(id: number): Promise<void> {
    await waitFor("the errored action", async () => (await firstAction(id)) === "errored", { within: 60 });
    const droplet = (await account.droplets()).find((one) => one.id === id);
    assert.equal(droplet?.status, "off");
    assert.equal(await account.driver.provider.host(id).running(), undefined);
  }

  it("user data too large: refused at once; at the limit it is taken", async () => {
    const comment = (bytes: number) => `#cloud-config\n#${"x".repeat(bytes - 16)}\n`;
    assert.equal(Buffer.byteLength(comment(LIMIT)), LIMIT);
    await assert.rejects(create("large", comment(LIMIT + 1)), /422.*user.data/i);
    await account.call("DELETE", `droplets/${await create("full", comment(LIMIT))}`);
  });

  it("broken user data: the droplet's creation ends with an error, which tells the place and not the text", async () => {
    const id = await create("broken", "#cloud-config\nwrite_files:\n- path: [\n  content: SECRET\n");
    await didNotComeUp(id);
    assert.match(await told("broken"), /user data of broken: invalid YAML at line \d+/);
    assert.doesNotMatch([...account.log, ...printed].join("\n"), /SECRET/);
  });

  it("a full disk: the droplet's creation ends with an error that says so", async () => {
    const full = join(account.driver.provider.instance.dir, "droplets");
    await mkdir(full, { recursive: true });
    await run("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", full]);
    try {
      await didNotComeUp(await create("homeless", "#cloud-config\n{}\n"));
    } finally {
      await run("umount", [full]);
    }
    assert.match(await told("disk full"), /disk full: a host needs 1 GiB of free space/);
  });

  it("killed while it boots: the droplet's creation ends with an error that says so", async () => {
    const id = await create("doomed", "#cloud-config\n{}\n");
    const host = account.driver.provider.host(id);
    const init = await waitFor("its PID 1", () => host.init(), { within: 60, every: 0.02 });
    await run("kill", ["-KILL", String(init)]);
    await didNotComeUp(id);
    assert.match(await told("stopped while"), /stopped while it was booting/);
  });

  it("a command that fails: the host is up, and the operator is told which", async () => {
    const id = await create(
      "failing",
      "#cloud-config\nruncmd:\n- [sh, -c, 'echo it is the disk >&2; exit 3']\n",
    );
    assert.match(await told("failing"), /droplet failing: cloud-init failed: .*runcmd/);
    assert.ok(await account.driver.provider.host(id).running());
  });

  it("a command that never ends: a wait for the host gives up at its limit and says what it waited for", async () => {
    const id = await create("endless", "#cloud-config\nruncmd:\n- [sleep, infinity]\n");
    const host = account.driver.provider.host(id);
    await waitFor("its last stage", async () => (await host.attempt("pgrep", ["-x", "sleep"])).code === 0, {
      within: 120,
    });
    const done = async () => (await host.attempt("cloud-init", ["status"])).stdout.includes("done");
    await assert.rejects(
      waitFor("cloud-init on endless", done, {
        within: 3,
        explain: async () => (await host.attempt("cloud-init", ["status", "--long"])).stdout,
      }),
      /cloud-init on endless: not within 3 s[\s\S]*status: running/,
    );
    await account.call("DELETE", `droplets/${id}`);
    await waitFor("the end of the host", async () => !(await host.exists()), { within: 60 });
  });
});
