import assert from "node:assert/strict";
import { allRoutes, type Route } from "./allRoutes";
import { addDroplet } from "./resourceTable";
import { type Json, TestApi } from "./testApi";

const NYC3 = { region: "nyc3" };
const RULE = { protocol: "tcp", ports: "80", sources: { addresses: ["1.2.3.4"] } };
const FORWARDING = { entry_protocol: "tcp", entry_port: 80, target_protocol: "tcp", target_port: 80 };
const CHECK = {
  name: "c",
  type: "https",
  target: "https://example.com",
  regions: ["us_east"],
  enabled: true,
};
const NOTIFICATIONS = { email: ["sandbox@example.com"] };

/** A resource of each kind: the path's parameter that names it, and its id. */
async function makeGround(api: TestApi): Promise<Record<string, string>> {
  const make = async (status: number, path: string, body: Json): Promise<Json> =>
    Object.values(await api.expect(status, "POST", `/v2/${path}`, body))[0];
  const droplet = await addDroplet(api, { tags: ["web"] });
  await make(201, "domains", { name: "example.com" });
  const [a, b] = [
    await make(201, "vpcs", { name: "a", ...NYC3 }),
    await make(201, "vpcs", { name: "b", ...NYC3 }),
  ];
  const check = (await make(201, "uptime/checks", CHECK)).id;
  const alert = { name: "a", type: "down", notifications: NOTIFICATIONS, period: "2m" };
  const policy = {
    type: "v1/insights/droplet/cpu",
    description: "d",
    compare: "GreaterThan",
    value: 1,
    window: "5m",
    entities: [],
    tags: [],
    alerts: NOTIFICATIONS,
    enabled: true,
  };
  const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
  return {
    "spaces/key": (await make(201, "spaces/keys", { name: "s", grants: [] })).access_key,
    key: (await make(201, "account/keys", { name: "k", public_key: key })).id,
    domain: "example.com",
    record: (await make(201, "domains/example.com/records", { type: "TXT", name: "t", data: "x" })).id,
    droplet: droplet.id,
    firewall: (await make(202, "firewalls", { name: "fw", inbound_rules: [RULE] })).id,
    image: (await make(202, "images", { name: "i", url: "http://x.test/i.img", ...NYC3 })).id,
    balancer: (await make(202, "load_balancers", { name: "l", ...NYC3, forwarding_rules: [FORWARDING] })).id,
    "monitoring/alert": (await make(200, "monitoring/alerts", policy)).uuid,
    check,
    "uptime/alert": (await make(201, `uptime/checks/${check}/alerts`, alert)).id,
    project: (await make(201, "projects", { name: "p", purpose: "x" })).id,
    ip: (await make(202, "reserved_ips", NYC3)).ip,
    tag: "web",
    volume: (await make(201, "volumes", { name: "v", size_gigabytes: 1, ...NYC3 })).id,
    vpc: a.id,
    peering: (await make(202, "vpc_peerings", { name: "p", vpc_ids: [a.id, b.id] })).id,
  };
}

/** What takes no body, or can do without one. */
const WITHOUT_BODY =
  /(destroy_with_associated_resources\/(retry|dangerous|selective)|\/cache)$|^DELETE \/v2\/(?!.*\/(droplets|tags|rules|forwarding_rules|resources)$)|^DELETE \/v2\/(droplets|tags)$/;

describe("sandbox api: bodies", function () {
  this.timeout(60_000);
  let api: TestApi;
  let ground: Record<string, string>;
  let routes: Route[];
  const fill = (path: string): string =>
    path.replace(/:(\w+)/g, (_all, name: string) => {
      // Two families have the same word for different things.
      const [, family = ""] = /^\/v2\/(\w+)\//.exec(path) ?? [];
      const found = ground[`${family}/${name}`] ?? ground[name];
      assert.ok(found !== undefined, `${path}: nothing on the ground for :${name}`);
      return String(found);
    });
  before(async () => {
    api = await TestApi.start();
    ground = await makeGround(api);
    routes = await allRoutes();
  });
  after(() => api.close());

  for (const [why, body] of [
    ["none", undefined],
    ["an empty text", ""],
    ["null", "null"],
    ["a list", "[]"],
    ["a text", '"x"'],
    ["a number", "7"],
    ["what is no JSON", "{"],
  ] as const) {
    it(`are refused where one is needed and it is ${why}, and nothing changes`, async () => {
      const wanted = routes.filter(
        ({ method, path }) => method !== "GET" && !WITHOUT_BODY.test(`${method} ${path}`),
      );
      assert.ok(wanted.length > 50, `${wanted.length} requests with a body`);
      for (const { method, path } of wanted) {
        const query = path === "/v2/droplets/actions" ? "?tag_name=web" : "";
        const isShown = routes.some((one) => one.path === path && one.method === "GET");
        const read = () => (isShown ? api.get(fill(path)) : undefined);
        const before = await read();
        const { status } = await api.send(method, fill(path) + query, body);
        assert.ok(status === 422 || status === 400, `${method} ${path}: ${status}`);
        assert.deepEqual((await read())?.body, before?.body);
      }
    });
  }

  const notNull: [request: string, good: Json, fields: string[]][] = [
    ["POST /v2/reserved_ips", NYC3, ["region", "project_id", "droplet_id"]],
    ["POST /v2/reserved_ips/:ip/actions", { type: "unassign" }, ["type", "droplet_id"]],
    ["POST /v2/floating_ips", NYC3, ["region", "project_id", "droplet_id"]],
    ["POST /v2/floating_ips/:ip/actions", { type: "unassign" }, ["type", "droplet_id"]],
    ["POST /v2/vpcs", { name: "n", ...NYC3 }, ["name", "region", "description", "ip_range"]],
    ["PUT /v2/vpcs/:vpc", { name: "n" }, ["name", "description", "default"]],
    ["PATCH /v2/vpcs/:vpc", { name: "n" }, ["name", "description", "default"]],
    ["POST /v2/projects", { name: "n", purpose: "x" }, ["name", "purpose", "description", "environment"]],
    [
      "PATCH /v2/projects/:project",
      { name: "n" },
      ["name", "purpose", "description", "environment", "is_default"],
    ],
    ["PUT /v2/images/:image", { name: "n" }, ["name", "distribution", "description"]],
    ["POST /v2/images/:image/actions", { type: "convert" }, ["type", "region"]],
    ["PUT /v2/uptime/checks/:check", { name: "n" }, ["name", "type", "target", "regions", "enabled"]],
    ["POST /v2/volumes/:volume/actions", { type: "resize", size_gigabytes: 9 }, ["type", "size_gigabytes"]],
    ["POST /v2/droplets/:droplet/actions", { type: "power_cycle" }, ["type", "name", "size", "disk"]],
    [
      "POST /v2/certificates",
      { name: "n", type: "lets_encrypt", dns_names: ["example.com"] },
      ["name", "type"],
    ],
    ["POST /v2/domains/:domain/records", { type: "A", name: "x", data: "1.2.3.4" }, ["type", "name", "data"]],
  ];
  for (const [request, good, fields] of notNull) {
    it(`${request} refuses null for ${fields.join(", ")}`, async () => {
      const [method = "", path = ""] = request.split(" ");
      for (const field of fields) {
        const reply = await api.send(method, fill(path), { ...good, [field]: null });
        assert.ok([400, 422].includes(reply.status), `${field}: ${reply.status}`);
        assert.match(reply.body.message, new RegExp(`^${field}`), field);
      }
    });
  }
});
