import assert from "node:assert/strict";
import { checkPaging, type Json, TestApi } from "./testApi";

const GOOD = {
  name: "mine",
  url: "https://images.example.com/mine.qcow2",
  region: "nyc3",
  distribution: "Ubuntu",
};
const DROPLET = { name: "d", region: "nyc3", size: "s-1vcpu-1gb", image: "ubuntu-24-04-x64", tags: ["web"] };

describe("sandbox api: images and snapshots", () => {
  let api: TestApi;
  const make = async (body: object = {}): Promise<Json> =>
    (await api.expect(202, "POST", "/v2/images", { ...GOOD, ...body })).image;
  const show = async (id: number | string): Promise<Json> =>
    (await api.expect(200, "GET", `/v2/images/${id}`)).image;
  const available = (id: number): Promise<Json> =>
    api.until(
      `image ${id}`,
      () => show(id),
      ({ status }) => status === "available",
    );
  beforeEach(async () => {
    api = await TestApi.start();
  });
  afterEach(() => api.close());

  it("has the distributions, by id and by slug", async () => {
    for (const slug of ["ubuntu-24-04-x64", "ubuntu-26-04-x64", "debian-12-x64", "debian-13-x64"]) {
      const image = await show(slug);
      assert.deepEqual([image.slug, image.public, image.status], [slug, true, "available"]);
      assert.deepEqual(await show(image.id), image);
    }
    await api.refuse(404, "GET", "/v2/images/windows-95");
    await api.refuse(404, "GET", "/v2/images/1");
    await checkPaging(api, "/v2/images", "images");
  });

  it("imports one, which becomes available, changes and deletes it", async () => {
    await api.restart({ actionDelayMs: 600_000 });
    const image = await make({ description: "x", tags: ["base"] });
    assert.deepEqual([image.status, image.type, image.public, image.slug], ["NEW", "custom", false, null]);
    const early = { ...DROPLET, image: image.id };
    assert.match(
      await api.refuse(422, "POST", "/v2/droplets", early),
      /^image: the image is not available yet/,
    );
    await api.restart({ actionDelayMs: 1 });
    await available(image.id);
    await api.expect(202, "POST", "/v2/droplets", early);
    const change = { name: "renamed", distribution: "Debian", description: "y" };
    const { image: changed } = await api.expect(200, "PUT", `/v2/images/${image.id}`, change);
    assert.deepEqual([changed.name, changed.distribution, changed.description], ["renamed", "Debian", "y"]);
    await api.restart();
    assert.deepEqual(await show(image.id), changed);
    await api.expect(204, "DELETE", `/v2/images/${image.id}`);
    for (const method of ["GET", "PUT", "DELETE"])
      await api.refuse(404, method, `/v2/images/${image.id}`, {});
  });

  it("deletes one that is not imported yet", async () => {
    await api.restart({ actionDelayMs: 600_000 });
    const { id } = await make();
    await api.expect(204, "DELETE", `/v2/images/${id}`);
    assert.equal((await api.get("/v2/actions")).body.actions[0].status, "errored");
  });

  it("filters by type, by owner and by tag", async () => {
    const { id } = await make({ tags: ["base"] });
    const ids = async (query: string) =>
      (await api.expect(200, "GET", `/v2/images?per_page=200&${query}`)).images.map(
        (image: Json) => image.id,
      );
    assert.deepEqual(await ids("private=true"), [id]);
    assert.deepEqual(await ids("tag_name=base"), [id]);
    assert.deepEqual(await ids("tag_name=none"), []);
    assert.deepEqual(await ids("type=application"), []);
    const distributions = await ids("type=distribution");
    assert.ok(distributions.length > 5 && !distributions.includes(id));
    assert.deepEqual(await ids(""), [...distributions, id]);
    assert.match(await api.refuse(422, "GET", "/v2/images?type=x"), /^type: /);
  });

  it("transfers to another region; converts only backups; lists the actions", async () => {
    const image = await make();
    await available(image.id);
    const path = `/v2/images/${image.id}/actions`;
    const { action } = await api.expect(201, "POST", path, { type: "transfer", region: "ams3" });
    await api.ended(action);
    assert.deepEqual((await show(image.id)).regions, ["nyc3", "ams3"]);
    await api.expect(200, "GET", `${path}/${action.id}`);
    await api.refuse(404, "GET", `${path}/1`);
    await checkPaging(api, path, "actions");
    const refused = (body: object) => api.refuse(422, "POST", path, body);
    assert.match(await refused({ type: "transfer" }), /^region is required/);
    assert.match(
      await refused({ type: "transfer", region: "ams3" }),
      /^region: the image is in ams3 already/,
    );
    assert.match(await refused({ type: "transfer", region: "mars1" }), /^region: "mars1"/);
    assert.match(await refused({ type: "convert" }), /only a backup/);
    assert.match(await refused({ type: "melt" }), /^type: must be convert or transfer/);
    await api.refuse(404, "POST", "/v2/images/1/actions", { type: "convert" });
    await api.restart({ actionDelayMs: 600_000 });
    await api.expect(201, "POST", path, { type: "transfer", region: "fra1" });
    assert.match(await refused({ type: "transfer", region: "lon1" }), /pending event/);
    assert.match(await api.refuse(422, "DELETE", `/v2/images/${image.id}`), /pending event/);
  });

  it("lets nobody change the distributions", async () => {
    const { id } = await show("debian-13-x64");
    await api.refuse(403, "PUT", `/v2/images/${id}`, { name: "mine" });
    await api.refuse(403, "DELETE", `/v2/images/${id}`);
    await api.refuse(403, "POST", `/v2/images/${id}/actions`, { type: "convert" });
  });

  const bad: [why: string, body: object, message: RegExp][] = [
    ["no name", { name: undefined }, /^name is required/],
    ["no url", { url: undefined }, /^url is required/],
    ["a url that is a path", { url: "/etc/passwd" }, /^url: /],
    ["no region", { region: undefined }, /^region is required/],
    ["an unknown region", { region: "mars1" }, /^region: "mars1"/],
    ["an unknown distribution", { distribution: "Windows" }, /^distribution: must be one of/],
    ["a wrong tag", { tags: ["a b"] }, /^tags\[0\]: /],
  ];
  it("refuses wrong bodies, and makes nothing of them", async () => {
    for (const [why, change, message] of bad) {
      assert.match(await api.refuse(422, "POST", "/v2/images", { ...GOOD, ...change }), message, why);
    }
    assert.equal((await api.get("/v2/images?private=true")).body.meta.total, 0);
  });

  it("lists, shows and deletes snapshots of droplets and of volumes", async () => {
    const { droplet, links } = await api.expect(202, "POST", "/v2/droplets", DROPLET);
    await api.ended(links.actions[0]);
    const { action } = await api.expect(201, "POST", `/v2/droplets/${droplet.id}/actions`, {
      type: "snapshot",
      name: "d1",
    });
    await api.ended(action);
    const body = { name: "data", region: "nyc3", size_gigabytes: 1 };
    const { volume } = await api.expect(201, "POST", "/v2/volumes", body);
    await api.expect(201, "POST", `/v2/volumes/${volume.id}/snapshots`, { name: "v1" });
    await make();

    const names = async (query: string) =>
      (await api.expect(200, "GET", `/v2/snapshots${query}`)).snapshots.map(({ name }: Json) => name);
    assert.deepEqual(await names(""), ["d1", "v1"]);
    assert.deepEqual(await names("?resource_type=droplet"), ["d1"]);
    assert.deepEqual(await names("?resource_type=volume"), ["v1"]);
    assert.match(await api.refuse(422, "GET", "/v2/snapshots?resource_type=x"), /^resource_type: /);
    await checkPaging(api, "/v2/snapshots", "snapshots");
    for (const { id, resource_id, resource_type } of (await api.get("/v2/snapshots")).body.snapshots) {
      assert.equal(resource_id, resource_type === "droplet" ? String(droplet.id) : volume.id);
      assert.equal((await api.expect(200, "GET", `/v2/snapshots/${id}`)).snapshot.id, id);
      await api.expect(204, "DELETE", `/v2/snapshots/${id}`);
      for (const method of ["GET", "DELETE"]) await api.refuse(404, method, `/v2/snapshots/${id}`);
    }
  });
});
