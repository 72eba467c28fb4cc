// do-wrapper. It has no option for the API's address: `apiUrl` of its request helper is patched.
import assert from "node:assert/strict";
import { load, token, url, waitFor } from "./load.mjs";

const { default: wrapper } = await load("do-wrapper");
const client = new wrapper.default(token, 100);
// All parts of the client share one helper.
client.account.requestHelper.apiUrl = `${url}/v2/`;

assert.ok((await client.account.get()).account.email);
await client.tags.create("web");
const created = await client.droplets.create({
  name: "web-1",
  region: "nyc3",
  size: "s-1vcpu-1gb",
  image: "ubuntu-24-04-x64",
  tags: ["web"],
});
const { id } = created.droplet;
const droplet = () => client.droplets.getById(id);
await waitFor("droplet", droplet, (answer) => answer.droplet.status === "active");
const tagged = await client.droplets.getAll("web", true);
assert.deepEqual(
  tagged.map((one) => one.id),
  [id],
);
const { action } = await client.droplets.requestAction(id, { type: "rename", name: "web-2" });
const rename = () => client.droplets.getAction(id, action.id);
await waitFor("rename", rename, (answer) => answer.action.status === "completed");
assert.equal((await droplet()).droplet.name, "web-2");

const { load_balancer } = await client.loadBalancers.create({
  name: "site",
  region: "nyc3",
  tag: "web",
  forwarding_rules: [{ entry_protocol: "http", entry_port: 80, target_protocol: "http", target_port: 80 }],
});
const { firewall } = await client.firewalls.create({
  name: "web",
  inbound_rules: [{ protocol: "tcp", ports: "80", sources: { load_balancer_uids: [load_balancer.id] } }],
  outbound_rules: [{ protocol: "udp", ports: "53", destinations: { addresses: ["0.0.0.0/0"] } }],
});
await client.firewalls.addDroplets(firewall.id, [id]);
assert.deepEqual((await client.firewalls.getById(firewall.id)).firewall.droplet_ids, [id]);

const { floating_ip } = await client.floatingIPs.assignRegion("nyc3");
const { floating_ips } = await client.floatingIPs.getAll();
assert.deepEqual(
  floating_ips.map(({ ip }) => ip),
  [floating_ip.ip],
);

await client.domains.create({ name: "example.com" });
const www = { type: "A", name: "www", data: "192.0.2.2" };
const { domain_record } = await client.domains.createRecord("example.com", www);
await client.domains.updateRecord("example.com", domain_record.id, { type: "A", data: "192.0.2.3" });
const read = await client.domains.getRecord("example.com", domain_record.id);
assert.equal(read.domain_record.data, "192.0.2.3");
const records = await client.domains.getAllRecords("example.com", "", true);
assert.ok(records.some(({ name }) => name === "www"));

await client.domains.deleteRecord("example.com", domain_record.id);
await client.domains.delete("example.com");
await client.floatingIPs.deleteByIp(floating_ip.ip);
await client.firewalls.delete(firewall.id);
await client.loadBalancers.delete(load_balancer.id);
await client.droplets.deleteById(id);
await client.tags.delete("web");
console.log("done");
