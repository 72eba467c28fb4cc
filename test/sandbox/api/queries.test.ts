import assert from "node:assert/strict";
import { type Json, TestApi } from "./testApi";

const UNKNOWN = "5a4981aa-9653-4bd1-bef5-d6bff52042e4";

/** Every query parameter that a request takes, with a value that is good for it and values that are not. */
interface Parameter {
  readonly request: string;
  readonly name: string;
  readonly good: string;
  readonly bad?: readonly string[];
}

const TYPES_OF_RECORDS = ["A", "AAAA", "CAA", "CNAME", "MX", "NS", "SOA", "SRV", "TXT"];
const PARAMETERS: readonly Parameter[] = [
  { request: "GET /v2/certificates", name: "name", good: "x" },
  { request: "GET /v2/domains/example.com/records", name: "name", good: "www.example.com" },
  ...TYPES_OF_RECORDS.map((good) => ({
    request: "GET /v2/domains/example.com/records",
    name: "type",
    good,
    bad: ["a", "PTR"],
  })),
  { request: "GET /v2/droplets", name: "tag_name", good: "web" },
  { request: "GET /v2/droplets", name: "name", good: "web-1" },
  { request: "GET /v2/droplets", name: "type", good: "droplets", bad: ["droplet"] },
  { request: "GET /v2/images", name: "type", good: "distribution", bad: ["snapshot"] },
  { request: "GET /v2/images", name: "private", good: "true", bad: ["yes", "1"] },
  { request: "GET /v2/images", name: "tag_name", good: "web" },
  { request: "GET /v2/snapshots", name: "resource_type", good: "volume", bad: ["image"] },
  { request: "GET /v2/spaces/keys", name: "name", good: "s" },
  { request: "GET /v2/spaces/keys", name: "bucket", good: "b" },
  { request: "GET /v2/spaces/keys", name: "permission", good: "read" },
  { request: "GET /v2/spaces/keys", name: "sort", good: "name", bad: ["size"] },
  { request: "GET /v2/spaces/keys", name: "sort_direction", good: "asc", bad: ["ASC"] },
  { request: "GET /v2/volumes", name: "name", good: "data" },
  { request: "GET /v2/volumes", name: "region", good: "nyc2", bad: ["AAA", "NYC3", "mars1"] },
  { request: "GET /v2/vpcs/VPC/members", name: "resource_type", good: "droplet" },
];
const DELETIONS: readonly Parameter[] = [
  { request: "DELETE /v2/droplets", name: "tag_name", good: "none" },
  { request: "DELETE /v2/volumes", name: "name", good: "data" },
  { request: "DELETE /v2/volumes", name: "region", good: "nyc3", bad: ["AAA"] },
];
const LISTS = [
  "account/keys",
  "actions",
  "certificates",
  "domains",
  "domains/example.com/records",
  "droplets",
  "droplets/backups/policies",
  "firewalls",
  "images",
  "load_balancers",
  "monitoring/alerts",
  "projects",
  "projects/default/resources",
  "regions",
  "reserved_ips",
  "sizes",
  "snapshots",
  "spaces/keys",
  "tags",
  "uptime/checks",
  "volumes",
  "vpc_peerings",
  "vpcs",
  "vpcs/VPC/members",
  "vpcs/VPC/peerings",
];

describe("sandbox api: queries", () => {
  let api: TestApi;
  let vpc: string;
  before(async () => {
    api = await TestApi.start();
    await api.expect(201, "POST", "/v2/domains", { name: "example.com" });
    vpc = (await api.expect(201, "POST", "/v2/vpcs", { name: "v", region: "nyc3" })).vpc.id;
  });
  after(() => api.close());
  const refused = (method: string, path: string) => api.refuse(422, method, path.replace("VPC", vpc));

  for (const { request, name, good, bad = [] } of [...PARAMETERS, ...DELETIONS]) {
    const [method = "", path = ""] = request.split(" ");
    it(`${request}: takes ${name}=${good}, and refuses it empty, twice and ${bad.join(", ") || "no more"}`, async () => {
      const ask = `${path}?${name}=${good}`;
      if (method === "GET") await api.expect(200, method, ask.replace("VPC", vpc));
      assert.match(await refused(method, `${path}?${name}=`), new RegExp(`^${name}: must not be empty`));
      assert.match(await refused(method, `${ask}&${name}=${good}`), new RegExp(`^${name}: .* once`));
      for (const value of bad)
        assert.match(await refused(method, `${path}?${name}=${value}`), new RegExp(`^${name}: `), value);
    });
  }

  it("lists refuse a page that is empty, given twice or no whole number", async () => {
    for (const list of LISTS) {
      const path = `/v2/${list}`.replace("VPC", vpc);
      await api.expect(200, "GET", `${path}?page=2&per_page=200`);
      for (const name of ["page", "per_page"]) {
        for (const bad of ["", "0", "-1", "1.0", "1e1", "0x1", "+1", "x", "%201"]) {
          const message = await api.refuse(422, "GET", `${path}?${name}=${bad}`);
          assert.match(message, new RegExp(`^${name} must be a whole number`), `${path} ${bad}`);
        }
        const twice = await api.refuse(422, "GET", `${path}?${name}=1&${name}=2`);
        assert.match(twice, new RegExp(`^${name}: .* once`), path);
      }
      await api.refuse(422, "GET", `${path}?per_page=201`);
    }
  });

  it("needs the tag that a request for many droplets is about", async () => {
    for (const [method, path] of [
      ["DELETE", "/v2/droplets"],
      ["POST", "/v2/droplets/actions"],
    ] as const) {
      const body = { type: "power_on" };
      const send = (query: string) => api.refuse(422, method, path + query, body);
      assert.match(await send(""), /^tag_name is required/);
      assert.match(await send("?tag_name="), /^tag_name: must not be empty/);
      assert.match(await send("?tag_name=a&tag_name=b"), /^tag_name: .* once/);
    }
  });

  it("refuses a metric's query with 400, as monitoring does everything", async () => {
    const path = "/v2/monitoring/metrics/load_balancer/droplets_health_checks";
    const good = { lb_id: UNKNOWN, start: "1", end: "2" };
    const ask = (query: Json) => `${path}?${new URLSearchParams(query)}`;
    await api.refuse(404, "GET", ask(good));
    for (const name of ["lb_id", "start", "end"]) {
      assert.match(await api.refuse(400, "GET", ask({ ...good, [name]: "" })), new RegExp(`^${name}: `));
      assert.match(await api.refuse(400, "GET", `${ask(good)}&${name}=1`), new RegExp(`^${name}: .* once`));
    }
    assert.match(await api.refuse(400, "GET", ask({ ...good, start: "yesterday" })), /^start: /);
  });

  it("ignores a parameter that it does not know, and keeps it in the links", async () => {
    const query = "?color=red&color=blue&empty=&per_page=1";
    const { links } = await api.expect(200, "GET", `/v2/regions${query}`);
    assert.match(links.pages.next, /\?color=red&color=blue&empty=&per_page=1&page=2$/);
  });
});
