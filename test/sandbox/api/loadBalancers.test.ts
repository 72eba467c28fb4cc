import assert from "node:assert/strict";
import { CertificateAuthority } from "./certificateAuthority";
import { addDroplet, assertHolds, describeResource, withFields, without } from "./resourceTable";
import { type Json, TestApi } from "./testApi";

const ABSENT = "00000000-0000-4000-8000-000000000000";
const HTTP = { entry_protocol: "http", entry_port: 80, target_protocol: "http", target_port: 80 };
const PASSTHROUGH = {
  entry_protocol: "https",
  entry_port: 443,
  target_protocol: "https",
  target_port: 443,
  tls_passthrough: true,
};

const active = async (api: TestApi, id: string): Promise<Json> => {
  const answer = await api.until(
    "the load balancer is active",
    () => api.expect(200, "GET", `/v2/load_balancers/${id}`),
    ({ load_balancer }) => load_balancer.status === "active",
  );
  return answer.load_balancer;
};

/** A custom certificate of the account. */
async function addCertificate(api: TestApi): Promise<string> {
  const { key, certificate } = await (await CertificateAuthority.create()).issue(["www.example.com"]);
  const body = { name: "web", private_key: key, leaf_certificate: certificate };
  return (await api.expect(201, "POST", "/v2/certificates", body)).certificate.id;
}

const badRules = (why: string, rules: Json, message: RegExp) => ({
  why,
  body: withFields({ forwarding_rules: rules }),
  message,
});
const badRule = (why: string, fields: Json, message: RegExp) =>
  badRules(`a rule with ${why}`, [{ ...HTTP, ...fields }], message);
const badField = (field: string, value: unknown, message = new RegExp(`^${field}`)) => ({
  why: `${field} ${JSON.stringify(value)}`,
  body: withFields({ [field]: value }),
  message,
});
const badCheck = (fields: Json, message: RegExp) => ({
  why: `a health check with ${JSON.stringify(fields)}`,
  body: withFields({ health_check: { protocol: "http", port: 80, path: "/", ...fields } }),
  message,
});
const badFirewall = (entry: unknown) => ({
  why: `the firewall entry ${JSON.stringify(entry)}`,
  body: withFields({ firewall: { allow: [entry] } }),
  message: /^firewall\.allow\[0\]: /,
});
const badSticky = (sticky_sessions: Json, message: RegExp) => ({
  why: `sticky sessions of ${JSON.stringify(sticky_sessions)}`,
  body: withFields({ sticky_sessions }),
  message,
});

