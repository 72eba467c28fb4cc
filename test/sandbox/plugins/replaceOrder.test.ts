/** The order of a replacement, under the real engine: which one goes first decides whether a site stays up. */
import assert from "node:assert/strict";
import * as digitalocean from "@pulumi/digitalocean";
import type * as pulumi from "@pulumi/pulumi";
import type { EngineEvent, PulumiFn, Stack } from "@pulumi/pulumi/automation";
import { Account, token } from "./account";
import { cliPath, Engine } from "./engine";

const droplet = { region: "nyc3", size: "s-1vcpu-1gb", image: "ubuntu-24-04-x64" };
type Inputs = Partial<digitalocean.DropletArgs>;

describe("the order of a replacement with the stand-in", function () {
  this.timeout(180_000);
  let engine: Engine;
  let account: Account;
  let stack: Stack;

  const program =
    (inputs: Inputs, options: pulumi.CustomResourceOptions = {}): PulumiFn =>
    async () => {
      new digitalocean.Droplet("web", { ...droplet, ...inputs }, options);
    };
  /** The names of the account's droplets at each step of an update that replaces the droplet. */
  const replace = async (before: Inputs, after: Inputs, options?: pulumi.CustomResourceOptions) => {
    await stack.up({ program: program(before) });
    const steps: string[] = [];
    const onEvent = ({ resourcePreEvent }: EngineEvent) => {
      const op = resourcePreEvent?.metadata.op;
      if (op === "delete-replaced" || op === "create-replacement") steps.push(op);
    };
    await stack.up({ program: program(after, options), onEvent });
    const { droplets } = await account.ask<{ droplets: { name: string }[] }>("GET", "/v2/droplets");
    return { steps, names: droplets.map(({ name }) => name) };
  };

  before(async function () {
    engine = await Engine.start(await cliPath(this));
    account = await Account.open();
    stack = await engine.stack("order", {
      "digitalocean:token": { value: token, secret: true },
      "digitalocean:apiEndpoint": { value: account.url },
    });
  });
  after(async () => {
    engine?.stop();
    await account?.close();
  });

  it("with a name from the program: the old one goes first", async () => {
    const name = "web-1";
    const { steps, names } = await replace({ name, userData: "#one" }, { name, userData: "#two" });
    assert.deepEqual(steps, ["delete-replaced", "create-replacement"]);
    assert.deepEqual(names, [name]);
  });

  it("also if the name changes with it", async () => {
    const { steps } = await replace({ name: "web-1", userData: "#one" }, { name: "web-2", userData: "#two" });
    assert.deepEqual(steps, ["delete-replaced", "create-replacement"]);
  });

  it("with deleteBeforeReplace: false, the new one comes first, under the same name", async () => {
    const name = "web-1";
    const { steps, names } = await replace(
      { name, userData: "#one" },
      { name, userData: "#two" },
      { deleteBeforeReplace: false },
    );
    assert.deepEqual(steps, ["create-replacement", "delete-replaced"]);
    assert.deepEqual(names, [name]);
  });

  it("with an automatic name, the new one comes first", async () => {
    await stack.destroy();
    const { steps } = await replace({ userData: "#one" }, { userData: "#two" });
    assert.deepEqual(steps, ["create-replacement", "delete-replaced"]);
  });
});
