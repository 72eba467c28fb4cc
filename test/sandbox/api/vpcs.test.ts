import assert from "node:assert/strict";
import { checkPaging, type Json, TestApi } from "./testApi";

const UNKNOWN = "5a4981aa-9653-4bd1-bef5-d6bff52042e4";
const DROPLET = { name: "d", region: "nyc3", size: "s-1vcpu-1gb", image: "ubuntu-24-04-x64" };

describe("sandbox api: VPCs", () => {
  let api: TestApi;
  const make = async (body: object): Promise<Json> => (await api.expect(201, "POST", "/v2/vpcs", body)).vpc;
  beforeEach(async () => {
    api = await TestApi.start();
  });
  afterEach(() => api.close());

  it("creates, reads back, changes by PUT and PATCH, deletes", async () => {
    const vpc = await make({ name: "v", region: "nyc3", description: "x", ip_range: "10.10.0.0/16" });
    assert.deepEqual(
      { ...vpc, id: 0, created_at: 0, urn: 0 },
      {
        id: 0,
        name: "v",
        region: "nyc3",
        description: "x",
        ip_range: "10.10.0.0/16",
        default: false,
        created_at: 0,
        urn: 0,
      },
    );
    assert.equal(vpc.urn, `do:vpc:${vpc.id}`);
    assert.deepEqual((await api.expect(200, "GET", `/v2/vpcs/${vpc.id}`)).vpc, vpc);
    const put = await api.expect(200, "PUT", `/v2/vpcs/${vpc.id}`, {
      name: "w",
      description: "y",
      default: false,
    });
    assert.deepEqual(put.vpc, { ...vpc, name: "w", description: "y" });
    const patched = await api.expect(200, "PATCH", `/v2/vpcs/${vpc.id}`, { description: "z" });
    assert.deepEqual(patched.vpc, { ...vpc, name: "w", description: "z" });
    await api.restart();
    assert.deepEqual((await api.expect(200, "GET", `/v2/vpcs/${vpc.id}`)).vpc, patched.vpc);
    await api.expect(204, "DELETE", `/v2/vpcs/${vpc.id}`);
    for (const method of ["GET", "PUT", "PATCH", "DELETE"])
      await api.refuse(404, method, `/v2/vpcs/${vpc.id}`, {});
    await api.refuse(404, "GET", `/v2/vpcs/${vpc.id}/members`);
  });

  it("has a default VPC in every open region, which moves and is never deleted", async () => {
    const { regions } = await api.expect(200, "GET", "/v2/regions");
    const open = regions.filter(({ available }: Json) => available).map(({ slug }: Json) => slug);
    const defaults = async () => {
      const { vpcs } = await api.expect(200, "GET", "/v2/vpcs?per_page=200");
      return Object.fromEntries(
        vpcs.filter((vpc: Json) => vpc.default).map((vpc: Json) => [vpc.region, vpc]),
      );
    };
    const before = await defaults();
    assert.deepEqual(Object.keys(before), open);
    const vpc = await make({ name: "mine", region: "nyc3" });
    assert.equal(vpc.default, false);
    const old = before.nyc3;
    assert.equal(await api.refuse(403, "DELETE", `/v2/vpcs/${old.id}`), "Can not delete default VPCs");
    const unset = await api.expect(200, "PATCH", `/v2/vpcs/${old.id}`, { default: false });
    assert.equal(unset.vpc.default, true, "the default moves, and is never unset");
    await api.expect(200, "PATCH", `/v2/vpcs/${vpc.id}`, { default: true });
    assert.deepEqual(await defaults(), { ...before, nyc3: { ...vpc, default: true } });
    const { droplet } = await api.expect(202, "POST", "/v2/droplets", DROPLET);
    assert.equal(droplet.vpc_uuid, vpc.id, "where a droplet goes that names none");
    await api.expect(204, "DELETE", `/v2/vpcs/${old.id}`);
    await api.restart();
    assert.equal((await defaults()).nyc3.id, vpc.id);
    assert.equal((await api.get("/v2/vpcs")).body.meta.total, open.length, "a restart makes no other");
  });

  it("gives a free /20 where no range is asked for", async () => {
    const ranges = new Set<string>();
    for (const name of ["a", "b", "c"]) ranges.add((await make({ name, region: "nyc3" })).ip_range);
    assert.equal(ranges.size, 3);
    for (const range of ranges) assert.match(range, /^10\.\d+\.\d+\.0\/20$/);
  });

  it("lists its members, by type, and is not deleted while it has some", async () => {
    const vpc = await make({ name: "v", region: "nyc3" });
    const { droplet } = await api.expect(202, "POST", "/v2/droplets", { ...DROPLET, vpc_uuid: vpc.id });
    const { members } = await api.expect(200, "GET", `/v2/vpcs/${vpc.id}/members`);
    assert.deepEqual(members, [
      { name: "d", urn: `do:droplet:${droplet.id}`, created_at: droplet.created_at },
    ]);
    const of = (type: string) => api.expect(200, "GET", `/v2/vpcs/${vpc.id}/members?resource_type=${type}`);
    assert.equal((await of("droplet")).meta.total, 1);
    assert.equal((await of("loadbalancer")).meta.total, 0);
    const refusal = await api.send("DELETE", `/v2/vpcs/${vpc.id}`);
    assert.deepEqual(
      [refusal.status, refusal.body.id, refusal.body.message],
      [409, "conflict", "Can not delete VPC with members"],
    );
    await api.expect(204, "DELETE", `/v2/droplets/${droplet.id}`);
    await api.expect(204, "DELETE", `/v2/vpcs/${vpc.id}`);
  });

  it("keeps a deleted member for as long as it is told, and is not deleted meanwhile", async () => {
    await api.restart({ vpcLingerMs: 600_000 });
    const vpc = await make({ name: "v", region: "nyc3" });
    const path = `/v2/vpcs/${vpc.id}`;
    const { droplet } = await api.expect(202, "POST", "/v2/droplets", { ...DROPLET, vpc_uuid: vpc.id });
    const { load_balancer } = await api.expect(202, "POST", "/v2/load_balancers", {
      name: "l",
      region: "nyc3",
      vpc_uuid: vpc.id,
      forwarding_rules: [{ entry_protocol: "tcp", entry_port: 80, target_protocol: "tcp", target_port: 80 }],
    });
    const before = (await api.expect(200, "GET", `${path}/members`)).members;
    assert.equal(before.length, 2);
    await api.expect(204, "DELETE", `/v2/droplets/${droplet.id}`);
    await api.expect(204, "DELETE", `/v2/load_balancers/${load_balancer.id}`);
    await api.restart({ vpcLingerMs: 50 });
    assert.deepEqual((await api.expect(200, "GET", `${path}/members`)).members, before);
    assert.match(await api.refuse(409, "DELETE", path), /members/);
    const other = await make({ name: "w", region: "nyc3" });
    const second = await api.expect(202, "POST", "/v2/droplets", { ...DROPLET, vpc_uuid: other.id });
    await api.expect(204, "DELETE", `/v2/droplets/${second.droplet.id}`);
    await api.until(
      "the second VPC is empty",
      () => api.send("DELETE", `/v2/vpcs/${other.id}`),
      ({ status }) => status === 204,
    );
  });

  it("lists by page", async () => {
    for (const name of ["a", "b", "c"]) await make({ name, region: "nyc3" });
    await checkPaging(api, "/v2/vpcs", "vpcs");
  });

  const good = { name: "new", region: "nyc3" };
  const bad: [why: string, body: unknown, message: RegExp][] = [
    ["no name", { region: "nyc3" }, /^name is required/],
    ["a name with a space", { ...good, name: "a b" }, /^name: /],
    ["a taken name", { ...good, name: "taken" }, /^name: .*already in use/],
    ["no region", { name: "new" }, /^region is required/],
    ["an unknown region", { ...good, region: "mars1" }, /^region: "mars1"/],
    ["a closed region", { ...good, region: "nyc2" }, /^region: "nyc2"/],
    ["a number as region", { ...good, region: 3 }, /^region: /],
    ["a range that is none", { ...good, ip_range: "10.0.0.0" }, /^ip_range: /],
    ["a range with host bits", { ...good, ip_range: "10.20.0.1/16" }, /^ip_range: /],
    ["a range that is too large", { ...good, ip_range: "10.0.0.0/15" }, /^ip_range: must be between/],
    ["a range that is too small", { ...good, ip_range: "10.20.0.0/29" }, /^ip_range: must be between/],
    ["a public range", { ...good, ip_range: "8.8.0.0/16" }, /^ip_range: .*RFC 1918/],
    [
      "a range that overlaps with another's",
      { ...good, ip_range: "10.10.8.0/24" },
      /^This range\/size overlaps with another VPC network in your account: taken 10.10.0.0\/16\.$/,
    ],
    [
      "a range that holds another's",
      { ...good, region: "ams3", ip_range: "10.10.0.0/16" },
      /^This range\/size overlaps with another VPC network/,
    ],
    ["a reserved range", { ...good, ip_range: "10.244.8.0/24" }, /^ip_range: 10.244.0.0\/16 is reserved/],
    [
      "nyc1's reserved range in nyc1",
      { ...good, region: "nyc1", ip_range: "10.10.0.0/16" },
      /^ip_range: .*reserved/,
    ],
    ["a description of 256 characters", { ...good, description: "x".repeat(256) }, /^description: /],
  ];
  it("refuses wrong bodies, and makes nothing of them", async () => {
    const count = (await api.get("/v2/vpcs")).body.meta.total;
    await make({ name: "taken", region: "nyc3", ip_range: "10.10.0.0/16" });
    for (const [why, body, message] of bad) {
      assert.match(await api.refuse(422, "POST", "/v2/vpcs", body), message, why);
    }
    assert.equal((await api.get("/v2/vpcs")).body.meta.total, count + 1);
  });

  it("refuses wrong changes", async () => {
    const vpc = await make({ name: "a", region: "nyc3" });
    await make({ name: "b", region: "nyc3" });
    const path = `/v2/vpcs/${vpc.id}`;
    assert.match(await api.refuse(422, "PUT", path, {}), /^name is required/);
    assert.match(await api.refuse(422, "PUT", path, { name: "b" }), /^name: .*in use/);
    assert.match(await api.refuse(422, "PATCH", path, { name: "b" }), /^name: .*in use/);
    assert.match(await api.refuse(422, "PATCH", path, { default: "yes" }), /^default: /);
    await api.refuse(404, "PATCH", `/v2/vpcs/${UNKNOWN}`, {});
  });

  it("peers two, by either path; renames, lists and ends the peering", async () => {
    const [a, b, c] = [
      await make({ name: "a", region: "nyc3" }),
      await make({ name: "b", region: "ams3" }),
      await make({ name: "c", region: "fra1" }),
    ];
    const body = { name: "a-b", vpc_id: b.id };
    const { peering } = await api.expect(202, "POST", `/v2/vpcs/${a.id}/peerings`, body);
    assert.deepEqual([peering.status, peering.vpc_ids], ["PROVISIONING", [a.id, b.id]]);
    const { vpc_peering } = await api.expect(202, "POST", "/v2/vpc_peerings", {
      name: "a-c",
      vpc_ids: [a.id, c.id],
    });
    await checkPaging(api, `/v2/vpcs/${a.id}/peerings`, "peerings");
    await checkPaging(api, "/v2/vpc_peerings", "vpc_peerings");
    assert.equal((await api.expect(200, "GET", `/v2/vpcs/${b.id}/peerings`)).meta.total, 1);
    const path = `/v2/vpc_peerings/${peering.id}`;
    assert.equal((await api.expect(200, "GET", path)).vpc_peering.status, "ACTIVE");
    const renamed = await api.expect(200, "PATCH", `/v2/vpcs/${b.id}/peerings/${peering.id}`, {
      name: "b-a",
    });
    assert.equal(renamed.peering.name, "b-a");
    await api.expect(200, "PATCH", path, { name: "a-b" });
    await api.refuse(404, "PATCH", `/v2/vpcs/${c.id}/peerings/${peering.id}`, { name: "x" });

    const refused = (change: object) =>
      api.refuse(422, "POST", `/v2/vpcs/${a.id}/peerings`, { ...body, ...change });
    assert.match(await refused({ name: "a-c" }), /^name: .*in use/);
    assert.match(await refused({ name: "a c" }), /^name: may only/);
    assert.match(await refused({ name: "new" }), /peered already/);
    assert.match(await refused({ name: "new", vpc_id: a.id }), /with itself/);
    assert.match(await refused({ name: "new", vpc_id: UNKNOWN }), /there is no VPC/);
    assert.match(await refused({ name: "new", vpc_id: undefined }), /^vpc_id is required/);
    assert.match(await api.refuse(422, "PATCH", path, { name: "a-c" }), /in use/);
    for (const one of ["GET", "POST"]) await api.refuse(404, one, `/v2/vpcs/${UNKNOWN}/peerings`, body);

    await api.expect(202, "DELETE", path);
    for (const method of ["GET", "PATCH", "DELETE"]) await api.refuse(404, method, path, { name: "x" });
    await api.expect(200, "GET", `/v2/vpc_peerings/${vpc_peering.id}`);
  });
});