describeResource({
  title: "load balancers",
  path: () => "/v2/load_balancers",
  one: "load_balancer",
  many: "load_balancers",
  created: 202,
  absent: ABSENT,
  ground: async (api) => {
    const near = await addDroplet(api);
    const far = await addDroplet(api, { region: "ams3" });
    const { vpc } = await api.expect(201, "POST", "/v2/vpcs", { name: "other", region: "nyc3" });
    const inVpc = await addDroplet(api, { vpc_uuid: vpc.id });
    const certificate = await addCertificate(api);
    const taken = { name: "taken", region: "nyc3", forwarding_rules: [HTTP] };
    const { load_balancer } = await api.expect(202, "POST", "/v2/load_balancers", taken);
    await active(api, load_balancer.id);
    return { near, far, inVpc, vpc, certificate };
  },
  body: ({ near, certificate }, n) => ({
    name: `lb-${n}`,
    region: "nyc3",
    forwarding_rules: [
      HTTP,
      { ...PASSTHROUGH, tls_passthrough: false, certificate_id: certificate },
      { ...HTTP, entry_protocol: "tcp", entry_port: 5432, target_protocol: "tcp", target_port: 5432 },
    ],
    droplet_ids: [near.id],
    size_unit: 2,
    redirect_http_to_https: true,
    sticky_sessions: { type: "cookies", cookie_name: "DO-LB", cookie_ttl_seconds: 5 },
    health_check: { protocol: "https", port: 443, path: "/readyz" },
    firewall: { allow: ["ip:1.2.3.4", "cidr:2001:db8::/32"], deny: ["cidr:1.2.0.0/16"] },
    tls_cipher_policy: "STRONG",
    http_idle_timeout_seconds: 90,
  }),
  settled: (api, { id }) => active(api, id),
  shown: (body, { near }) => ({
    ...without("region")(body),
    status: "new",
    ip: "",
    region: { slug: "nyc3", available: true },
    vpc_uuid: near.vpc_uuid,
    tag: "",
    forwarding_rules: body.forwarding_rules.map((rule: Json) => ({
      certificate_id: "",
      tls_passthrough: false,
      ...rule,
    })),
    health_check: {
      ...body.health_check,
      check_interval_seconds: 10,
      response_timeout_seconds: 5,
      healthy_threshold: 5,
      unhealthy_threshold: 3,
    },
  }),
  changes: [
    [
      "PUT",
      (good) => ({ ...good, name: "renamed", size: "lb-large", size_unit: null }),
      { name: "renamed", size_unit: 6 },
    ],
    // A PUT replaces: what it does not name has its default again.
    [
      "PUT",
      () => ({ name: "bare", region: "nyc3", forwarding_rules: [HTTP] }),
      {
        droplet_ids: [],
        size_unit: 1,
        size: "lb-small",
        redirect_http_to_https: false,
        sticky_sessions: { type: "none" },
        firewall: { allow: [], deny: [] },
        tls_cipher_policy: "DEFAULT",
        http_idle_timeout_seconds: 60,
        health_check: { protocol: "http", port: 80, path: "/" },
      },
    ],
  ],
  bad: [
    { why: "no body", body: () => undefined, message: /^name is required/ },
    { why: "no name", body: without("name"), message: /^name is required/ },
    badField("name", ""),
    badField("name", "a b"),
    { why: "a name that is taken", body: withFields({ name: "taken" }), message: /^name: .*exists already$/ },
    { why: "no region", body: without("region"), message: /^region is required/ },
    badField("region", "nyc9"),
    badField("region", "sfo1"),
    badField("region", 3),
    {
      why: "no forwarding rules",
      body: without("forwarding_rules"),
      message: /^forwarding_rules: must have at least one/,
    },
    badField("forwarding_rules", []),
    badField("forwarding_rules", "http"),
    badRule("no entry port", { entry_port: undefined }, /^forwarding_rules\[0\]\.entry_port is required/),
    badRule("no target protocol", { target_protocol: undefined }, /^forwarding_rules\[0\]\.target_protocol/),
    badRule("port 0", { entry_port: 0 }, /^forwarding_rules\[0\]\.entry_port: must be 1 to 65535/),
    badRule("port 65536", { target_port: 65_536 }, /^forwarding_rules\[0\]\.target_port: must be 1 to 65535/),
    badRule("port 80.5", { target_port: 80.5 }, /^forwarding_rules\[0\]\.target_port: /),
    badRule("a port as text", { target_port: "80" }, /^forwarding_rules\[0\]\.target_port: /),
    badRule(
      "a reserved port",
      { entry_port: 50_054 },
      /^forwarding_rules\[0\]\.entry_port: 50054 is reserved/,
    ),
    badRule("an unknown entry", { entry_protocol: "ftp" }, /^forwarding_rules\[0\]\.entry_protocol: /),
    badRule("http3 behind it", { target_protocol: "http3" }, /^forwarding_rules\[0\]\.target_protocol: /),
    badRule("http to tcp", { target_protocol: "tcp" }, /^forwarding_rules\[0\]\.target_protocol: must be /),
    badRule("tcp to http", { entry_protocol: "tcp" }, /^forwarding_rules\[0\]\.target_protocol: must be tcp/),
    badRule("udp to tcp", { entry_protocol: "udp", target_protocol: "tcp" }, /target_protocol: must be udp/),
    badRule(
      "https and no certificate",
      { entry_protocol: "https" },
      /needs a certificate_id or tls_passthrough$/,
    ),
    badRule(
      "http2 and no certificate",
      { entry_protocol: "http2" },
      /needs a certificate_id or tls_passthrough$/,
    ),
    badRule("passthrough of http", { tls_passthrough: true }, /^forwarding_rules\[0\]\.tls_passthrough: /),
    badRule(
      "passthrough to http",
      { entry_protocol: "https", tls_passthrough: true },
      /^forwarding_rules\[0\]\.tls_passthrough: /,
    ),
    badRule("a certificate for http", { certificate_id: "x" }, /^forwarding_rules\[0\]\.certificate_id: /),
    badRule(
      "a certificate that is not there",
      { entry_protocol: "https", certificate_id: ABSENT },
      /^forwarding_rules\[0\]\.certificate_id: there is no certificate/,
    ),
    badRule(
      "a passthrough and a certificate",
      { ...PASSTHROUGH, certificate_id: "x" },
      /certificate_id: cannot be given/,
    ),
    badRules(
      "two rules at one port",
      [HTTP, { ...HTTP, entry_protocol: "tcp", target_protocol: "tcp" }],
      /^forwarding_rules\[1\]\.entry_port: is that of forwarding_rules\[0\]/,
    ),
    {
      why: "a redirect to nowhere",
      body: withFields({ forwarding_rules: [HTTP], redirect_http_to_https: true }),
      message: /^redirect_http_to_https: needs/,
    },
    badField("droplet_ids", [1], /^droplet_ids: there is no droplet 1$/),
    badField("droplet_ids", ["x"]),
    {
      why: "a droplet of another region",
      body: (good, { far }) => ({ ...good, droplet_ids: [far.id] }),
      message: /^droplet_ids: droplet \d+ is in ams3/,
    },
    {
      why: "a droplet of another VPC",
      body: (good, { inVpc }) => ({ ...good, droplet_ids: [inVpc.id] }),
      message: /^droplet_ids: droplet \d+ is not in the load balancer's VPC/,
    },
    {
      why: "a tag and droplets",
      body: withFields({ tag: "web" }),
      message: /^provide either a tag or droplet_ids/,
    },
    badField("tag", "a b"),
    badField("vpc_uuid", ABSENT, /^vpc_uuid: there is no VPC/),
    badField("vpc_uuid", "vpc-1"),
    {
      why: "a VPC of another region",
      body: (good, { vpc }) => ({ ...good, region: "ams3", vpc_uuid: vpc.id, droplet_ids: [] }),
      message: /^vpc_uuid: the VPC is in nyc3/,
    },
    badField("project_id", ABSENT, /^project_id: there is no project/),
    badField("size", "lb-huge"),
    badField("size_unit", 101),
    badField("size_unit", -1),
    badField("algorithm", "random"),
    badField("http_idle_timeout_seconds", 29),
    badField("http_idle_timeout_seconds", 601),
    badField("tls_cipher_policy", "WEAK"),
    badField("network", "PUBLIC"),
    badField("network_stack", "IPV6"),
    badField("type", "LOCAL"),
    badField("type", "GLOBAL", /^type: this sandbox has no global load balancers$/),
    badField("type", "REGIONAL_NETWORK", /only accepts tcp and udp/),
    badField("enable_proxy_protocol", "yes"),
    badCheck({ protocol: "udp" }, /^health_check\.protocol: /),
    badCheck({ port: 65_536 }, /^health_check\.port: /),
    badCheck({ path: "healthz" }, /^health_check\.path: must begin with a slash/),
    badCheck({ protocol: "tcp" }, /^health_check\.path: cannot be given for a check by tcp/),
    badCheck({ check_interval_seconds: 2 }, /^health_check\.check_interval_seconds: must be 3 to 300/),
    badCheck({ response_timeout_seconds: 301 }, /^health_check\.response_timeout_seconds: must be 3 to 300/),
    badCheck({ healthy_threshold: 1 }, /^health_check\.healthy_threshold: must be 2 to 10/),
    badCheck({ unhealthy_threshold: 11 }, /^health_check\.unhealthy_threshold: must be 2 to 10/),
    badSticky({ type: "ip" }, /^sticky_sessions\.type: /),
    badSticky({ type: "cookies", cookie_ttl_seconds: 5 }, /^sticky_sessions\.cookie_name: /),
    badSticky({ type: "cookies", cookie_name: "LB" }, /^sticky_sessions\.cookie_ttl_seconds: /),
    badSticky(
      { type: "cookies", cookie_name: "a b", cookie_ttl_seconds: 5 },
      /^sticky_sessions\.cookie_name: /,
    ),
    badFirewall("1.2.3.4"),
    badFirewall("ip:1.2.3"),
    badFirewall("ip:1.2.3.0/24"),
    badFirewall("cidr:1.2.3.4"),
    badFirewall("cidr:1.2.3.0/33"),
    badFirewall("net:1.2.3.0/24"),
  ],
});

