import assert from "node:assert/strict";
import { ACCOUNT_EMAIL } from "../../../sandbox/api/resources/account";
import { readTrace, type TraceRequest, type TraceSection } from "../reference/trace";
import { addDroplet } from "./resourceTable";
import { type Json, TestApi } from "./testApi";

/** What this sandbox does not have: its paths are unknown, so it says 404. */
const ABSENT = ["digitalocean_database_cluster", "digitalocean_database_firewall"];
const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICN9QkdcA4CCpMgKedaRBbhth9HsG1GHJk2+VHQIYKok x";

/** The recorder's own ids, and the object that stands for each on the ground. */
type Ids = Map<string, string>;

/** All that the recorded bodies refer to. */
async function prepare(api: TestApi, section: TraceSection): Promise<Ids> {
  const made = (resource: string) => section.resource === `digitalocean_${resource}`;
  const ids: Ids = new Map([["a@b.c", ACCOUNT_EMAIL]]);
  const { vpc } = await api.expect(201, "POST", "/v2/vpcs", { name: "ground", region: "nyc3" });
  ids.set("11111111-1111-1111-1111-111111111111", vpc.id).set("vpc-1", vpc.id);
  if (!made("ssh_key")) {
    const { ssh_key } = await api.expect(201, "POST", "/v2/account/keys", { name: "k", public_key: KEY });
    ids.set("77", String(ssh_key.id));
  }
  if (!made("tag")) await api.expect(201, "POST", "/v2/tags", { name: "web" });
  if (!made("droplet")) ids.set("101", String((await addDroplet(api, { tags: ["web"] })).id));
  if (!made("domain")) await api.expect(201, "POST", "/v2/domains", { name: "example.com" });
  if (made("volume_attachment")) {
    const volume = { name: "ground", region: "nyc3", size_gigabytes: 1 };
    ids.set("vol-1", (await api.expect(201, "POST", "/v2/volumes", volume)).volume.id);
  }
  if (made("reserved_ip_assignment")) {
    const { reserved_ip } = await api.expect(202, "POST", "/v2/reserved_ips", { region: "nyc3" });
    ids.set("198.51.100.7", reserved_ip.ip);
  }
  if (made("loadbalancer")) {
    const body = { name: "web", dns_names: ["www.example.com"] };
    ids.set("cert-uuid-1", (await api.expect(201, "POST", "/v2/certificates", body)).certificate.id);
  }
  if (made("firewall")) {
    const rule = { entry_protocol: "http", entry_port: 80, target_protocol: "http", target_port: 80 };
    const balancer = { name: "ground", region: "nyc3", forwarding_rules: [rule] };
    ids.set("lb-1", (await api.expect(202, "POST", "/v2/load_balancers", balancer)).load_balancer.id);
  }
  if (made("uptime_alert")) {
    const target = {
      name: "c",
      type: "https",
      target: "https://example.com",
      regions: ["us_east"],
      enabled: true,
    };
    ids.set("chk-1", (await api.expect(201, "POST", "/v2/uptime/checks", target)).check.id);
  }
  if (made("project_resources")) {
    const { project } = await api.expect(201, "POST", "/v2/projects", { name: "ground", purpose: "IoT" });
    ids.set("proj-9", project.id);
  }
  const { project } = await api.expect(200, "GET", "/v2/projects/default");
  return ids.set("def-proj", project.id);
}

/** A recorded text with the sandbox's own ids; digits alone are ids where they stand alone. */
function substituted(text: string, ids: Ids): string {
  let result = text;
  for (const [recorded, own] of ids) {
    const pattern = new RegExp(`(?<![\\w.-])${recorded.replaceAll(".", "\\.")}(?![\\w.-])`, "g");
    result = result.replace(pattern, own);
  }
  return result;
}

/** The body as the recording has it, with the sandbox's ids, and with what the recording abbreviates. */
function bodyOf(request: TraceRequest, ids: Ids): Json {
  if (request.body === undefined) return undefined;
  return JSON.parse(
    substituted(JSON.stringify(request.body), ids)
      .replace("ssh-ed25519 AAAA x", KEY)
      // Two VPCs cannot overlap, and the ground has one.
      .replace('"ip_range":"10.10.0.0/16"', '"ip_range":"10.11.0.0/16"'),
  );
}

