import assert from "node:assert/strict";
import { skipWithoutHosts } from "../requirement";
import { Account, type ApiDroplet } from "../world/account";
import { waitFor } from "../world/waitFor";

const LIMIT = 64 * 1024;

describe("user data that no host can use", function () {
  this.timeout(240_000);
  let account: Account;
  before(async function () {
    await skipWithoutHosts(this);
    account = await Account.open((line) => console.log(`      ${line}`));
  });
  after(async () => account?.close());

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

  it("too large: refused at once; at the limit it is taken", async () => {
    const comment = (bytes: number) => `#cloud-config\n#${"x".repeat(bytes - 16)}\n`;
    assert.equal(Buffer.byteLength(comment(LIMIT)), LIMIT);
    await assert.rejects(create("large", comment(LIMIT + 1)), /422.*user.data/i);
    await account.call("DELETE", `droplets/${await create("full", comment(LIMIT))}`);
  });

  it("broken: the droplet's creation ends with an error, which tells the place and not the text", async () => {
    const id = await create("broken", "#cloud-config\nwrite_files:\n- path: [\n  content: SECRET\n");
    await waitFor("the errored action", async () => (await firstAction(id)) === "errored", { within: 60 });
    assert.equal(await account.driver.provider.host(id).running(), undefined);
    await account.call("DELETE", `droplets/${id}`);
  });

  it("a command that fails: the host is up, and the operator is told which", async () => {
    const id = await create(
      "failing",
      "#cloud-config\nruncmd:\n- [sh, -c, 'echo it is the disk >&2; exit 3']\n",
    );
    const told = await waitFor(
      "the driver to tell",
      async () => account.log.find((line) => line.includes("failing")),
      {
        within: 120,
      },
    );
    assert.match(told, /droplet failing: cloud-init failed: .*runcmd/);
    await account.call("DELETE", `droplets/${id}`);
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
