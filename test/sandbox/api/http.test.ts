import assert from "node:assert/strict";
import { TestApi, TOKEN } from "./testApi";

describe("sandbox api: HTTP frame", () => {
  let api: TestApi;
  before(async () => {
    api = await TestApi.start();
  });
  after(() => api.close());

  const badTokens: [why: string, header: string | undefined][] = [
    ["none", undefined],
    ["a wrong one", "Bearer nonsense"],
    ["one that begins right", `Bearer ${TOKEN}x`],
    ["another scheme", `Basic ${TOKEN}`],
    ["an empty one", "Bearer "],
  ];
  for (const [why, authorization] of badTokens) {
    it(`answers 401 to a token that is ${why}, for known and unknown paths`, async () => {
      for (const path of ["/v2/account", "/v2/nothing"]) {
        const response = await fetch(api.url + path, authorization ? { headers: { authorization } } : {});
        assert.equal(response.status, 401);
        const body = (await response.json()) as Record<string, unknown>;
        assert.equal(body.id, "unauthorized");
        assert.equal(body.message, "Unable to authenticate you.");
        assert.equal(body.request_id, response.headers.get("x-request-id"));
      }
    });
  }

  it("answers JSON with its type", async () => {
    for (const path of ["/v2/account", "/v2/nothing"]) {
      const { headers } = await api.get(path);
      assert.match(headers.get("content-type") ?? "", /^application\/json/);
    }
  });

  it("answers 404 in DigitalOcean's form for an unknown path and an unknown id", async () => {
    for (const path of [
      "/",
      "/v2",
      "/v2/nothing",
      "/v2/account/keys/999",
      "/v2/droplets/1",
      "/v2/droplets/x",
      "/v1/account",
    ]) {
      assert.equal(await api.refuse(404, "GET", path), "The resource you were accessing could not be found.");
    }
  });

  it("answers 405 with Allow", async () => {
    const tries: [string, string, string][] = [
      ["PATCH", "/v2/account", "HEAD, GET"],
      ["PUT", "/v2/droplets", "HEAD, GET, POST, DELETE"],
      ["GET", "/v2/droplets/actions", "POST"],
      ["POST", "/v2/regions", "HEAD, GET"],
      ["DELETE", "/v2/volumes/actions", "POST"],
    ];
    for (const [method, path, allow] of tries) {
      const reply = await api.send(method, path);
      assert.equal(reply.status, 405, `${method} ${path}`);
      assert.equal(reply.body.id, "method_not_allowed");
      assert.equal(reply.headers.get("allow"), allow);
    }
  });

  it("answers HEAD as GET, without the body", async () => {
    const response = await fetch(`${api.url}/v2/account`, {
      method: "HEAD",
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    assert.equal(response.status, 200);
    assert.equal(await response.text(), "");
  });

  it("answers 400 to a body that is no JSON", async () => {
    for (const body of ["{", "name=x", "{'name': 1}"]) {
      assert.match(await api.refuse(400, "POST", "/v2/account/keys", body), /error parsing request body/);
    }
  });

  it("answers 415 to a body of another type", async () => {
    const reply = await api.send("POST", "/v2/account/keys", "name=x", {
      "content-type": "application/x-www-form-urlencoded",
    });
    assert.equal(reply.status, 415);
    assert.match(reply.body.message, /Content-Type: application\/json/);
  });

  it("takes the JSON header without a body, as Go clients send it with a DELETE", async () => {
    await api.refuse(404, "DELETE", "/v2/droplets/1");
  });

  it("answers 422 to a body that is no object", async () => {
    for (const body of ["[]", '"x"', "1", "null"]) await api.refuse(422, "POST", "/v2/account/keys", body);
  });

  it("answers 413 to a body over the limit", async () => {
    const name = "x".repeat(1024 * 1024);
    assert.match(await api.refuse(413, "POST", "/v2/account/keys", { name }), /larger than 1048576 bytes/);
  });

  it("ignores fields that it does not know", async () => {
    const { vpc } = await api.expect(201, "POST", "/v2/vpcs", {
      name: "extra",
      region: "nyc3",
      color: "blue",
    });
    assert.equal(vpc.color, undefined);
  });

  it("counts the requests of an hour, and refuses none", async () => {
    const first = await api.get("/v2/account");
    const second = await api.get("/v2/account");
    assert.equal(first.headers.get("ratelimit-limit"), "5000");
    const left = (reply: { headers: Headers }) => Number(reply.headers.get("ratelimit-remaining"));
    assert.equal(left(second), left(first) - 1);
    const reset = Number(second.headers.get("ratelimit-reset")) - Date.now() / 1000;
    assert.ok(reset > 3500 && reset <= 3601, `resets in ${reset} s`);
  });

  it("refuses what is over a limit that was asked for", async () => {
    const limited = await TestApi.start({ rateLimit: 2 });
    try {
      await limited.expect(200, "GET", "/v2/account");
      await limited.expect(200, "GET", "/v2/account");
      const reply = await limited.get("/v2/account");
      assert.equal(reply.status, 429);
      assert.equal(reply.body.id, "too_many_requests");
      assert.equal(reply.headers.get("ratelimit-remaining"), "0");
      assert.ok(Number(reply.headers.get("retry-after")) > 0);
    } finally {
      await limited.close();
    }
  });

  it("listens on the loopback address alone", () => {
    assert.match(api.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it("does not read a percent sign in a path as an attack on itself", async () => {
    await api.refuse(404, "GET", "/v2/account/keys/%2e%2e%2f%00");
    const reply = await api.get("/v2/account/keys/%zz");
    assert.equal(reply.status, 400);
    assert.equal(reply.body.id, "bad_request");
  });
});
