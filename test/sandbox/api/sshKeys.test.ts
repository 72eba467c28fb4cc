import assert from "node:assert/strict";
import { checkPaging, TestApi } from "./testApi";

const KEYS = [
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICN9QkdcA4CCpMgKedaRBbhth9HsG1GHJk2+VHQIYKok key0@example",
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINrn4dLx4QZszeFuQmYJI8zkUCzYBYxbuH+qAsPVT/0N key1@example",
];
// What `ssh-keygen -l -E md5` says of the first.
const FINGERPRINT = "7a:24:ee:6f:59:eb:63:30:6f:0f:46:c1:af:f5:f1:42";

describe("sandbox api: account and SSH keys", () => {
  let api: TestApi;
  beforeEach(async () => {
    api = await TestApi.start();
  });
  afterEach(() => api.close());

  it("shows the account", async () => {
    const { account } = await api.expect(200, "GET", "/v2/account");
    assert.equal(account.status, "active");
  });

  it("creates, reads back by id and by fingerprint, renames, deletes", async () => {
    const { ssh_key: key } = await api.expect(201, "POST", "/v2/account/keys", {
      name: "one",
      public_key: KEYS[0],
    });
    assert.equal(key.fingerprint, FINGERPRINT);
    assert.equal(key.public_key, KEYS[0]);
    assert.deepEqual(await api.expect(200, "GET", `/v2/account/keys/${key.id}`), { ssh_key: key });
    assert.deepEqual(await api.expect(200, "GET", `/v2/account/keys/${key.fingerprint}`), { ssh_key: key });
    const renamed = await api.expect(200, "PUT", `/v2/account/keys/${key.id}`, { name: "uno" });
    assert.deepEqual(renamed, { ssh_key: { ...key, name: "uno" } });
    await api.restart();
    assert.deepEqual(await api.expect(200, "GET", `/v2/account/keys/${key.id}`), renamed);
    await api.expect(204, "DELETE", `/v2/account/keys/${key.fingerprint}`);
    await api.refuse(404, "GET", `/v2/account/keys/${key.id}`);
    await api.refuse(404, "PUT", `/v2/account/keys/${key.id}`, { name: "x" });
    await api.refuse(404, "DELETE", `/v2/account/keys/${key.id}`);
  });

  it("lists by page", async () => {
    for (const public_key of KEYS)
      await api.expect(201, "POST", "/v2/account/keys", { name: "k", public_key });
    await checkPaging(api, "/v2/account/keys", "ssh_keys");
  });

  const bad: [why: string, body: unknown, message: RegExp][] = [
    ["no body", undefined, /^name is required/],
    ["no name", { public_key: KEYS[1] }, /^name is required/],
    ["no key", { name: "k" }, /^public_key is required/],
    ["an empty name", { name: "", public_key: KEYS[1] }, /^name: /],
    ["a number as name", { name: 1, public_key: KEYS[1] }, /^name: /],
    ["a text that is no key", { name: "k", public_key: "AAAA" }, /^public_key: /],
    [
      "a key of another type than it says",
      { name: "k", public_key: KEYS[1]?.replace("ed25519", "rsa") },
      /^public_key: /,
    ],
    ["a key that is there already", { name: "k", public_key: KEYS[0] }, /already in use/],
    ["a list as body", [], /object/],
  ];
  for (const [why, body, message] of bad) {
    it(`refuses ${why}`, async () => {
      await api.expect(201, "POST", "/v2/account/keys", { name: "one", public_key: KEYS[0] });
      assert.match(await api.refuse(422, "POST", "/v2/account/keys", body), message);
      assert.equal((await api.get("/v2/account/keys")).body.meta.total, 1, "nothing was made");
    });
  }
});
