import assert from "node:assert/strict";
import { addDroplet, describeResource, withFields } from "./resourceTable";
import { TestApi } from "./testApi";

const none = { count: 0 };
const unused = {
  count: 0,
  droplets: none,
  images: none,
  volumes: none,
  volume_snapshots: none,
  databases: none,
};
const badName = (name: unknown) => ({
  why: `the name ${JSON.stringify(name)?.slice(0, 20)}`,
  status: 400,
  body: withFields({ name }),
  message: /^name/,
});

describeResource({
  title: "tags",
  path: () => "/v2/tags",
  one: "tag",
  many: "tags",
  created: 201,
  absent: "nobody",
  id: (tag) => tag.name,
  body: (_ground, n) => ({ name: `Role:web_${n}-x` }),
  shown: ({ name }) => ({ name, resources: unused }),
  changes: [],
  bad: [
    { why: "no body", status: 400, body: () => undefined, message: /^name is required/ },
    badName(""),
    badName(7),
    badName("has space"),
    badName("a/b"),
    badName("ümlaut"),
    badName("x".repeat(256)),
  ],
});

describe("sandbox api: a tag that cannot be", () => {
  it("is refused in the form of the tags' own errors, whatever is wrong", async () => {
    const api = await TestApi.start();
    try {
      for (const body of [undefined, "{", "[]", '"x"', { name: "a b" }, { name: null }]) {
        const reply = await api.send("POST", "/v2/tags", body);
        assert.equal(reply.status, 400, JSON.stringify(body));
        const { message, error, messages, root_causes } = reply.body;
        assert.deepEqual([error, messages, root_causes], [message, null, [message]]);
      }
      // Nothing of it on other routes, nor in other refusals of this one.
      assert.equal("root_causes" in (await api.send("POST", "/v2/droplets", "{")).body, false);
      const text = await api.send("POST", "/v2/tags", "x", { "content-type": "text/plain" });
      assert.deepEqual([text.status, "root_causes" in text.body], [415, false]);
    } finally {
      await api.close();
    }
  });
});

describe("sandbox api: tags on resources", () => {
  let api: TestApi;
  beforeEach(async () => {
    api = await TestApi.start();
  });
  afterEach(() => api.close());

  const tagOf = async (name: string) => (await api.expect(200, "GET", `/v2/tags/${name}`)).tag;
  const dropletTags = async (id: number) => (await api.expect(200, "GET", `/v2/droplets/${id}`)).droplet.tags;
  const resources = (...ids: unknown[]) => ({
    resources: ids.map((id) => ({ resource_id: String(id), resource_type: "droplet" })),
  });

  it("answers the same tag when it is there already, in its first spelling", async () => {
    await api.expect(201, "POST", "/v2/tags", { name: "PROD" });
    const again = await api.expect(201, "POST", "/v2/tags", { name: "prod" });
    assert.equal(again.tag.name, "PROD");
    assert.equal((await api.expect(200, "GET", "/v2/tags")).meta.total, 1);
    await api.refuse(404, "GET", "/v2/tags/prod");
  });

  it("makes tags with the droplets that wear them, and counts those", async () => {
    const one = await addDroplet(api, { tags: ["web"] });
    const two = await addDroplet(api, { tags: ["web"] });
    const uri = (id: number) => `${api.url}/v2/droplets/${id}`;
    const counted = (last: number) => ({ count: 2, last_tagged_uri: uri(last) });
    assert.deepEqual((await tagOf("web")).resources.droplets, counted(two.id));
    await api.expect(204, "POST", "/v2/tags/web/resources", resources(one.id));
    assert.deepEqual((await tagOf("web")).resources.droplets, counted(one.id));
    assert.equal((await tagOf("web")).resources.last_tagged_uri, uri(one.id));
    await api.expect(204, "DELETE", `/v2/droplets/${two.id}`);
    assert.equal((await tagOf("web")).resources.count, 1);
  });

  it("puts a tag on resources and takes it off, any number of times", async () => {
    const droplet = await addDroplet(api, { tags: ["web"] });
    await api.expect(201, "POST", "/v2/tags", { name: "db" });
    for (const _ of [1, 2]) await api.expect(204, "POST", "/v2/tags/db/resources", resources(droplet.id));
    assert.deepEqual(await dropletTags(droplet.id), ["web", "db"]);
    const listed = await api.expect(200, "GET", "/v2/droplets?tag_name=db");
    assert.equal(listed.meta.total, 1);
    for (const _ of [1, 2]) await api.expect(204, "DELETE", "/v2/tags/db/resources", resources(droplet.id));
    assert.deepEqual(await dropletTags(droplet.id), ["web"]);
    assert.deepEqual((await tagOf("db")).resources, unused);
  });

  it("tags a volume, by its own type", async () => {
    const volume = { name: "v", region: "nyc3", size_gigabytes: 1 };
    const { id } = (await api.expect(201, "POST", "/v2/volumes", volume)).volume;
    await api.expect(201, "POST", "/v2/tags", { name: "data" });
    const body = { resources: [{ resource_id: id, resource_type: "volume" }] };
    await api.expect(204, "POST", "/v2/tags/data/resources", body);
    assert.deepEqual((await api.expect(200, "GET", `/v2/volumes/${id}`)).volume.tags, ["data"]);
    assert.equal((await tagOf("data")).resources.volumes.last_tagged_uri, `${api.url}/v2/volumes/${id}`);
  });

  it("takes a deleted tag off everything", async () => {
    const droplet = await addDroplet(api, { tags: ["web", "keep"] });
    await api.expect(204, "DELETE", "/v2/tags/web");
    assert.deepEqual(await dropletTags(droplet.id), ["keep"]);
  });

  const bad: [why: string, body: unknown, message: RegExp][] = [
    ["no body", undefined, /^resources is required/],
    ["an empty list", { resources: [] }, /^resources: /],
    ["a droplet that is not there", resources(1), /there is no droplet 1$/],
    ["no type", { resources: [{ resource_id: "1" }] }, /^resources\[0\]\.resource_type/],
    [
      "a type that wears no tags",
      { resources: [{ resource_id: "example.com", resource_type: "domain" }] },
      /^resources\[0\]\.resource_type/,
    ],
    ["no id", { resources: [{ resource_type: "droplet" }] }, /^resources\[0\]\.resource_id/],
  ];
  for (const [why, body, message] of bad) {
    it(`refuses to tag ${why}`, async () => {
      await api.expect(201, "POST", "/v2/tags", { name: "web" });
      assert.match(await api.refuse(422, "POST", "/v2/tags/web/resources", body), message);
      assert.match(await api.refuse(422, "DELETE", "/v2/tags/web/resources", body), message);
    });
  }

  it("says 404 for resources of a tag that is not there", async () => {
    await api.refuse(404, "POST", "/v2/tags/nobody/resources", resources(1));
    await api.refuse(404, "DELETE", "/v2/tags/nobody/resources", resources(1));
  });

  it("tags all of a request or nothing", async () => {
    const droplet = await addDroplet(api);
    await api.expect(201, "POST", "/v2/tags", { name: "web" });
    await api.refuse(422, "POST", "/v2/tags/web/resources", resources(droplet.id, 1));
    assert.deepEqual(await dropletTags(droplet.id), []);
  });
});
