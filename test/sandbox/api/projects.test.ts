import assert from "node:assert/strict";
import { addDroplet, assertHolds, describeResource, withFields, without } from "./resourceTable";
import { checkPaging, type Json, TestApi } from "./testApi";

const ABSENT = "00000000-0000-4000-8000-000000000000";
const badField = (field: string, value: unknown) => ({
  why: `${field} ${JSON.stringify(value)?.slice(0, 20)}`,
  body: withFields({ [field]: value }),
  message: new RegExp(`^${field}`),
});

describeResource({
  title: "projects",
  path: () => "/v2/projects",
  one: "project",
  many: "projects",
  created: 201,
  absent: ABSENT,
  ground: async (api) => {
    await api.expect(201, "POST", "/v2/projects", { name: "taken", purpose: "IoT" });
    return {};
  },
  body: (_ground, n) => ({
    name: `project ${n}`,
    description: "What for",
    purpose: "Web Application",
    environment: "Staging",
  }),
  shown: (body) => ({ ...body, is_default: false }),
  changes: [
    [
      "PUT",
      () => ({
        name: "renamed",
        description: "",
        purpose: "Service or API",
        environment: "Production",
        is_default: false,
      }),
      { name: "renamed", description: "", purpose: "Service or API", environment: "Production" },
    ],
    ["PATCH", () => ({ description: "again" }), { name: "renamed", description: "again" }],
    ["PATCH", () => ({ purpose: "my own" }), { purpose: "Other: my own" }],
    ["PATCH", () => ({ purpose: "Other: my own" }), { purpose: "Other: my own" }],
    ["PATCH", () => ({ environment: "development" }), { environment: "Development" }],
  ],
  bad: [
    { why: "no body", body: () => undefined, message: /^name is required/ },
    { why: "no name", body: without("name"), message: /^name is required/ },
    { why: "no purpose", body: without("purpose"), message: /^purpose is required/ },
    badField("name", ""),
    badField("name", "x".repeat(176)),
    badField("name", 7),
    badField("purpose", ""),
    badField("purpose", "x".repeat(256)),
    badField("description", "x".repeat(256)),
    badField("environment", "Test"),
    {
      why: "a name that is taken",
      status: 409,
      body: withFields({ name: "taken" }),
      message: /already exists$/,
    },
  ],
});

