import assert from "node:assert/strict";
import { checkPaging, type Json, TestApi } from "./testApi";

const UNKNOWN = "5a4981aa-9653-4bd1-bef5-d6bff52042e4";
const GOOD = { name: "data", region: "nyc3", size_gigabytes: 10 };
const DROPLET = { name: "d", region: "nyc3", size: "s-1vcpu-1gb", image: "ubuntu-24-04-x64" };

describe("sandbox api: volumes", () => {
  let api: TestApi;
  const make = async (body: object = {}): Promise<Json> =>
    (await api.expect(201, "POST", "/v2/volumes", { ...GOOD, ...body })).volume;
  const show = async (id: string): Promise<Json> =>
    (await api.expect(200, "GET", `/v2/volumes/${id}`)).volume;
  const droplet = async (body: object = {}): Promise<Json> =>
    (await api.expect(202, "POST", "/v2/droplets", { ...DROPLET, ...body })).droplet;
  const act = async (path: string, body: object): Promise<Json> => {
    const { action } = await api.expect(202, "POST", `${path}/actions`, body);
    assert.equal(action.status, "in-progress");
    return api.ended(action);
  };
  beforeEach(async () => {
    api = await TestApi.start();
  });
  afterEach(() => api.close());

  it("creates as the official provider does, reads back, deletes", async () => {
    const volume = await make({
      description: "x",
      snapshot_id: "",
      filesystem_type: "ext4",
      filesystem_label: "",
      tags: [],
    });
    assert.deepEqual(await show(volume.id), volume);
    assert.deepEqual([volume.droplet_ids, volume.region.slug, volume.size_gigabytes], [[], "nyc3", 10]);
    await api.restart();
    assert.deepEqual(await show(volume.id), volume);
    await api.expect(204, "DELETE", `/v2/volumes/${volume.id}`);
    for (const method of ["GET", "DELETE"]) await api.refuse(404, method, `/v2/volumes/${volume.id}`);
  });

  it("finds and deletes by name and region; lists by page", async () => {
    const here = await make({ tags: ["db"] });
    const there = await make({ region: "ams3" });
    await make({ name: "other" });
    const ids = async (query: string) =>
      (await api.expect(200, "GET", `/v2/volumes?${query}`)).volumes.map(({ id }: Json) => id);
    assert.deepEqual(await ids("name=data"), [here.id, there.id]);
    assert.deepEqual(await ids("name=data&region=ams3"), [there.id]);
    assert.deepEqual(await ids("region=fra1"), []);
    await checkPaging(api, "/v2/volumes", "volumes");
    await api.expect(204, "DELETE", "/v2/volumes?name=data&region=nyc3");
    await api.refuse(404, "DELETE", "/v2/volumes?name=data&region=nyc3");
    await api.refuse(404, "DELETE", "/v2/volumes?name=data");
    await api.refuse(404, "GET", `/v2/volumes/${here.id}`);
  });

  it("attaches and detaches, by id and by name", async () => {
    const volume = await make();
    const { id } = await droplet();
    const path = `/v2/volumes/${volume.id}`;
    const attached = await act(path, { type: "attach", droplet_id: id });
    assert.deepEqual(
      [attached.type, attached.status, attached.resource_id],
      ["attach_volume", "completed", null],
    );
    assert.deepEqual((await show(volume.id)).droplet_ids, [id]);
    assert.deepEqual((await api.expect(200, "GET", `/v2/droplets/${id}`)).droplet.volume_ids, [volume.id]);
    assert.match(await api.refuse(409, "DELETE", path), /^attached volume cannot be deleted$/);
    await act(path, { type: "detach", droplet_id: id });
    assert.deepEqual((await show(volume.id)).droplet_ids, []);
    const named = { volume_name: "data", region: "nyc3", droplet_id: id };
    await act("/v2/volumes", { ...named, type: "attach" });
    assert.deepEqual((await show(volume.id)).droplet_ids, [id]);
    await act("/v2/volumes", { ...named, type: "detach" });
    await checkPaging(api, `${path}/actions`, "actions");
    const { actions } = await api.expect(200, "GET", `${path}/actions`);
    await api.expect(200, "GET", `${path}/actions/${actions[0].id}`);
    await api.refuse(404, "GET", `${path}/actions/1`);
    await api.refuse(404, "GET", `/v2/volumes/${(await make({ name: "b" })).id}/actions/${actions[0].id}`);
  });

  it("grows", async () => {
    const { id } = await make();
    await act(`/v2/volumes/${id}`, { type: "resize", size_gigabytes: 20, region: "nyc3" });
    assert.equal((await show(id)).size_gigabytes, 20);
    const message = await api.refuse(422, "POST", `/v2/volumes/${id}/actions`, {
      type: "resize",
      size_gigabytes: 20,
    });
    assert.match(message, /^size_gigabytes: must be more than the present 20/);
  });

  it("takes one action at a time", async () => {
    await api.restart({ actionDelayMs: 600_000 });
    const { id } = await make();
    const path = `/v2/volumes/${id}`;
    await api.expect(202, "POST", `${path}/actions`, { type: "resize", size_gigabytes: 20 });
    const more = { type: "resize", size_gigabytes: 30 };
    assert.match(await api.refuse(422, "POST", `${path}/actions`, more), /pending event/);
    assert.match(await api.refuse(422, "DELETE", path), /pending event/);
  });

  it("makes snapshots, of which volumes are made", async () => {
    const volume = await make();
    const path = `/v2/volumes/${volume.id}/snapshots`;
    const { snapshot } = await api.expect(201, "POST", path, { name: "s1", tags: ["nightly"] });
    assert.deepEqual(
      [snapshot.resource_id, snapshot.resource_type, snapshot.min_disk_size, snapshot.regions, snapshot.tags],
      [volume.id, "volume", 10, ["nyc3"], ["nightly"]],
    );
    await api.expect(201, "POST", path, { name: "s2" });
    await checkPaging(api, path, "snapshots");
    assert.deepEqual(
      (await api.expect(200, "GET", `/v2/volumes/snapshots/${snapshot.id}`)).snapshot,
      snapshot,
    );
    const copy = await make({ name: "copy", snapshot_id: snapshot.id });
    assert.equal(copy.size_gigabytes, 10);
    const from = { ...GOOD, name: "c2", snapshot_id: snapshot.id };
    const wrong = (change: object) => api.refuse(422, "POST", "/v2/volumes", { ...from, ...change });
    assert.match(await wrong({ size_gigabytes: 5 }), /^size_gigabytes: the snapshot needs at least 10/);
    assert.match(await wrong({ region: "ams3" }), /^snapshot_id: the snapshot is not in ams3/);
    assert.match(await wrong({ snapshot_id: UNKNOWN }), /^snapshot_id: there is no/);
    assert.match(await api.refuse(422, "POST", path, {}), /^name is required/);
    await api.expect(204, "DELETE", `/v2/volumes/snapshots/${snapshot.id}`);
    for (const method of ["GET", "DELETE"])
      await api.refuse(404, method, `/v2/volumes/snapshots/${snapshot.id}`);
    await api.refuse(404, "GET", `/v2/volumes/${UNKNOWN}/snapshots`);
  });

  const bad: [why: string, body: object, message: RegExp][] = [
    ["no name", { name: undefined }, /^name is required/],
    ["a name in capitals", { name: "Data" }, /^name: /],
    ["a name that begins with a digit", { name: "1data" }, /^name: /],
    ["a name of 65 characters", { name: "a".repeat(65) }, /^name: /],
    ["no region", { region: undefined }, /^region is required/],
    ["an unknown region", { region: "mars1" }, /^region: "mars1"/],
    ["no size", { size_gigabytes: undefined }, /^size_gigabytes is required/],
    ["size 0", { size_gigabytes: 0 }, /^size_gigabytes: must be at least 1/],
    ["half a GiB", { size_gigabytes: 1.5 }, /^size_gigabytes: must be a whole number/],
    ["more than 16 TiB", { size_gigabytes: 16_385 }, /^size_gigabytes: must be at most 16384/],
    ["size as text", { size_gigabytes: "10" }, /^size_gigabytes: /],
    ["an unknown file system", { filesystem_type: "ntfs" }, /^filesystem_type: must be ext4 or xfs/],
    [
      "a label too long for xfs",
      { filesystem_type: "xfs", filesystem_label: "x".repeat(13) },
      /^filesystem_label: .* 12/,
    ],
    [
      "a label too long for ext4",
      { filesystem_type: "ext4", filesystem_label: "x".repeat(17) },
      /^filesystem_label: .* 16/,
    ],
    ["a wrong tag", { tags: ["a b"] }, /^tags\[0\]: /],
  ];
  it("refuses wrong bodies, and makes nothing of them", async () => {
    for (const [why, change, message] of bad) {
      assert.match(await api.refuse(422, "POST", "/v2/volumes", { ...GOOD, ...change }), message, why);
    }
    assert.equal((await api.get("/v2/volumes")).body.meta.total, 0);
    await make();
    assert.match(
      await api.refuse(409, "POST", "/v2/volumes", GOOD),
      /^failed to create volume: "data" already exists in nyc3$/,
    );
    await make({ region: "ams3" });
  });

  it("refuses wrong actions", async () => {
    const volume = await make();
    const here = await droplet();
    const there = await droplet({ region: "ams3" });
    const path = `/v2/volumes/${volume.id}/actions`;
    const attach = { type: "attach", droplet_id: here.id };
    const wrong: [body: object, message: RegExp][] = [
      [{}, /^type: must be attach/],
      [{ type: "explode" }, /^type: must be attach/],
      [{ type: "attach" }, /^droplet_id is required/],
      [{ type: "attach", droplet_id: 1 }, /^droplet_id: there is no droplet 1/],
      [{ type: "attach", droplet_id: there.id }, /in nyc3, and the droplet in ams3/],
      [{ ...attach, region: "ams3" }, /^region: the volume is in nyc3/],
      [{ type: "detach", droplet_id: here.id }, /Attachment not found/],
      [{ type: "resize" }, /^size_gigabytes is required/],
      [{ type: "resize", size_gigabytes: 5 }, /^size_gigabytes: must be more/],
    ];
    for (const [body, message] of wrong) {
      assert.match(await api.refuse(422, "POST", path, body), message, JSON.stringify(body));
    }
    assert.match(await api.refuse(422, "POST", "/v2/volumes/actions", attach), /^volume_name is required/);
    await api.refuse(404, "POST", "/v2/volumes/actions", { ...attach, volume_name: "none", region: "nyc3" });
    await api.refuse(404, "POST", `/v2/volumes/${UNKNOWN}/actions`, attach);
    await act(`/v2/volumes/${volume.id}`, attach);
    const other = await droplet();
    assert.match(
      await api.refuse(422, "POST", path, { ...attach, droplet_id: other.id }),
      /^This volume is already attached/,
    );
  });

  it("gives a droplet fifteen volumes and no more", async () => {
    const volumes: string[] = [];
    for (let i = 0; i < 15; i++) volumes.push((await make({ name: `v${i}` })).id);
    const { id } = await droplet({ volumes });
    const { id: last } = await make({ name: "v15" });
    const attach = { type: "attach", droplet_id: id };
    assert.match(
      await api.refuse(422, "POST", `/v2/volumes/${last}/actions`, attach),
      /^cannot attach more volumes to the Droplet/,
    );
  });
});
