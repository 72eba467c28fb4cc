import assert from "node:assert/strict";
import { METHODS, request } from "node:http";
import { connect } from "node:net";
import { allRoutes, type Route } from "./allRoutes";
import { TestApi, TOKEN } from "./testApi";

/** The path of a route with something in the place of each parameter. */
const filled = ({ path }: Route): string => path.replace(/:\w+/g, "7");

describe("sandbox api: every route", function () {
  this.timeout(60_000);
  let api: TestApi;
  let routes: Route[];
  let paths: string[];
  before(async () => {
    api = await TestApi.start();
    routes = await allRoutes();
    paths = [...new Set(routes.map(filled))];
    assert.ok(paths.length >= 80, `${paths.length} paths`);
  });
  after(() => api.close());

  /** `fetch` refuses to send TRACE and CONNECT. */
  const ask = (method: string, path: string, token = TOKEN) =>
    new Promise<{ status: number; allow: string | undefined; id: string }>((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}` };
      const sent = request(api.url + path, { method, headers }, (reply) => {
        let text = "";
        reply.on("data", (part) => {
          text += part;
        });
        reply.on("end", () => {
          const id = text === "" ? "" : JSON.parse(text).id;
          resolve({ status: reply.statusCode ?? 0, allow: reply.headers.allow, id });
        });
      });
      sent.on("error", reject);
      sent.end();
    });

  it("answers every other method with 405 and the methods that it takes", async () => {
    const methods = METHODS.filter((method) => method !== "CONNECT" && method !== "HEAD");
    for (const path of paths) {
      const taken = routes.filter((route) => filled(route) === path).map(({ method }) => method);
      const allow = (taken.includes("GET") ? ["HEAD", ...taken] : taken).join(", ");
      for (const method of methods.filter((one) => !taken.includes(one))) {
        const reply = await ask(method, path);
        assert.deepEqual(reply, { status: 405, allow, id: "method_not_allowed" }, `${method} ${path}`);
      }
    }
  });

  it("answers 404 to every method on an unknown path, and 401 without the token", async () => {
    for (const method of METHODS.filter((one) => one !== "CONNECT" && one !== "HEAD")) {
      assert.equal((await ask(method, "/v2/nothing")).status, 404, method);
      assert.equal((await ask(method, "/v2/droplets", "wrong")).status, 401, method);
    }
  });

  it("takes a trailing slash as nothing, whatever the method", async () => {
    for (const { path } of routes) {
      const plain = filled({ method: "", path });
      const [without, withSlash] = [await ask("TRACE", plain), await ask("TRACE", `${plain}/`)];
      assert.deepEqual(withSlash, without, path);
    }
    for (const { method, path } of routes.filter((route) => route.method !== "POST")) {
      const plain = filled({ method, path });
      const [without, withSlash] = [await ask(method, plain), await ask(method, `${plain}/`)];
      assert.deepEqual(withSlash, without, `${method} ${path}`);
    }
  });

  it("answers with a trailing slash as without: the jobs of python-digitalocean and certbot", async () => {
    await api.expect(201, "POST", "/v2/domains/", { name: "example.com" });
    await api.expect(201, "POST", "/v2/domains/example.com/records/", { type: "TXT", name: "a", data: "b" });
    const plain = await api.expect(200, "GET", "/v2/domains/example.com/records?per_page=1");
    const slash = await api.expect(200, "GET", "/v2/domains/example.com/records/?per_page=1");
    assert.deepEqual(slash, plain, "and its links lead to the same addresses");
    const [record] = plain.domain_records;
    await api.expect(200, "GET", `/v2/domains/example.com/records/${record.id}/`);
    await api.expect(204, "DELETE", "/v2/domains/example.com/");
    await api.refuse(404, "GET", "/v2/domains/example.com/");
  });

  const raw = (text: string) =>
    new Promise<{ head: string; body: string }>((resolve, reject) => {
      const socket = connect(Number(new URL(api.url).port), "127.0.0.1", () => socket.write(text));
      let all = "";
      socket.on("data", (part) => {
        all += part;
      });
      socket.on("error", reject);
      socket.on("close", () => {
        const [head = "", body = ""] = all.split("\r\n\r\n");
        resolve({ head, body });
      });
    });

  const unreadable: [why: string, request: string, status: number, id: string, allow?: string][] = [
    [
      "a method that HTTP does not have",
      `DANCE /v2/droplets/7?x=y HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKEN}\r\n\r\n`,
      405,
      "method_not_allowed",
      "HEAD, GET, DELETE",
    ],
    [
      "the same with a trailing slash",
      `DANCE /v2/regions/ HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKEN}\r\n\r\n`,
      405,
      "method_not_allowed",
      "HEAD, GET",
    ],
    [
      "the same on an unknown path",
      `DANCE /v2/nothing HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKEN}\r\n\r\n`,
      404,
      "not_found",
    ],
    ["the same without the token", "DANCE /v2/regions HTTP/1.1\r\nhost: x\r\n\r\n", 401, "unauthorized"],
    ["what is no HTTP", "hello\r\n\r\n", 400, "bad_request"],
    [
      "headers without an end",
      `GET /v2/regions HTTP/1.1\r\nhost: x\r\nx-long: ${"a".repeat(70_000)}\r\n\r\n`,
      431,
      "request_header_fields_too_large",
    ],
  ];
  for (const [why, text, status, id, allow] of unreadable) {
    it(`answers ${status} in DigitalOcean's form to ${why}`, async () => {
      const { head, body } = await raw(text);
      assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} `));
      const answer = JSON.parse(body);
      assert.equal(answer.id, id);
      assert.match(head, new RegExp(`\r\nx-request-id: ${answer.request_id}\r\n`, "i"));
      assert.equal(/\r\nallow: (.*)\r\n/i.exec(head)?.[1], allow);
    });
  }
});
