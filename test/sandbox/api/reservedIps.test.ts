import assert from "node:assert/strict";
import { checkPaging, type Json, TestApi } from "./testApi";

const DROPLET = { name: "d", region: "nyc3", size: "s-1vcpu-1gb", image: "ubuntu-24-04-x64" };

/** Floating IPs are the same under their old name. */
for (const [KEY, name] of [
  ["reserved_ip", "reserved IP"],
  ["floating_ip", "floating IP"],
] as const) {
  const LIST = `/v2/${KEY}s`;
  describe(`sandbox api: ${name}s`, () => {
    let api: TestApi;
    const reserve = async (body: object = { region: "nyc3" }): Promise<Json> =>
      (await api.expect(202, "POST", LIST, body))[KEY];
    const show = async (ip: string): Promise<Json> => (await api.expect(200, "GET", `${LIST}/${ip}`))[KEY];
    const droplet = async (body: object = {}): Promise<Json> =>
      (await api.expect(202, "POST", "/v2/droplets", { ...DROPLET, ...body })).droplet;
    const act = async (ip: string, body: object): Promise<Json> => {
      const { action } = await api.expect(201, "POST", `${LIST}/${ip}/actions`, body);
      return api.ended(action);
    };
    beforeEach(async () => {
      api = await TestApi.start();
    });
    afterEach(() => api.close());

    it("reserves in a region, reads back, gives up", async () => {
      const { ip, ...rest } = await reserve();
      assert.match(ip, /^198\.51\.100\.\d+$/, "of the range for documentation");
      assert.deepEqual([rest.region.slug, rest.droplet, rest.locked], ["nyc3", null, false]);
      await api.restart();
      assert.equal((await show(ip)).ip, ip);
      assert.notEqual((await reserve()).ip, ip);
      await api.expect(204, "DELETE", `${LIST}/${ip}`);
      for (const method of ["GET", "DELETE"]) await api.refuse(404, method, `${LIST}/${ip}`);
    });

    it("assigns, moves and takes away", async () => {
      const [one, two] = [await droplet(), await droplet()];
      const { ip } = await reserve();
      const path = `${LIST}/${ip}/actions`;
      const assigned = await act(ip, { type: "assign", droplet_id: one.id });
      assert.deepEqual(
        [assigned.type, assigned.status, assigned.resource_type],
        ["assign_ip", "completed", "reserved_ip"],
      );
      assert.equal((await show(ip)).droplet.id, one.id);
      await act(ip, { type: "assign", droplet_id: two.id });
      assert.equal((await show(ip)).droplet.id, two.id);
      await act(ip, { type: "unassign" });
      assert.equal((await show(ip)).droplet, null);
      await checkPaging(api, path, "actions");
      await api.expect(200, "GET", `${path}/${assigned.id}`);
      await api.refuse(404, "GET", `${path}/1`);
    });

    it("is created for a droplet, and is free again when the droplet goes", async () => {
      const { id } = await droplet();
      const { [KEY]: made, links } = await api.expect(202, "POST", LIST, { droplet_id: id });
      assert.equal(links.droplets[0].id, id);
      await api.ended(links.actions[0]);
      assert.equal((await show(made.ip)).droplet.id, id);
      await api.expect(204, "DELETE", `/v2/droplets/${id}`);
      assert.equal((await show(made.ip)).droplet, null);
    });

    it("lists by page", async () => {
      for (let i = 0; i < 3; i++) await reserve();
      await checkPaging(api, LIST, `${KEY}s`);
    });

    it("refuses wrong bodies and actions", async () => {
      const wrong: [body: object, message: RegExp][] = [
        [{}, /^region or droplet_id is required/],
        [{ region: "mars1" }, /^region: "mars1"/],
        [{ droplet_id: 1 }, /^droplet_id: there is no droplet 1/],
        [{ droplet_id: "x" }, /^droplet_id: must be a number/],
        [{ region: "nyc3", project_id: "none" }, /^project_id: there is no project/],
      ];
      for (const [body, message] of wrong) assert.match(await api.refuse(422, "POST", LIST, body), message);
      assert.equal((await api.get(LIST)).body.meta.total, 0);

      const [here, there] = [await droplet(), await droplet({ region: "ams3" })];
      const { ip } = await reserve();
      const { ip: other } = await reserve();
      await act(other, { type: "assign", droplet_id: here.id });
      const refused = (body: object) => api.refuse(422, "POST", `${LIST}/${ip}/actions`, body);
      assert.match(await refused({}), /^type: must be assign or unassign/);
      assert.match(await refused({ type: "assign" }), /^droplet_id is required/);
      assert.match(await refused({ type: "assign", droplet_id: 1 }), /^droplet_id: there is no droplet/);
      assert.match(
        await refused({ type: "assign", droplet_id: there.id }),
        /^droplet_id: the droplet is in ams3/,
      );
      assert.match(
        await refused({ type: "assign", droplet_id: here.id }),
        new RegExp(`has the reserved IP ${other}`),
      );
      assert.match(await refused({ type: "unassign" }), /not assigned/);
      await api.refuse(404, "POST", `${LIST}/198.51.100.250/actions`, { type: "unassign" });
      await api.restart({ actionDelayMs: 600_000 });
      await api.expect(201, "POST", `${LIST}/${other}/actions`, { type: "unassign" });
      assert.deepEqual([(await show(other)).locked, (await show(ip)).locked], [true, false]);
      assert.equal(
        await api.refuse(422, "DELETE", `${LIST}/${other}`),
        `The ${name} already has a pending event.`,
      );
      const pending = await api.refuse(422, "POST", `${LIST}/${other}/actions`, { type: "unassign" });
      assert.match(pending, /pending event/);
    });
  });
}

describe("sandbox api: a reserved IP under both names", () => {
  it("is one thing, whose actions say the name that was asked for", async () => {
    const api = await TestApi.start();
    try {
      const { floating_ip } = await api.expect(202, "POST", "/v2/floating_ips", { region: "nyc3" });
      const { reserved_ip } = await api.expect(200, "GET", `/v2/reserved_ips/${floating_ip.ip}`);
      assert.deepEqual(reserved_ip, floating_ip);
      const { id } = (await api.expect(202, "POST", "/v2/droplets", DROPLET)).droplet;
      const assign = { type: "assign", droplet_id: id };
      const path = (key: string) => `/v2/${key}s/${reserved_ip.ip}/actions`;
      const { action } = await api.expect(201, "POST", path("floating_ip"), assign);
      for (const key of ["reserved_ip", "floating_ip"]) {
        const shown = await api.expect(200, "GET", `${path(key)}/${action.id}`);
        assert.deepEqual([shown.action.id, shown.action.resource_type], [action.id, key]);
      }
    } finally {
      await api.close();
    }
  });
});