/** A POST that creates tells the id of the object that later requests name. */
function learn(request: TraceRequest, next: TraceRequest | undefined, answer: Json, ids: Ids): void {
  if (request.method !== "POST" || !next) return;
  const [object] = Object.values(answer ?? {}) as Json[];
  const own = object?.id ?? object?.uuid ?? object?.ip;
  const recorded = next.path.startsWith(`${request.path}/`)
    ? next.path.slice(request.path.length + 1).split("/")[0]
    : request.path.endsWith("/actions") && next.path.split("/").at(-1);
  if (own !== undefined && recorded) ids.set(recorded, String(own));
}

const sections = readTrace();

describe("sandbox api: what the official provider asks", () => {
  let api: TestApi;
  beforeEach(async () => {
    api = await TestApi.start();
  });
  afterEach(() => api.close());

  it("has all sections of the recording", () => {
    assert.ok(sections.length >= 22, `${sections.length} sections`);
    assert.ok(sections.every(({ requests }) => requests.length > 0));
  });

  it("sees a field that comes back as another", () => {
    const changed = { tag: { name: "b" } };
    assert.throws(() => checkKept("digitalocean_tag", { name: "a" }, changed), /comes back as it was sent/);
    checkKept("digitalocean_tag", { name: "b" }, changed);
  });

  for (const [index, section] of sections.entries()) {
    it(`answers ${section.resource} (${index + 1}): ${section.requests.length} requests`, async () => {
      const ids = await prepare(api, section);
      for (const [at, request] of section.requests.entries()) {
        const path = substituted(request.path, ids);
        const body = bodyOf(request, ids);
        const { status, body: answer } = await api.send(request.method, path, body);
        const told = `${request.phase} ${request.method} ${path}: ${status} ${JSON.stringify(answer)}`;
        if (ABSENT.includes(section.resource)) {
          assert.equal(status, 404, told);
          continue;
        }
        if (request.status === 404) assert.equal(status, 404, told);
        else assert.ok(status >= 200 && status < 300, told);
        learn(request, section.requests[at + 1], answer, ids);
        if (request.phase === "create") await settle(api, answer);
        if (request.phase === "create" && request.method === "POST")
          checkKept(section.resource, body, answer);
      }
    });
  }
});

/** The provider polls until what it made is done. */
async function settle(api: TestApi, answer: Json): Promise<void> {
  const { droplet, action, load_balancer } = answer ?? {};
  if (action) await api.ended(action);
  const own = droplet
    ? `/v2/droplets/${droplet.id}`
    : load_balancer && `/v2/load_balancers/${load_balancer.id}`;
  if (!own) return;
  await api.until(
    `${own} is active`,
    () => api.expect(200, "GET", own),
    (one) => (one.droplet ?? one.load_balancer).status === "active",
  );
}

/** Where the answer has a field of the body, it says the same: the provider would see a drift otherwise. */
function checkKept(resource: string, body: Json, answer: Json): void {
  const [object] = Object.values(answer ?? {}) as Json[];
  const differs = NORMALIZED[resource] ?? [];
  for (const [field, sent] of Object.entries(body ?? {})) {
    const got = object?.[field];
    if (got === undefined || got === null || differs.includes(field)) continue;
    assert.deepEqual(got, sent, `${resource}.${field} comes back as it was sent`);
  }
}

/** Fields that DigitalOcean shows in another form, and the official provider knows it. */
const NORMALIZED: Readonly<Record<string, readonly string[]>> = {
  digitalocean_droplet: ["region", "size", "image"],
  digitalocean_volume: ["region", "snapshot_id"],
  digitalocean_custom_image: ["region"],
  digitalocean_reserved_ip: ["region"],
  digitalocean_record: ["data"], // no trailing dot
  digitalocean_volume_attachment: ["type"], // "attach" becomes an "attach_volume" action
  digitalocean_reserved_ip_assignment: ["type"],
  digitalocean_firewall: ["inbound_rules", "outbound_rules"], // icmp has ports "0"; the action is added
  digitalocean_loadbalancer: ["region", "forwarding_rules"], // a rule gets tls_passthrough
  digitalocean_monitor_alert: ["alerts"], // null becomes []
  digitalocean_uptime_alert: ["notifications"],
};
