import assert from "node:assert/strict";
import { type Json, TestApi } from "./testApi";

const DROPLET = { name: "d", region: "nyc3", size: "s-1vcpu-1gb", image: "ubuntu-24-04-x64" };

describe("sandbox api: droplets with their associated resources", () => {
  let api: TestApi;
  let path: string;
  let volume: Json;
  let snapshot: Json;
  let volumeSnapshot: Json;
  let ip: string;
  beforeEach(async () => {
    api = await TestApi.start();
    volume = (
      await api.expect(201, "POST", "/v2/volumes", { name: "data", region: "nyc3", size_gigabytes: 10 })
    ).volume;
    const made = await api.expect(201, "POST", `/v2/volumes/${volume.id}/snapshots`, { name: "v1" });
    volumeSnapshot = made.snapshot;
    const { droplet, links } = await api.expect(202, "POST", "/v2/droplets", {
      ...DROPLET,
      volumes: [volume.id],
    });
    await api.ended(links.actions[0]);
    path = `/v2/droplets/${droplet.id}/destroy_with_associated_resources`;
    const { action } = await api.expect(201, "POST", `/v2/droplets/${droplet.id}/actions`, {
      type: "snapshot",
      name: "d1",
    });
    await api.ended(action);
    snapshot = (await api.expect(200, "GET", "/v2/snapshots?resource_type=droplet")).snapshots[0];
    const reserved = await api.expect(202, "POST", "/v2/reserved_ips", { droplet_id: droplet.id });
    await api.ended(reserved.links.actions[0]);
    ip = reserved.reserved_ip.ip;
  });
  afterEach(() => api.close());
  const totals = async () => {
    const lists = ["droplets", "volumes", "snapshots", "reserved_ips"];
    return Promise.all(lists.map(async (one) => (await api.get(`/v2/${one}`)).body.meta.total));
  };

  it("lists them with what they cost", async () => {
    const associated = await api.expect(200, "GET", path);
    assert.deepEqual(associated.volumes, [{ id: volume.id, name: "data", cost: "1.00" }]);
    assert.deepEqual(
      ["reserved_ips", "floating_ips", "snapshots", "volume_snapshots"].map(
        (group) => associated[group][0].id,
      ),
      [ip, ip, snapshot.id, volumeSnapshot.id],
    );
    await api.refuse(404, "GET", "/v2/droplets/1/destroy_with_associated_resources");
  });

  it("destroys a selection, and tells what it did", async () => {
    const wrong = await api.refuse(422, "DELETE", `${path}/selective`, { volumes: [volumeSnapshot.id] });
    assert.match(wrong, /^volumes: .* is not the droplet's/);
    assert.deepEqual(await totals(), [1, 1, 2, 1], "nothing was destroyed");
    await api.refuse(404, "GET", `${path}/status`);
    await api.expect(202, "DELETE", `${path}/selective`, { volumes: [volume.id], floating_ips: [ip] });
    assert.deepEqual(await totals(), [0, 0, 2, 0]);
    const status = await api.expect(200, "GET", `${path}/status`);
    assert.equal(status.failures, 0);
    assert.ok(status.completed_at && status.droplet.destroyed_at);
    assert.equal(status.resources.volumes[0].id, volume.id);
    assert.deepEqual(status.resources.snapshots, []);
    await api.expect(202, "POST", `${path}/retry`);
  });

  it("destroys all of them, only with the header", async () => {
    assert.match(await api.refuse(422, "DELETE", `${path}/dangerous`), /X-Dangerous/);
    assert.deepEqual(await totals(), [1, 1, 2, 1]);
    const reply = await api.delete(`${path}/dangerous`, undefined, { "x-dangerous": "true" });
    assert.equal(reply.status, 202);
    assert.deepEqual(await totals(), [0, 0, 0, 0]);
    await api.refuse(404, "DELETE", `${path}/dangerous`);
  });

  it("tells what could not be destroyed, and tries that again", async () => {
    await api.restart({ actionDelayMs: 600_000 });
    await api.expect(202, "POST", `/v2/volumes/${volume.id}/actions`, { type: "resize", size_gigabytes: 20 });
    await api.expect(202, "DELETE", `${path}/selective`, { volumes: [volume.id] });
    const status = await api.expect(200, "GET", `${path}/status`);
    assert.equal(status.failures, 1);
    assert.match(status.resources.volumes[0].error_message, /pending event/);
    await api.restart({ actionDelayMs: 1 });
    await api.until(
      "the volume has its new size",
      () => api.expect(200, "GET", `/v2/volumes/${volume.id}`),
      ({ volume: { size_gigabytes } }) => size_gigabytes === 20,
    );
    await api.expect(202, "POST", `${path}/retry`);
    assert.equal((await api.expect(200, "GET", `${path}/status`)).failures, 0);
    await api.refuse(404, "GET", `/v2/volumes/${volume.id}`);
    await api.refuse(404, "POST", "/v2/droplets/1/destroy_with_associated_resources/retry");
  });
});
