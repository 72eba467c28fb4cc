import assert from "node:assert/strict";
import { assertHolds } from "./resourceTable";
import { type Json, TestApi } from "./testApi";

/** What an operator types, one command after the other; each answer is checked against DigitalOcean's description. */
describe("sandbox api: an operator's session", () => {
  let api: TestApi;
  before(async () => {
    api = await TestApi.start();
  });
  after(() => api.close());

  const active = async (path: string, key: string): Promise<Json> => {
    const answer = await api.until(
      `${path} is active`,
      () => api.expect(200, "GET", path),
      (one) => one[key].status === "active",
    );
    return answer[key];
  };

  it("brings up a site, looks after it, and leaves nothing", async () => {
    // Who am I, and what can I have?
    const { account } = await api.expect(200, "GET", "/v2/account");
    const { sizes } = await api.expect(200, "GET", "/v2/sizes?per_page=200");
    const size = sizes.find(({ slug }: Json) => slug === "s-1vcpu-1gb");
    assert.ok(size.available && size.regions.includes("nyc3"));

    // Two hosts in a network of their own, behind a load balancer that ends TLS.
    const { vpc } = await api.expect(201, "POST", "/v2/vpcs", {
      name: "site",
      region: "nyc3",
      ip_range: "10.99.0.0/24",
    });
    const { droplets } = await api.expect(202, "POST", "/v2/droplets", {
      names: ["web-1", "web-2"],
      region: "nyc3",
      size: size.slug,
      image: "ubuntu-24-04-x64",
      vpc_uuid: vpc.id,
      tags: ["web"],
    });
    for (const { id } of droplets) await active(`/v2/droplets/${id}`, "droplet");
    const [first, second] = droplets;
    await api.expect(201, "POST", "/v2/domains", { name: "example.com" });
    const { certificate } = await api.expect(201, "POST", "/v2/certificates", {
      name: "site",
      type: "lets_encrypt",
      dns_names: ["www.example.com"],
    });
    const https = { entry_protocol: "https", entry_port: 443, certificate_id: certificate.id };
    const { load_balancer } = await api.expect(202, "POST", "/v2/load_balancers", {
      name: "site",
      region: "nyc3",
      vpc_uuid: vpc.id,
      tag: "web",
      forwarding_rules: [{ ...https, target_protocol: "https", target_port: 443 }],
      redirect_http_to_https: true,
    });
    const balancer = await active(`/v2/load_balancers/${load_balancer.id}`, "load_balancer");
    assert.deepEqual(balancer.droplet_ids, [first.id, second.id]);

    // The certificate's name points at it by itself.
    const site = await api.expect(200, "GET", "/v2/domains/example.com/records?name=www.example.com");
    assertHolds(site.domain_records[0], { type: "A", name: "www", data: balancer.ip });

    // Only the load balancer may come in.
    const { firewall } = await api.expect(202, "POST", "/v2/firewalls", {
      name: "web",
      tags: ["web"],
      inbound_rules: [{ protocol: "tcp", ports: "443", sources: { load_balancer_uids: [balancer.id] } }],
      outbound_rules: [{ protocol: "tcp", ports: "443", destinations: { addresses: ["0.0.0.0/0"] } }],
    });
    assert.equal(firewall.pending_changes.length, 2);
    const ofFirst = await api.expect(200, "GET", `/v2/droplets/${first.id}/firewalls`);
    assert.deepEqual(
      ofFirst.firewalls.map(({ name }: Json) => name),
      ["web"],
    );

    // Tell me when it breaks.
    await api.expect(200, "POST", "/v2/monitoring/alerts", {
      type: "v1/insights/lbaas/droplet_health",
      description: "a backend is down",
      compare: "LessThan",
      value: 100,
      window: "5m",
      entities: [balancer.id],
      tags: [],
      alerts: { email: [account.email] },
      enabled: true,
    });

    // One project for all of it.
    const { project } = await api.expect(201, "POST", "/v2/projects", {
      name: "site",
      purpose: "Website or blog",
      environment: "Production",
    });
    const urns = [
      ...droplets.map(({ id }: Json) => `do:droplet:${id}`),
      `do:loadbalancer:${balancer.id}`,
      "do:domain:example.com",
    ];
    await api.expect(200, "POST", `/v2/projects/${project.id}/resources`, { resources: urns });
    assert.equal((await api.expect(200, "GET", "/v2/projects/default/resources")).meta.total, 0);

    // Take a host out, power it off, bring it back.
    const wears = { resources: [{ resource_id: String(second.id), resource_type: "droplet" }] };
    await api.expect(204, "DELETE", "/v2/tags/web/resources", wears);
    const without = await api.expect(200, "GET", `/v2/load_balancers/${balancer.id}`);
    assert.deepEqual(without.load_balancer.droplet_ids, [first.id]);
    for (const type of ["power_off", "power_on"]) {
      const { action } = await api.expect(201, "POST", `/v2/droplets/${second.id}/actions`, { type });
      assert.equal((await api.ended(action)).status, "completed");
    }
    await api.expect(204, "POST", "/v2/tags/web/resources", wears);

    // The order of taking down matters, and each refusal says why.
    assert.match(await api.refuse(409, "DELETE", `/v2/vpcs/${vpc.id}`), /members/);
    assert.match(await api.refuse(403, "DELETE", `/v2/certificates/${certificate.id}`), /in use/);
    assert.match(await api.refuse(412, "DELETE", `/v2/projects/${project.id}`), /resources/);
    await api.expect(204, "DELETE", `/v2/load_balancers/${balancer.id}`);
    await api.expect(204, "DELETE", `/v2/certificates/${certificate.id}`);
    await api.expect(204, "DELETE", "/v2/domains/example.com");
    await api.expect(204, "DELETE", "/v2/droplets?tag_name=web");
    await api.expect(204, "DELETE", `/v2/firewalls/${firewall.id}`);
    await api.expect(204, "DELETE", `/v2/vpcs/${vpc.id}`);
    await api.expect(204, "DELETE", `/v2/projects/${project.id}`);
    const lists = ["droplets", "firewalls", "load_balancers", "certificates", "domains"];
    for (const list of lists) assert.equal((await api.expect(200, "GET", `/v2/${list}`)).meta.total, 0, list);
  });

  it("answers in DigitalOcean's form where there is nothing: databases are not here", async () => {
    for (const path of ["/v2/databases", "/v2/kubernetes/clusters", "/v3", "/"]) {
      const { status, body } = await api.get(path);
      assert.equal(status, 404, path);
      assert.equal(body.id, "not_found");
    }
  });
});
