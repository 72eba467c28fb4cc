// DoTs, DigitalOcean's own TypeScript client. Its address is its adapter's `baseUrl`.
// No load balancer: version 1.19.0 sends an empty body to create one, because it takes the body for a scalar.
import assert from "node:assert/strict";
import { load, token, url, waitFor } from "./load.mjs";

const { createDigitalOceanClient, DigitalOceanApiKeyAuthenticationProvider } =
  await load("@digitalocean/dots");
const { FetchRequestAdapter } = await load("@microsoft/kiota-http-fetchlibrary");

const adapter = new FetchRequestAdapter(new DigitalOceanApiKeyAuthenticationProvider(token));
adapter.baseUrl = url;
const { v2 } = createDigitalOceanClient(adapter);

assert.ok((await v2.account.get()).account.email);
const { vpc } = await v2.vpcs.post({ name: "site", region: "nyc3", ipRange: "10.98.0.0/24" });
const created = await v2.droplets.post({
  name: "web-1",
  region: "nyc3",
  size: "s-1vcpu-1gb",
  image: "ubuntu-24-04-x64",
  vpcUuid: vpc.id,
  tags: ["web"],
});
const { id } = created.droplet;
const droplet = () => v2.droplets.byDroplet_id(id).get();
await waitFor("droplet", droplet, (answer) => answer.droplet.status === "active");
const tagged = await v2.droplets.get({ queryParameters: { tagName: "web" } });
assert.deepEqual(
  tagged.droplets.map((one) => one.id),
  [id],
);

const { firewall } = await v2.firewalls.post({
  name: "web",
  tags: ["web"],
  inboundRules: [{ protocol: "tcp", ports: "80", sources: { addresses: ["192.0.2.0/24"] } }],
});
const { inboundRules } = (await v2.firewalls.byFirewall_id(firewall.id).get()).firewall;
assert.deepEqual(inboundRules[0].sources.addresses, ["192.0.2.0/24"]);

await v2.domains.post({ name: "example.com" });
const domain = v2.domains.byDomain_name("example.com");
const { domainRecord } = await domain.records.post({ type: "A", name: "www", data: "192.0.2.2", ttl: 60 });
const record = domain.records.byDomain_record_id(domainRecord.id);
await record.patch({ type: "A", data: "192.0.2.3" });
assert.equal((await record.get()).domainRecord.data, "192.0.2.3");

// A refusal arrives as its exception, with the status.
const isRefusal = (error) => error.responseStatusCode === 403 || error.responseStatusCode === 409;
await assert.rejects(v2.vpcs.byVpc_id(vpc.id).delete(), isRefusal);

await record.delete();
await domain.delete();
await v2.firewalls.byFirewall_id(firewall.id).delete();
await v2.droplets.byDroplet_id(id).delete();
await v2.vpcs.byVpc_id(vpc.id).delete();
await v2.tags.byTag_id("web").delete();
console.log("done");
