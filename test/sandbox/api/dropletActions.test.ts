import assert from "node:assert/strict";
import { checkPaging, type Json, TestApi } from "./testApi";

const GOOD = { name: "web-1", region: "nyc3", size: "s-1vcpu-2gb", image: "ubuntu-24-04-x64" };

describe("sandbox api: droplet actions", () => {
  let api: TestApi;
  let id: number;
  const show = async (): Promise<Json> => (await api.expect(200, "GET", `/v2/droplets/${id}`)).droplet;
  const act = async (body: object): Promise<Json> => {
    const { action } = await api.expect(201, "POST", `/v2/droplets/${id}/actions`, body);
    assert.deepEqual([action.status, action.completed_at], ["in-progress", null]);
    const ended = await api.ended(action);
    assert.equal(ended.status, "completed");
    assert.deepEqual((await api.expect(200, "GET", `/v2/droplets/${id}/actions/${action.id}`)).action, ended);
    return ended;
  };
  const refused = (body: object) => api.refuse(422, "POST", `/v2/droplets/${id}/actions`, body);
  beforeEach(async () => {
    api = await TestApi.start();
    const { droplet, links } = await api.expect(202, "POST", "/v2/droplets", { ...GOOD, tags: ["web"] });
    id = droplet.id;
    await api.ended(links.actions[0]);
  });
  afterEach(() => api.close());

  it("powers off and on, and refuses what does not fit the state", async () => {
    // Ansible's module powers on what is active already.
    await act({ type: "power_on" });
    await act({ type: "reboot" });
    await act({ type: "power_cycle" });
    assert.equal((await show()).status, "active");
    await act({ type: "shutdown" });
    assert.equal((await show()).status, "off");
    // The official provider shuts down what it deletes, whether it is on or off.
    await act({ type: "shutdown" });
    assert.equal((await show()).status, "off");
    assert.equal(await refused({ type: "power_off" }), "Droplet is already powered off.");
    for (const type of ["reboot", "power_cycle"]) {
      assert.match(await refused({ type }), /^Droplet is currently off\. /, type);
    }
    await act({ type: "power_on" });
    await act({ type: "power_off" });
    assert.equal((await show()).status, "off");
  });

  it("resizes, and powers the droplet off for it: upwards, with the disk only where asked", async () => {
    await act({ type: "resize", size: "s-2vcpu-4gb" });
    assert.equal((await show()).status, "off");
    const grown = await show();
    assert.deepEqual([grown.size_slug, grown.memory, grown.vcpus, grown.disk], ["s-2vcpu-4gb", 4096, 2, 50]);
    await act({ type: "resize", size: "s-1vcpu-2gb" });
    await act({ type: "resize", size: "s-2vcpu-4gb", disk: "false" });
    assert.equal((await show()).disk, 50);
    await act({ type: "resize", size: "s-1vcpu-2gb" });
    // As python-digitalocean sends it.
    await act({ type: "resize", size: "s-2vcpu-4gb", disk: "true" });
    assert.equal((await show()).disk, 80);
    assert.match(
      await refused({ type: "resize", size: "s-1vcpu-2gb" }),
      /Size can not decrease size of Droplet's disk image/,
    );
    for (const disk of ["yes", "", 1, null]) {
      const body = { type: "resize", size: "s-4vcpu-8gb", disk };
      assert.match(await refused(body), /^disk: must be true or false/, String(disk));
    }
    assert.match(await refused({ type: "resize", size: "s-2vcpu-4gb" }), /already/);
    assert.match(await refused({ type: "resize", size: "none" }), /^size: there is no size/);
    assert.match(await refused({ type: "resize" }), /^size is required/);
  });

  it("renames", async () => {
    await act({ type: "rename", name: "new.example.com" });
    assert.equal((await show()).name, "new.example.com");
    assert.match(await refused({ type: "rename", name: "a b" }), /^name: Only valid hostname/);
    assert.match(await refused({ type: "rename" }), /^name is required/);
  });

  it("makes snapshots, from which it is rebuilt and restored, and others are created", async () => {
    await act({ type: "snapshot", name: "before" });
    const { snapshots } = await api.expect(200, "GET", `/v2/droplets/${id}/snapshots`);
    assert.deepEqual([snapshots.length, snapshots[0].name, snapshots[0].min_disk_size], [1, "before", 50]);
    const image = snapshots[0].id;
    assert.deepEqual((await show()).snapshot_ids, [image]);
    await act({ type: "snapshot" });
    assert.match(
      (await api.expect(200, "GET", "/v2/snapshots")).snapshots[1].name,
      /^web-1-/,
      "a name by itself",
    );

    await act({ type: "rebuild", image: "debian-13-x64" });
    assert.equal((await show()).image.slug, "debian-13-x64");
    await act({ type: "restore", image });
    assert.equal((await show()).image.id, image);
    const small = { ...GOOD, size: "s-1vcpu-1gb", image };
    assert.match(await api.refuse(422, "POST", "/v2/droplets", small), /needs a disk of 50 GiB/);
    assert.match(
      await api.refuse(422, "POST", "/v2/droplets", { ...GOOD, image, region: "ams3" }),
      /not available in ams3/,
    );
    await api.expect(202, "POST", "/v2/droplets", { ...GOOD, image });
    await api.expect(204, "DELETE", `/v2/images/${image}`);
    assert.equal((await show()).image.id, image, "a droplet outlives its image");
    assert.match(await refused({ type: "restore", image }), /no backup of this droplet/);
    assert.match(await refused({ type: "restore", image: "ubuntu-24-04-x64" }), /no backup of this droplet/);
    for (const type of ["restore", "rebuild"]) assert.match(await refused({ type }), /^image is required/);
    assert.match(await refused({ type: "rebuild", image: "none" }), /^image: there is no image/);
  });

  it("switches backups on, over and off", async () => {
    assert.match(await refused({ type: "disable_backups" }), /not enabled/);
    assert.match(
      await refused({ type: "change_backup_policy", backup_policy: { plan: "daily" } }),
      /not enabled/,
    );
    await act({ type: "enable_backups" });
    assert.ok((await show()).features.includes("backups"));
    assert.ok((await show()).next_backup_window);
    assert.match(await refused({ type: "enable_backups" }), /already enabled/);
    assert.match(await refused({ type: "change_backup_policy" }), /^backup_policy is required/);
    await act({ type: "change_backup_policy", backup_policy: { plan: "daily", weekday: "", hour: 20 } });
    const { policy } = await api.expect(200, "GET", `/v2/droplets/${id}/backups/policy`);
    assert.deepEqual([policy.backup_policy.plan, policy.backup_policy.hour], ["daily", 20]);
    await act({ type: "disable_backups" });
    assert.deepEqual(
      [(await show()).features.includes("backups"), (await show()).next_backup_window],
      [false, null],
    );
  });

  it("enables IPv6 once; resets passwords; refuses what droplets of today cannot", async () => {
    assert.match(await refused({ type: "enable_ipv6" }), /^Droplet is currently on\. /);
    await act({ type: "power_off" });
    await act({ type: "enable_ipv6" });
    assert.match(await refused({ type: "enable_ipv6" }), /already enabled/);
    await act({ type: "power_on" });
    assert.equal((await show()).networks.v6.length, 1);
    await act({ type: "password_reset" });
    assert.match(await refused({ type: "enable_private_networking" }), /already enabled/);
    assert.match(await refused({ type: "change_kernel", kernel: 1 }), /^kernel: /);
    for (const type of ["dance", "constructor", "toString"])
      assert.match(await refused({ type }), new RegExp(`^type: "${type}" is no action`));
    assert.match(await refused({}), /^type is required/);
  });

  it("takes one action at a time, and none while the droplet is new", async () => {
    await api.restart({ actionDelayMs: 600_000 });
    const { droplet } = await api.expect(202, "POST", "/v2/droplets", GOOD);
    const pending = await api.refuse(422, "POST", `/v2/droplets/${droplet.id}/actions`, { type: "reboot" });
    assert.equal(pending, "Droplet already has a pending event.");
    await api.expect(201, "POST", `/v2/droplets/${id}/actions`, { type: "reboot" });
    assert.equal(await refused({ type: "power_off" }), "Droplet already has a pending event.");
  });

  it("ends the actions of a droplet that is deleted", async () => {
    await api.restart({ actionDelayMs: 600_000 });
    const { action } = await api.expect(201, "POST", `/v2/droplets/${id}/actions`, { type: "reboot" });
    await api.expect(204, "DELETE", `/v2/droplets/${id}`);
    assert.equal((await api.expect(200, "GET", `/v2/actions/${action.id}`)).action.status, "errored");
    const { actions } = await api.expect(200, "GET", "/v2/actions");
    assert.deepEqual(
      actions.map(({ type }: Json) => type),
      ["destroy", "reboot", "create"],
    );
  });

  it("goes on after a restart with what was unfinished", async () => {
    await api.restart({ actionDelayMs: 600_000 });
    const { action } = await api.expect(201, "POST", `/v2/droplets/${id}/actions`, { type: "power_off" });
    const { droplet } = await api.expect(202, "POST", "/v2/droplets", GOOD);
    await api.restart({ actionDelayMs: 5 });
    assert.equal((await api.ended(action)).status, "completed");
    assert.equal((await show()).status, "off");
    await api.until(
      "the other is active",
      () => api.expect(200, "GET", `/v2/droplets/${droplet.id}`),
      ({ droplet: { status } }) => status === "active",
    );
  });

  it("acts on all droplets of a tag", async () => {
    const { links } = await api.expect(202, "POST", "/v2/droplets", { ...GOOD, tags: ["web"] });
    await api.ended(links.actions[0]);
    const path = "/v2/droplets/actions?tag_name=web";
    const { actions } = await api.expect(201, "POST", path, { type: "power_off" });
    assert.equal(actions.length, 2);
    for (const action of actions) await api.ended(action);
    const { droplets } = await api.expect(200, "GET", "/v2/droplets?tag_name=web");
    assert.deepEqual(
      droplets.map(({ status }: Json) => status),
      ["off", "off"],
    );
    await api.refuse(422, "POST", path, { type: "power_off" });
    assert.equal((await api.expect(201, "POST", path, { type: "enable_ipv6" })).actions.length, 2);
    assert.match(
      await api.refuse(422, "POST", path, { type: "rename", name: "x" }),
      /cannot be sent to a tag/,
    );
    assert.match(
      await api.refuse(422, "POST", "/v2/droplets/actions", { type: "power_off" }),
      /^tag_name is required/,
    );
    await api.refuse(404, "POST", "/v2/droplets/actions?tag_name=none", { type: "power_off" });
  });

  it("lists a droplet's actions and the account's, newest first, by page", async () => {
    await act({ type: "reboot" });
    await checkPaging(api, `/v2/droplets/${id}/actions`, "actions");
    await checkPaging(api, "/v2/actions", "actions");
    const { actions } = await api.expect(200, "GET", "/v2/actions");
    assert.deepEqual(
      actions.map(({ type }: Json) => type),
      ["reboot", "create"],
    );
    assert.equal(actions[0].region.slug, "nyc3");
    assert.equal(actions[0].parameters, undefined, "what an action carries inside is not shown");
  });

  it("answers 404 for unknown droplets and actions, and for another's action", async () => {
    const { links, droplet } = await api.expect(202, "POST", "/v2/droplets", GOOD);
    await api.refuse(404, "GET", "/v2/actions/1");
    await api.refuse(404, "GET", `/v2/droplets/${id}/actions/1`);
    await api.refuse(404, "GET", `/v2/droplets/${id}/actions/${links.actions[0].id}`);
    await api.expect(200, "GET", `/v2/droplets/${droplet.id}/actions/${links.actions[0].id}`);
    await api.refuse(404, "POST", "/v2/droplets/1/actions", { type: "reboot" });
    await api.refuse(404, "GET", "/v2/droplets/1/actions");
  });
});
