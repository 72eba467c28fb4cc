import assert from "node:assert/strict";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { SpacesAccount } from "../../../sandbox/api/core/spaces";
import { type Json, TestApi } from "./testApi";

describe("/v2/spaces/keys", () => {
  let api: TestApi;
  let told: readonly SpacesAccount[] | undefined;
  const spaces = {
    url: "http://127.0.0.1:40123",
    buckets: () => [],
    setAccounts: (accounts: readonly SpacesAccount[]) => {
      told = accounts;
    },
  };

  beforeEach(async () => {
    told = undefined;
    api = await TestApi.start({ spaces });
  });
  afterEach(() => api.close());

  const create = async (body: object): Promise<Json> => {
    const { status, body: answer } = await api.post("/v2/spaces/keys", body);
    assert.equal(status, 201, JSON.stringify(answer));
    return answer.key;
  };

  it("says where Spaces answer, or that keys are only records", async () => {
    assert.deepEqual((await api.get("/sandbox/spaces")).body, { url: spaces.url });
    const records = await TestApi.start();
    assert.deepEqual((await records.get("/sandbox/spaces")).body, { url: null });
    await records.close();
  });

  it("shows a key's secret in the answer to its creation alone", async () => {
    const grants = [{ bucket: "releases", permission: "read" }];
    const { secret_key, ...key } = await create({ name: "hosts", grants });
    assert.match(key.access_key, /^DO00[A-Z0-9]{16}$/);
    assert.match(secret_key, /^[\w-]{43}$/);
    assert.deepEqual(key.grants, grants);
    assert.deepEqual((await api.get(`/v2/spaces/keys/${key.access_key}`)).body.key, key);
    assert.deepEqual((await api.get("/v2/spaces/keys")).body.keys, [key]);
  });

  it("keeps the secret over a restart, in a file of its own that nobody else can read", async () => {
    const { access_key, secret_key } = await create({ name: "hosts" });
    await api.restart();
    assert.deepEqual(told, [{ accessKey: access_key, secretKey: secret_key, grants: [] }]);
    assert.doesNotMatch(await readFile(join(api.stateDir, "state.json"), "utf8"), new RegExp(secret_key));
    const files = join(api.stateDir, "files");
    const [file = ""] = await readdir(files);
    assert.equal((await stat(join(files, file))).mode & 0o777, 0o600);
  });

  it("tells the backend of each change before the answer is sent", async () => {
    const { access_key, secret_key } = await create({
      name: "hosts",
      grants: [{ bucket: "releases", permission: "read" }],
    });
    assert.deepEqual(told, [
      { accessKey: access_key, secretKey: secret_key, grants: [{ bucket: "releases", permission: "read" }] },
    ]);
    const grants = [{ bucket: "backups", permission: "readwrite" }];
    await api.put(`/v2/spaces/keys/${access_key}`, { name: "hosts", grants });
    assert.deepEqual(told?.[0]?.grants, grants);
    await api.patch(`/v2/spaces/keys/${access_key}`, { name: "renamed" });
    assert.deepEqual(told?.[0]?.grants, grants);
    assert.equal((await api.delete(`/v2/spaces/keys/${access_key}`)).status, 204);
    assert.deepEqual(told, []);
    assert.equal((await api.get(`/v2/spaces/keys/${access_key}`)).status, 404);
    assert.deepEqual(await readdir(join(api.stateDir, "files")), []);
  });

  const refused: [string, object, number][] = [
    ["no name", { grants: [] }, 422],
    ["an unknown permission", { name: "a", grants: [{ bucket: "b", permission: "write" }] }, 422],
    [
      "full access beside a bucket",
      {
        name: "a",
        grants: [
          { bucket: "", permission: "fullaccess" },
          { bucket: "b", permission: "read" },
        ],
      },
      400,
    ],
    ["full access to one bucket", { name: "a", grants: [{ bucket: "b", permission: "fullaccess" }] }, 400],
    [
      "a scoped permission without a bucket",
      { name: "a", grants: [{ bucket: "", permission: "read" }] },
      400,
    ],
  ];
  for (const [name, body, status] of refused) {
    it(`refuses ${name} with ${status}`, async () => {
      assert.equal((await api.post("/v2/spaces/keys", body)).status, status);
      assert.deepEqual((await api.get("/v2/spaces/keys")).body.keys, []);
    });
  }

  it("does not convert a key with full access to a scoped one, or the other way round", async () => {
    const full = await create({ name: "full", grants: [{ bucket: "", permission: "fullaccess" }] });
    const scoped = await create({ name: "scoped", grants: [{ bucket: "b", permission: "read" }] });
    for (const [key, grants] of [
      [full, scoped.grants],
      [scoped, full.grants],
    ])
      assert.equal((await api.put(`/v2/spaces/keys/${key.access_key}`, { grants })).status, 400);
  });

  it("lists the newest first, sorted and filtered as asked", async () => {
    await create({ name: "b", grants: [{ bucket: "one", permission: "read" }] });
    await create({ name: "a", grants: [{ bucket: "two", permission: "readwrite" }] });
    const names = async (query: string) =>
      (await api.get(`/v2/spaces/keys?${query}`)).body.keys.map(({ name }: Json) => name);
    assert.deepEqual(await names(""), ["a", "b"]);
    assert.deepEqual(await names("sort_direction=asc"), ["b", "a"]);
    assert.deepEqual(await names("sort=name&sort_direction=asc"), ["a", "b"]);
    assert.deepEqual(await names("bucket=one"), ["b"]);
    assert.deepEqual(await names("permission=readwrite"), ["a"]);
    assert.deepEqual(await names("name=b"), ["b"]);
    assert.equal((await api.get("/v2/spaces/keys?sort=size")).status, 422);
  });
});
