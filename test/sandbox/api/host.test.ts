import assert from "node:assert/strict";
import type { HostChange, HostDriver } from "../../../sandbox/api/core/host";
import { readUserData } from "../../../sandbox/api/resources/droplets/record";
import { type Json, TestApi } from "./testApi";

const DROPLET = {
  name: "d",
  region: "nyc3",
  size: "s-1vcpu-1gb",
  image: "ubuntu-24-04-x64",
  user_data: "#cloud-config",
};

/** Writes down what it is told, and fails where it is told to. */
class FakeHost implements HostDriver {
  changes: HostChange[] = [];
  running = 0;
  most = 0;
  started = 0;
  constructor(private readonly fails: (change: HostChange) => boolean = () => false) {}
  async start(): Promise<void> {
    this.started++;
  }
  async apply(change: HostChange): Promise<void> {
    if ("dropletId" in change) this.most = Math.max(this.most, ++this.running);
    await new Promise((resolve) => setTimeout(resolve, 5));
    if ("dropletId" in change) this.running--;
    this.changes.push(change);
    if (this.fails(change)) throw new Error("no space left on the machine");
  }
  of(kind: HostChange["kind"]): HostChange[] {
    return this.changes.filter((change) => change.kind === kind);
  }
}

describe("sandbox api: host driver", () => {
  let api: TestApi | undefined;
  const start = async (host: HostDriver): Promise<TestApi> => {
    api = await TestApi.start({ host });
    return api;
  };
  afterEach(async () => {
    await api?.close();
    api = undefined;
  });
  const create = async (on: TestApi): Promise<Json> => {
    const { droplet, links } = await on.expect(202, "POST", "/v2/droplets", DROPLET);
    return { id: droplet.id, action: await on.ended(links.actions[0]) };
  };

  it("is told of a droplet's life, one change after another, and the action waits for it", async () => {
    const host = new FakeHost();
    const on = await start(host);
    assert.equal(host.started, 1);
    const { id, action } = await create(on);
    assert.equal(action.status, "completed");
    assert.deepEqual(host.of("droplet_action"), [
      { kind: "droplet_action", type: "create", dropletId: id, parameters: {} },
    ]);
    const rename = { type: "rename", name: "e" };
    await on.ended((await on.expect(201, "POST", `/v2/droplets/${id}/actions`, rename)).action);
    await on.expect(201, "POST", `/v2/droplets/${id}/actions`, { type: "power_off" });
    await on.expect(204, "DELETE", `/v2/droplets/${id}`);
    await on.until(
      "it is told of the end",
      async () => host.of("droplet_deleted"),
      ({ length }) => length === 1,
    );
    assert.deepEqual(host.of("droplet_action")[1], {
      kind: "droplet_action",
      type: "rename",
      dropletId: id,
      parameters: { name: "e" },
    });
    assert.equal(host.most, 1, "never two changes to one droplet at a time");
  });

  it("makes the action errored, and the droplet not active, where it fails", async () => {
    const { error } = console;
    const printed: string[] = [];
    console.error = (message: string) => printed.push(message);
    try {
      const on = await start(new FakeHost((change) => change.kind === "droplet_action"));
      const { id, action } = await create(on);
      assert.equal(action.status, "errored");
      assert.ok(action.completed_at);
      assert.equal((await on.expect(200, "GET", `/v2/droplets/${id}`)).droplet.status, "off");
      assert.match(printed.join(), /action \d+ \(create\): no space left on the machine/);
      await on.expect(204, "DELETE", `/v2/droplets/${id}`);
    } finally {
      console.error = error;
    }
  });

  it("is told that volumes, VPCs and reserved IPs have changed, after they are saved", async () => {
    const host = new FakeHost();
    const on = await start(host);
    await on.until(
      "it is told of the default VPCs",
      async () => host.of("vpcs").length,
      (count) => count > 0,
    );
    host.changes = [];
    await on.expect(201, "POST", "/v2/volumes", { name: "v", region: "nyc3", size_gigabytes: 1 });
    await on.expect(201, "POST", "/v2/vpcs", { name: "v", region: "nyc3" });
    await on.expect(202, "POST", "/v2/reserved_ips", { region: "nyc3" });
    await on.refuse(422, "POST", "/v2/vpcs", { name: "v", region: "nyc3" });
    const kinds = ["volumes", "vpcs", "reserved_ips"] as const;
    await on.until(
      "it is told",
      async () => host.changes.length,
      (count) => count >= 3,
    );
    assert.deepEqual(
      kinds.map((kind) => host.of(kind).length),
      [1, 1, 1],
      "and nothing of what was refused",
    );
  });

  it("finds the user data, which no answer shows, in the store", async () => {
    let seen: string | undefined;
    const on = await start({
      apply: async (change, store) => {
        if (change.kind === "droplet_action") seen = readUserData(store, change.dropletId);
      },
    });
    await create(on);
    assert.equal(seen, "#cloud-config");
  });
});