describe("sandbox api: load balancers", () => {
  let api: TestApi;
  beforeEach(async () => {
    api = await TestApi.start();
  });
  afterEach(() => api.close());

  const add = async (fields: Json = {}): Promise<Json> => {
    const body = { name: "lb", region: "nyc3", forwarding_rules: [HTTP], ...fields };
    return (await api.expect(202, "POST", "/v2/load_balancers", body)).load_balancer;
  };
  const read = async (id: string): Promise<Json> =>
    (await api.expect(200, "GET", `/v2/load_balancers/${id}`)).load_balancer;

  it("fills in what is not given, as DigitalOcean does", async () => {
    const { project } = await api.expect(200, "GET", "/v2/projects/default");
    const balancer = await active(api, (await add()).id);
    assertHolds(balancer, {
      size_unit: 1,
      size: "lb-small",
      algorithm: "round_robin",
      health_check: {
        protocol: "http",
        port: 80,
        path: "/",
        check_interval_seconds: 10,
        response_timeout_seconds: 5,
        healthy_threshold: 5,
        unhealthy_threshold: 3,
      },
      sticky_sessions: { type: "none" },
      redirect_http_to_https: false,
      enable_proxy_protocol: false,
      enable_backend_keepalive: false,
      http_idle_timeout_seconds: 60,
      disable_lets_encrypt_dns_records: false,
      firewall: { allow: [], deny: [] },
      project_id: project.id,
      type: "REGIONAL",
      network: "EXTERNAL",
      network_stack: "IPV4",
      tls_cipher_policy: "DEFAULT",
      tag: "",
      droplet_ids: [],
      region: { slug: "nyc3", name: "New York 3" },
    });
    const { vpc } = await api.expect(200, "GET", `/v2/vpcs/${balancer.vpc_uuid}`);
    assertHolds(vpc, { default: true, region: "nyc3" });
    assert.match(balancer.ip, /^203\.0\.113\.\d+$/);
  });

  it("takes back what it answers, and the number of nodes before the old name of a size", async () => {
    const balancer = await active(api, (await add({ firewall: { allow: ["ip:1.2.3.4"] } })).id);
    const path = `/v2/load_balancers/${balancer.id}`;
    const body = { ...balancer, region: "nyc3" };
    assert.deepEqual((await api.expect(200, "PUT", path, body)).load_balancer, balancer);
    const larger = await api.expect(200, "PUT", path, { ...body, size_unit: 3 });
    assertHolds(larger.load_balancer, { size_unit: 3, size: "lb-medium" });
  });

  it("takes the zeroes and empty texts that Go clients send", async () => {
    assertHolds(
      await add({
        algorithm: "",
        size: "",
        size_unit: 0,
        tag: "",
        vpc_uuid: "",
        type: "",
        network: "",
        health_check: { protocol: "tcp", port: 22, path: "", healthy_threshold: 0 },
        sticky_sessions: { type: "none", cookie_name: "", cookie_ttl_seconds: 0 },
        droplet_ids: null,
        firewall: null,
      }),
      { size_unit: 1, type: "REGIONAL", health_check: { protocol: "tcp", healthy_threshold: 5 } },
    );
  });

  it("is new without an address, then active with one of its own", async () => {
    const [one, two] = [await add({ name: "one" }), await add({ name: "two" })];
    assertHolds(one, { status: "new", ip: "" });
    assert.notEqual((await active(api, one.id)).ip, (await active(api, two.id)).ip);
    assert.deepEqual((await api.expect(200, "GET", "/v2/actions")).actions, [], "no action is listed");
  });

  it("becomes active after a restart that came in between", async () => {
    await api.restart({ actionDelayMs: 60_000 });
    const { id } = await add();
    await api.restart({ actionDelayMs: 1 });
    await active(api, id);
  });

  it("has an IPv6 address for both stacks, and an address of its VPC inside", async () => {
    const dual = await active(api, (await add({ name: "dual", network_stack: "DUALSTACK" })).id);
    assert.match(dual.ipv6, /^2001:db8:/);
    const { vpc } = await api.expect(201, "POST", "/v2/vpcs", {
      name: "inside",
      region: "nyc3",
      ip_range: "10.20.0.0/24",
    });
    const inside = await active(api, (await add({ name: "in", network: "INTERNAL", vpc_uuid: vpc.id })).id);
    assert.match(inside.ip, /^10\.20\.0\.\d+$/);
    assert.notEqual((await addDroplet(api, { vpc_uuid: vpc.id })).networks.v4[0].ip_address, inside.ip);
  });

  it("carries tcp and udp as a network load balancer", async () => {
    const rule = (protocol: string) => ({ ...HTTP, entry_protocol: protocol, target_protocol: protocol });
    const fields = { type: "REGIONAL_NETWORK", forwarding_rules: [rule("tcp"), rule("udp")] };
    assertHolds(await add(fields), { type: "REGIONAL_NETWORK" });
  });

  it("shows the droplets that wear its tag, as they come and go", async () => {
    const { id } = await add({ tag: "web" });
    assert.deepEqual((await read(id)).droplet_ids, []);
    const one = await addDroplet(api, { tags: ["web"] });
    await addDroplet(api, { tags: ["web"], region: "ams3" });
    await addDroplet(api, { tags: ["db"] });
    assertHolds(await read(id), { tag: "web", droplet_ids: [one.id] });
    await api.expect(204, "DELETE", `/v2/droplets/${one.id}`);
    assert.deepEqual((await read(id)).droplet_ids, []);
    const path = `/v2/load_balancers/${id}/droplets`;
    for (const method of ["POST", "DELETE"]) {
      assert.match(await api.refuse(422, method, path, { droplet_ids: [one.id] }), /by tag$/);
    }
    await api.expect(204, "DELETE", "/v2/tags/web");
    assert.equal((await read(id)).tag, "");
  });

  it("adds and removes droplets", async () => {
    const [one, two] = [await addDroplet(api), await addDroplet(api)];
    const { id } = await add({ droplet_ids: [one.id] });
    const path = `/v2/load_balancers/${id}/droplets`;
    await api.expect(204, "POST", path, { droplet_ids: [two.id, one.id] });
    assert.deepEqual((await read(id)).droplet_ids, [one.id, two.id]);
    await api.expect(204, "DELETE", path, { droplet_ids: [one.id] });
    assert.deepEqual((await read(id)).droplet_ids, [two.id]);
    assert.match(await api.refuse(422, "POST", path, { droplet_ids: [1] }), /there is no droplet 1/);
    assert.match(await api.refuse(422, "POST", path, {}), /^droplet_ids is required/);
    assert.match(await api.refuse(422, "DELETE", path, { droplet_ids: "all" }), /^droplet_ids: /);
    await api.expect(204, "DELETE", `/v2/droplets/${two.id}`);
    assert.deepEqual((await read(id)).droplet_ids, []);
  });

  it("adds and removes forwarding rules", async () => {
    const { id } = await add();
    const path = `/v2/load_balancers/${id}/forwarding_rules`;
    await api.expect(204, "POST", path, { forwarding_rules: [PASSTHROUGH] });
    assert.equal((await read(id)).forwarding_rules.length, 2);
    const again = await api.refuse(422, "POST", path, { forwarding_rules: [PASSTHROUGH] });
    assert.match(again, /^forwarding_rules\[2\]\.entry_port: is that of/);
    await api.expect(204, "DELETE", path, { forwarding_rules: [HTTP] });
    assertHolds((await read(id)).forwarding_rules[0], PASSTHROUGH);
    const gone = await api.refuse(422, "DELETE", path, { forwarding_rules: [HTTP] });
    assert.match(gone, /^forwarding_rules: there is no such rule at port 80/);
    const last = await api.refuse(422, "DELETE", path, { forwarding_rules: [PASSTHROUGH] });
    assert.match(last, /^forwarding_rules: must have at least one/);
    assert.match(await api.refuse(422, "POST", path, {}), /^forwarding_rules is required/);
  });

  it("says 404 under an id that is not there", async () => {
    for (const part of ["droplets", "forwarding_rules"]) {
      await api.refuse(404, "POST", `/v2/load_balancers/${ABSENT}/${part}`, {});
      await api.refuse(404, "DELETE", `/v2/load_balancers/${ABSENT}/${part}`, {});
    }
    await api.refuse(404, "DELETE", `/v2/load_balancers/${ABSENT}/cache`);
  });

  it("takes the order to empty a cache", async () => {
    const { id } = await add();
    await api.expect(204, "DELETE", `/v2/load_balancers/${id}/cache`);
  });

  it("stays where it is", async () => {
    const balancer = await add();
    const path = `/v2/load_balancers/${balancer.id}`;
    const { vpc } = await api.expect(201, "POST", "/v2/vpcs", { name: "other", region: "nyc3" });
    const moved: [Json, RegExp][] = [
      [{ region: "ams3" }, /^region: cannot be changed, it is nyc3$/],
      [{ vpc_uuid: vpc.id }, /^vpc_uuid: cannot be changed/],
      [{ network: "INTERNAL" }, /^network: cannot be changed, it is EXTERNAL$/],
      [{ network_stack: "DUALSTACK" }, /^network_stack: cannot be changed/],
      [{ type: "REGIONAL_NETWORK" }, /^type: cannot be changed/],
    ];
    for (const [fields, message] of moved) {
      const body = { name: "lb", region: "nyc3", forwarding_rules: [HTTP], ...fields };
      assert.match(await api.refuse(422, "PUT", path, body), message);
    }
    await add({ name: "other" });
    const body = { name: "other", region: "nyc3", forwarding_rules: [HTTP] };
    assert.match(await api.refuse(422, "PUT", path, body), /^name: .*exists/);
  });

  it("is in the project that is asked for, and moves", async () => {
    const project = async (name: string) =>
      (await api.expect(201, "POST", "/v2/projects", { name, purpose: "IoT" })).project.id;
    const [one, two] = [await project("one"), await project("two")];
    const { id, project_id } = await add({ project_id: one });
    assert.equal(project_id, one);
    const body = { name: "lb", region: "nyc3", forwarding_rules: [HTTP] };
    await api.expect(200, "PUT", `/v2/load_balancers/${id}`, body);
    assert.equal((await read(id)).project_id, one, "a PUT without a project moves nothing");
    await api.expect(200, "PUT", `/v2/load_balancers/${id}`, { ...body, project_id: two });
    assert.equal((await read(id)).project_id, two);
    const { resources } = await api.expect(200, "GET", `/v2/projects/${two}/resources`);
    assert.equal(resources[0].urn, `do:loadbalancer:${id}`);
  });

  it("is a member of its VPC, which cannot be deleted before it", async () => {
    const { vpc } = await api.expect(201, "POST", "/v2/vpcs", { name: "v", region: "ams3" });
    const { id } = await add({ region: "ams3", vpc_uuid: vpc.id });
    const { members } = await api.expect(200, "GET", `/v2/vpcs/${vpc.id}/members`);
    assert.equal(members[0].urn, `do:loadbalancer:${id}`);
    await api.refuse(409, "DELETE", `/v2/vpcs/${vpc.id}`);
    await api.expect(204, "DELETE", `/v2/load_balancers/${id}`);
    await api.expect(204, "DELETE", `/v2/vpcs/${vpc.id}`);
  });

  it("leaves the firewalls that let it in when it goes", async () => {
    const { id } = await add();
    const sources = { load_balancer_uids: [id] };
    const rules = { inbound_rules: [{ protocol: "tcp", ports: "443", sources }] };
    const { firewall } = await api.expect(202, "POST", "/v2/firewalls", { name: "fw", ...rules });
    assert.deepEqual(firewall.inbound_rules[0].sources, sources);
    await api.expect(204, "DELETE", `/v2/load_balancers/${id}`);
    const after = await api.expect(200, "GET", `/v2/firewalls/${firewall.id}`);
    assert.deepEqual(after.firewall.inbound_rules[0].sources, {});
  });

  describe("with a certificate of Let's Encrypt", () => {
    const names = async () =>
      (await api.expect(200, "GET", "/v2/domains/example.com/records?type=A")).domain_records.map(
        ({ name, data }: Json) => `${name} ${data}`,
      );
    const https = async () => {
      await api.expect(201, "POST", "/v2/domains", { name: "example.com" });
      const body = { name: "le", dns_names: ["example.com", "www.example.com", "*.a.example.com"] };
      const { certificate } = await api.expect(201, "POST", "/v2/certificates", body);
      return [{ ...HTTP, entry_protocol: "https", entry_port: 443, certificate_id: certificate.id }];
    };

    it("points the certificate's names at itself, and takes them back", async () => {
      const forwarding_rules = await https();
      const record = { type: "A", name: "www", data: "1.2.3.4" };
      await api.expect(201, "POST", "/v2/domains/example.com/records", record);
      const { id, ip } = await active(api, (await add({ forwarding_rules })).id);
      assert.deepEqual(await names(), ["www 1.2.3.4", `@ ${ip}`, `*.a ${ip}`]);
      await api.expect(204, "DELETE", `/v2/load_balancers/${id}`);
      assert.deepEqual(await names(), ["www 1.2.3.4"]);
    });

    it("leaves the domain alone where it is told to", async () => {
      const fields = { forwarding_rules: await https(), disable_lets_encrypt_dns_records: true };
      await active(api, (await add(fields)).id);
      assert.deepEqual(await names(), []);
    });
  });

  it("is errored where the host driver fails, and tells it of every change", async () => {
    await api.close();
    const seen: string[] = [];
    api = await TestApi.start({
      host: {
        apply: async ({ kind }) => {
          seen.push(kind);
          if (kind === "load_balancers") throw new Error("no HAProxy");
        },
      },
    });
    const { id } = await add();
    await api.until(
      "the load balancer is errored",
      () => read(id),
      ({ status }) => status === "errored",
    );
    const before = seen.length;
    await api.expect(204, "POST", `/v2/load_balancers/${id}/forwarding_rules`, {
      forwarding_rules: [PASSTHROUGH],
    });
    await api.until(
      "the driver is told",
      async () => seen.slice(before),
      (kinds) => kinds.includes("load_balancers"),
    );
  });
});