describe("sandbox api: projects", () => {
  let api: TestApi;
  beforeEach(async () => {
    api = await TestApi.start();
  });
  afterEach(() => api.close());

  const add = async (name: string): Promise<Json> =>
    (await api.expect(201, "POST", "/v2/projects", { name, purpose: "IoT" })).project;
  const fallback = async (): Promise<Json> => (await api.expect(200, "GET", "/v2/projects/default")).project;
  const urns = async (id: string): Promise<string[]> =>
    (await api.expect(200, "GET", `/v2/projects/${id}/resources?per_page=200`)).resources.map(
      ({ urn }: Json) => urn,
    );

  it("has a default project from the start, the same after a restart", async () => {
    const project = await fallback();
    assertHolds(project, { is_default: true, environment: "Development" });
    assert.deepEqual(await api.expect(200, "GET", `/v2/projects/${project.id}`), { project });
    await api.restart();
    assert.deepEqual(await fallback(), project);
    assert.equal((await api.expect(200, "GET", "/v2/projects")).meta.total, 1);
  });

  it("changes the default project under its other name", async () => {
    const { id } = await fallback();
    const patched = await api.expect(200, "PATCH", "/v2/projects/default", { name: "Main" });
    assertHolds(patched.project, { id, name: "Main", is_default: true });
    const body = { name: "M", description: "d", purpose: "IoT", environment: "Staging", is_default: true };
    assertHolds((await api.expect(200, "PUT", "/v2/projects/default", body)).project, { id, ...body });
    assert.match(
      await api.refuse(422, "PATCH", "/v2/projects/default", { is_default: false }),
      /^is_default: /,
    );
    await api.refuse(403, "DELETE", `/v2/projects/${id}`);
    await api.refuse(403, "DELETE", "/v2/projects/default");
  });

  it("needs all fields in a PUT", async () => {
    const { id } = await add("p");
    const body: Json = {
      name: "q",
      description: "",
      purpose: "IoT",
      environment: "Staging",
      is_default: false,
    };
    for (const field of Object.keys(body)) {
      const message = await api.refuse(422, "PUT", `/v2/projects/${id}`, without(field)(body));
      assert.match(message, new RegExp(`^${field} is required`));
    }
    await add("q");
    assert.match(await api.refuse(409, "PUT", `/v2/projects/${id}`, body), /already exists/);
  });

  it("leaves out an environment that is not given", async () => {
    assert.ok(!("environment" in (await add("p"))));
  });

  it("holds every resource: in the default project until it is assigned", async () => {
    const droplet = await addDroplet(api);
    const volume = { name: "v", region: "nyc3", size_gigabytes: 1 };
    const { id: volumeId } = (await api.expect(201, "POST", "/v2/volumes", volume)).volume;
    await api.expect(201, "POST", "/v2/domains", { name: "example.com" });
    const rule = { entry_protocol: "http", entry_port: 80, target_protocol: "http", target_port: 80 };
    const balancer = { name: "lb", region: "nyc3", forwarding_rules: [rule] };
    const { load_balancer } = await api.expect(202, "POST", "/v2/load_balancers", balancer);
    const { reserved_ip } = await api.expect(202, "POST", "/v2/reserved_ips", { region: "nyc3" });
    const all = [
      `do:droplet:${droplet.id}`,
      "do:domain:example.com",
      `do:floatingip:${reserved_ip.ip}`,
      `do:loadbalancer:${load_balancer.id}`,
      `do:volume:${volumeId}`,
    ];
    assert.deepEqual((await urns("default")).sort(), [...all].sort());
    await checkPaging(api, "/v2/projects/default/resources", "resources");

    const { id } = await add("p");
    const path = `/v2/projects/${id}/resources`;
    const { resources } = await api.expect(200, "POST", path, { resources: all });
    assert.deepEqual(
      resources.map(({ urn, status }: Json) => [urn, status]),
      all.map((urn) => [urn, "assigned"]),
    );
    assert.deepEqual(await urns("default"), []);
    assert.deepEqual((await urns(id)).sort(), [...all].sort());
    const again = await api.expect(200, "POST", path, { resources: [all[0]] });
    assert.equal(again.resources[0].status, "already_assigned");

    for (const member of (await api.expect(200, "GET", path)).resources) {
      assert.equal(member.status, "ok");
      assert.equal((await api.get(member.links.self.slice(api.url.length))).status, 200, member.links.self);
    }
    assert.match(
      await api.refuse(412, "DELETE", `/v2/projects/${id}`),
      /^cannot delete a project with resources/,
    );
    await api.expect(200, "POST", "/v2/projects/default/resources", { resources: all });
    await api.expect(204, "DELETE", `/v2/projects/${id}`);
  });

  it("knows a reserved IP by both of its names", async () => {
    const { reserved_ip } = await api.expect(202, "POST", "/v2/reserved_ips", { region: "nyc3" });
    const { id } = await add("p");
    const body = { resources: [`do:reservedip:${reserved_ip.ip}`] };
    await api.expect(200, "POST", `/v2/projects/${id}/resources`, body);
    assert.deepEqual(await urns(id), [`do:floatingip:${reserved_ip.ip}`]);
  });

  it("lets go of what is deleted", async () => {
    const droplet = await addDroplet(api);
    const { id } = await add("p");
    await api.expect(200, "POST", `/v2/projects/${id}/resources`, {
      resources: [`do:droplet:${droplet.id}`],
    });
    await api.expect(204, "DELETE", `/v2/droplets/${droplet.id}`);
    assert.deepEqual(await urns(id), []);
    await api.expect(204, "DELETE", `/v2/projects/${id}`);
  });

  it("keeps resources where they are when another project becomes the default", async () => {
    const droplet = await addDroplet(api);
    const before = await fallback();
    const { id } = await add("p");
    await api.expect(200, "PATCH", `/v2/projects/${id}`, { is_default: true });
    assert.equal((await fallback()).id, id);
    assertHolds((await api.expect(200, "GET", `/v2/projects/${before.id}`)).project, { is_default: false });
    assert.deepEqual(await urns(before.id), [`do:droplet:${droplet.id}`]);
    const later = await addDroplet(api);
    assert.deepEqual(await urns(id), [`do:droplet:${later.id}`]);
  });

  const bad: [status: number, body: unknown, message: RegExp][] = [
    [422, undefined, /^resources is required|^resources: /],
    [422, { resources: [] }, /^resources: /],
    [422, { resources: "do:droplet:1" }, /^resources: /],
    [400, { resources: ["droplet:1"] }, /do:resource_type:resource_id/],
    [400, { resources: ["urn:pulumi:dev::x::digitalocean:index/droplet:Droplet::d"] }, /do:resource_type/],
    [400, { resources: ["do:firewall:x"] }, /type firewall cannot be assigned/],
    [400, { resources: ["do:constructor:x"] }, /type constructor cannot be assigned/],
  ];
  for (const [status, body, message] of bad) {
    it(`refuses to assign ${JSON.stringify(body)} with ${status}`, async () => {
      const { id } = await add("p");
      assert.match(await api.refuse(status, "POST", `/v2/projects/${id}/resources`, body), message);
      await api.refuse(404, "POST", `/v2/projects/${ABSENT}/resources`, body);
    });
  }

  it("answers what does not exist with its own status, and assigns the rest", async () => {
    const droplet = await addDroplet(api);
    const { id } = await add("p");
    const there = `do:droplet:${droplet.id}`;
    const absent = [
      "do:droplet:1",
      "do:domain:example.org",
      `do:loadbalancer:${ABSENT}`,
      `do:volume:${ABSENT}`,
      "do:floatingip:198.51.100.9",
      // An id that no address can hold as it is, with half of a surrogate pair: the answer's link is one all the same.
      "do:floatingip:ö[²]#|\ud800",
      // Of kinds that are not here.
      ...["dbaas", "kubernetes"].map((kind) => `do:${kind}:${ABSENT}`),
      "do:space:bucket",
    ];
    const { resources } = await api.expect(200, "POST", `/v2/projects/${id}/resources`, {
      resources: [...absent, there],
    });
    assert.deepEqual(
      resources.map(({ urn, status }: Json) => [urn, status]),
      [...absent.map((urn) => [urn, "not_found"]), [there, "assigned"]],
    );
    assert.deepEqual(await urns(id), [there]);
  });

  it("assigns nothing of a request with a text that is no URN", async () => {
    const droplet = await addDroplet(api);
    const { id } = await add("p");
    const resources = [`do:droplet:${droplet.id}`, "droplet:1"];
    await api.refuse(400, "POST", `/v2/projects/${id}/resources`, { resources });
    assert.deepEqual(await urns(id), []);
  });
});
