import assert from "node:assert/strict";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { checkPaging, type Json, TestApi } from "./testApi";

const UNKNOWN = "5a4981aa-9653-4bd1-bef5-d6bff52042e4";
const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICN9QkdcA4CCpMgKedaRBbhth9HsG1GHJk2+VHQIYKok key0@example";
const GOOD = { name: "web-1", region: "nyc3", size: "s-1vcpu-1gb", image: "ubuntu-24-04-x64" };
const SECRET = "correct-horse-battery-staple";

describe("sandbox api: droplets", () => {
  let api: TestApi;
  const make = async (body: object = {}): Promise<Json> =>
    (await api.expect(202, "POST", "/v2/droplets", { ...GOOD, ...body })).droplet;
  const active = (id: number): Promise<Json> =>
    api
      .until(
        `droplet ${id} is active`,
        () => api.expect(200, "GET", `/v2/droplets/${id}`),
        ({ droplet }) => droplet.status === "active",
      )
      .then(({ droplet }) => droplet);
  beforeEach(async () => {
    api = await TestApi.start();
  });
  afterEach(() => api.close());

  it("creates one, which becomes active with addresses, reads it back, deletes it", async () => {
    const { droplet, links } = await api.expect(202, "POST", "/v2/droplets", {
      ...GOOD,
      tags: ["web"],
      monitoring: true,
    });
    assert.deepEqual([droplet.status, droplet.networks], ["new", { v4: [], v6: [] }]);
    assert.equal(links.actions[0].rel, "create");
    assert.equal(links.actions[0].href, `${api.url}/v2/actions/${links.actions[0].id}`);
    const action = await api.ended(links.actions[0]);
    assert.deepEqual([action.status, action.type, action.resource_id], ["completed", "create", droplet.id]);

    const shown = await active(droplet.id);
    assert.deepEqual(shown, { ...droplet, status: "active", networks: shown.networks });
    assert.deepEqual(
      [
        shown.memory,
        shown.vcpus,
        shown.disk,
        shown.size_slug,
        shown.region.slug,
        shown.image.slug,
        shown.tags,
      ],
      [1024, 1, 25, "s-1vcpu-1gb", "nyc3", "ubuntu-24-04-x64", ["web"]],
    );
    const [outside, inside] = shown.networks.v4;
    assert.equal(outside.type, "public");
    assert.match(outside.ip_address, /^198\.1[89]\./, "from a range that nobody on the internet has");
    assert.equal(inside.type, "private");
    const { vpc } = await api.expect(200, "GET", `/v2/vpcs/${shown.vpc_uuid}`);
    assert.equal(inside.ip_address, vpc.ip_range.replace(/0\/20$/, "2"));
    assert.equal(inside.netmask, "255.255.240.0");
    assert.equal(inside.gateway, vpc.ip_range.replace(/0\/20$/, "1"));

    await api.restart();
    assert.deepEqual(await active(droplet.id), shown, "nothing changed with a restart");
    await api.expect(204, "DELETE", `/v2/droplets/${droplet.id}`);
    await api.refuse(404, "GET", `/v2/droplets/${droplet.id}`);
    await api.refuse(404, "DELETE", `/v2/droplets/${droplet.id}`);
  });

  it("creates several of one body", async () => {
    const { name: _none, ...body } = GOOD;
    const { droplets, links } = await api.expect(202, "POST", "/v2/droplets", {
      ...body,
      names: ["a", "b", "c"],
    });
    assert.deepEqual(
      droplets.map((one: Json) => one.name),
      ["a", "b", "c"],
    );
    assert.equal(links.actions.length, 3);
    assert.equal(links.actions[0].rel, "multiple_create");
    for (const { id } of droplets) await active(id);
  });

  it("takes the VPC's region, else a region of its own choice", async () => {
    const { region: _none, ...body } = GOOD;
    const { vpc } = await api.expect(201, "POST", "/v2/vpcs", { name: "v", region: "fra1" });
    const inVpc = await api.expect(202, "POST", "/v2/droplets", { ...body, vpc_uuid: vpc.id });
    assert.equal(inVpc.droplet.region.slug, "fra1");
    const anywhere = await api.expect(202, "POST", "/v2/droplets", body);
    assert.equal(anywhere.droplet.region.available, true);
  });

  it("takes what the official provider sends", async () => {
    const { ssh_key } = await api.expect(201, "POST", "/v2/account/keys", { name: "k", public_key: KEY });
    const { vpc } = await api.expect(201, "POST", "/v2/vpcs", { name: "v", region: "nyc3" });
    await make({
      ssh_keys: [ssh_key.id],
      backups: false,
      ipv6: false,
      private_networking: false,
      monitoring: true,
      user_data: "#cloud-config\n",
      tags: ["web"],
      vpc_uuid: vpc.id,
      with_droplet_agent: true,
    });
    await make({
      ssh_keys: [ssh_key.fingerprint],
      tags: null,
      volumes: null,
      backup_policy: null,
      vpc_uuid: "",
    });
  });

  const features: [body: object, expected: string[]][] = [
    [{}, ["droplet_agent", "private_networking"]],
    [{ with_droplet_agent: false }, ["private_networking"]],
    [{ monitoring: true }, ["monitoring", "droplet_agent", "private_networking"]],
    [{ ipv6: true }, ["droplet_agent", "ipv6", "private_networking"]],
    [{ backups: true }, ["backups", "droplet_agent", "private_networking"]],
  ];
  it("shows its features", async () => {
    for (const [body, expected] of features) assert.deepEqual((await make(body)).features, expected);
  });

  it("has an IPv6 address where asked for, and no public one where not wanted", async () => {
    const six = await active((await make({ ipv6: true })).id);
    assert.match(six.networks.v6[0].ip_address, /^2001:db8:/);
    const inner = await active((await make({ public_networking: false })).id);
    assert.deepEqual(
      inner.networks.v4.map(({ type }: Json) => type),
      ["private"],
    );
  });

  it("never gives an address twice, and keeps them over deletions and restarts", async () => {
    const { vpc } = await api.expect(201, "POST", "/v2/vpcs", {
      name: "v",
      region: "nyc3",
      ip_range: "10.50.0.0/24",
    });
    const ids: number[] = [];
    for (let i = 0; i < 6; i++) ids.push((await make({ vpc_uuid: vpc.id })).id);
    const before = new Map<number, string>();
    for (const id of ids) before.set(id, JSON.stringify((await active(id)).networks));
    await api.expect(204, "DELETE", `/v2/droplets/${ids[2]}`);
    await api.restart();
    for (let i = 0; i < 3; i++) ids.push((await make({ vpc_uuid: vpc.id })).id);
    const seen = new Set<string>();
    for (const id of ids.filter((one) => one !== ids[2])) {
      const { networks } = await active(id);
      if (before.has(id)) assert.equal(JSON.stringify(networks), before.get(id));
      for (const { ip_address } of networks.v4) {
        assert.ok(!seen.has(ip_address), `${ip_address} twice`);
        seen.add(ip_address);
      }
    }
  });

  it("refuses a droplet for which the VPC has no address left", async () => {
    const { vpc } = await api.expect(201, "POST", "/v2/vpcs", {
      name: "v",
      region: "nyc3",
      ip_range: "10.50.0.0/28",
    });
    const body = { ...GOOD, name: undefined, vpc_uuid: vpc.id };
    await api.expect(202, "POST", "/v2/droplets", { ...body, names: [..."abcdefghij"] });
    const message = await api.refuse(422, "POST", "/v2/droplets", { ...body, names: [..."abcdef"] });
    assert.match(message, /no address left/);
    assert.equal((await api.get("/v2/droplets")).body.meta.total, 10, "all of a request or nothing");
  });

  it("filters by tag, by name and by type; lists by page", async () => {
    await make({ name: "a", tags: ["web", "Blue"] });
    await make({ name: "b", tags: ["web"] });
    await make({ name: "b" });
    const names = async (query: string) =>
      (await api.expect(200, "GET", `/v2/droplets?${query}`)).droplets.map((one: Json) => one.name);
    assert.deepEqual(await names("tag_name=web"), ["a", "b"]);
    assert.deepEqual(await names("tag_name=blue"), ["a"]);
    assert.deepEqual(await names("tag_name=none"), []);
    assert.deepEqual(await names("name=b"), ["b", "b"]);
    assert.deepEqual(await names("type=gpus"), []);
    assert.deepEqual(await names("type=droplets"), ["a", "b", "b"]);
    assert.match(await api.refuse(422, "GET", "/v2/droplets?type=x"), /^type: /);
    await checkPaging(api, "/v2/droplets", "droplets");
  });

  it("deletes all droplets of a tag", async () => {
    await make({ tags: ["old"] });
    await make({ tags: ["old"] });
    const kept = await make({ tags: ["new"] });
    assert.match(await api.refuse(422, "DELETE", "/v2/droplets"), /^tag_name is required/);
    await api.refuse(404, "DELETE", "/v2/droplets?tag_name=never");
    await api.expect(204, "DELETE", "/v2/droplets?tag_name=old");
    const { droplets } = await api.expect(200, "GET", "/v2/droplets");
    assert.deepEqual(
      droplets.map(({ id }: Json) => id),
      [kept.id],
    );
  });

  it("lists what belongs to one: snapshots, backups, kernels, neighbors, policies, actions", async () => {
    const { id } = await make({ backups: true, backup_policy: { plan: "weekly", weekday: "TUE", hour: 8 } });
    await active(id);
    for (const list of ["snapshots", "backups", "kernels", "neighbors"]) {
      const body = await api.expect(200, "GET", `/v2/droplets/${id}/${list}`);
      assert.deepEqual(body[list === "neighbors" ? "droplets" : list], []);
      await api.refuse(404, "GET", `/v2/droplets/1/${list}`);
    }
    const { policy } = await api.expect(200, "GET", `/v2/droplets/${id}/backups/policy`);
    assert.equal(policy.backup_enabled, true);
    assert.deepEqual(policy.backup_policy, {
      plan: "weekly",
      weekday: "TUE",
      hour: 8,
      window_length_hours: 4,
      retention_period_days: 28,
    });
    const start = new Date(policy.next_backup_window.start);
    assert.deepEqual([start.getUTCDay(), start.getUTCHours(), start > new Date()], [2, 8, true]);
    await make();
    const { policies, meta } = await api.expect(200, "GET", "/v2/droplets/backups/policies");
    assert.equal(meta.total, 2);
    assert.deepEqual(policies[id], policy);
    const { supported_policies } = await api.expect(200, "GET", "/v2/droplets/backups/supported_policies");
    assert.deepEqual(
      supported_policies.map(({ name }: Json) => name),
      ["weekly", "daily"],
    );
    await api.refuse(404, "GET", "/v2/droplets/1/backups/policy");
  });

  it("takes its volumes with it, and gives them back when it goes", async () => {
    const { volume } = await api.expect(201, "POST", "/v2/volumes", {
      name: "v",
      region: "nyc3",
      size_gigabytes: 10,
    });
    const droplet = await make({ volumes: [volume.id] });
    const { volume: other } = await api.expect(201, "POST", "/v2/volumes", {
      name: "w",
      region: "nyc3",
      size_gigabytes: 1,
    });
    for (const volumes of [[{ id: other.id }], [{ name: "w" }]]) {
      const { id, volume_ids } = await make({ volumes });
      assert.deepEqual(volume_ids, [other.id], "as DigitalOcean's Go client sends it");
      await api.expect(204, "DELETE", `/v2/droplets/${id}`);
    }
    assert.deepEqual(droplet.volume_ids, [volume.id]);
    const ids = async () => (await api.expect(200, "GET", `/v2/volumes/${volume.id}`)).volume.droplet_ids;
    assert.deepEqual(await ids(), [droplet.id]);
    await api.expect(204, "DELETE", `/v2/droplets/${droplet.id}`);
    assert.deepEqual(await ids(), []);
  });

  it("keeps the user data from every answer, and from every other user of the machine", async () => {
    const user_data = `#cloud-config\npassword: ${SECRET}\n`;
    const { id } = await make({ user_data });
    await active(id);
    const paths = ["", "/actions", "/snapshots", "/backups/policy", "/destroy_with_associated_resources"];
    for (const path of [...paths.map((one) => `/v2/droplets/${id}${one}`), "/v2/droplets", "/v2/actions"]) {
      assert.doesNotMatch(JSON.stringify(await api.expect(200, "GET", path)), new RegExp(SECRET), path);
    }
    const mode = async (path: string) => (await stat(path)).mode & 0o777;
    const files = (await readdir(api.stateDir, { recursive: true })).map((name) => join(api.stateDir, name));
    let found = 0;
    for (const file of files) {
      const isDirectory = (await stat(file)).isDirectory();
      assert.equal(await mode(file), isDirectory ? 0o700 : 0o600, file);
      if (!isDirectory && (await readFile(file, "utf8")).includes(SECRET)) found++;
    }
    assert.equal(found, 1);
    await api.expect(204, "DELETE", `/v2/droplets/${id}`);
    await api.until(
      "the user data's file is gone",
      () => readdir(join(api.stateDir, "files")),
      (names) => names.length === 0,
    );
  });

  const bad: [why: string, body: object, message: RegExp][] = [
    ["no name", { name: undefined }, /^name is required/],
    ["an empty name", { name: "" }, /^name: /],
    ["a name with an underscore", { name: "web_1" }, /^name: Only valid hostname characters/],
    ["a name that ends with a dash", { name: "web-" }, /^name: /],
    ["a name of 256 characters", { name: "x".repeat(256) }, /^name: must be at most 255/],
    ["a name that is a number", { name: 7 }, /^name: /],
    ["eleven names", { names: [..."abcdefghijk"] }, /^names: must be at most 10/],
    ["no names", { names: [] }, /^names: /],
    ["a wrong name among names", { names: ["a", "b c"] }, /^names\[1\]: Only valid/],
    ["an unknown region", { region: "mars1" }, /^You specified an invalid region for Droplet creation\.$/],
    ["a closed region", { region: "sfo1" }, /^Region is not available$/],
    ["no size", { size: undefined }, /^size is required/],
    ["an unknown size", { size: "s-99vcpu-1gb" }, /^You specified an invalid size for Droplet creation\.$/],
    ["no image", { image: undefined }, /^image/],
    ["an unknown image", { image: "windows-95" }, /^You specified an invalid image for Droplet creation\.$/],
    ["an unknown image id", { image: 1 }, /^You specified an invalid image for Droplet creation\.$/],
    ["an unknown key", { ssh_keys: [1] }, /^1 are invalid key identifiers for Droplet creation\.$/],
    [
      "an unknown fingerprint",
      { ssh_keys: ["aa:bb"] },
      /^aa:bb are invalid key identifiers for Droplet creation\.$/,
    ],
    ["keys that are no list", { ssh_keys: "1" }, /^ssh_keys: /],
    ["an unknown VPC", { vpc_uuid: UNKNOWN }, new RegExp(`^vpc_uuid: there is no VPC "${UNKNOWN}"`)],
    ["a VPC that is no UUID", { vpc_uuid: "v" }, /^vpc_uuid: /],
    ["a VPC of another region", { vpc_uuid: "AMS3" }, /^vpc_uuid: the VPC is in ams3/],
    ["a tag with a space", { tags: ["a b"] }, /^tags\[0\]: /],
    ["tags that are no list", { tags: "web" }, /^tags: /],
    [
      "user data of 64 KiB and a byte",
      { user_data: "x".repeat(65_537) },
      /^user_data: is 65537 bytes.*65536/,
    ],
    [
      "user data of 64 KiB in characters, more in bytes",
      { user_data: "é".repeat(40_000) },
      /^user_data: is 80000/,
    ],
    ["an unknown volume", { volumes: [UNKNOWN] }, /^volumes: there is no volume/],
    ["a volume of another region", { volumes: ["AMS3"] }, /in ams3/],
    ["backups that are no boolean", { backups: "yes" }, /^backups: must be true or false$/],
    [
      "an unknown backup plan",
      { backups: true, backup_policy: { plan: "hourly" } },
      /^backup_policy.plan: must be daily or weekly/,
    ],
    ["a backup at 3", { backups: true, backup_policy: { plan: "daily", hour: 3 } }, /^backup_policy.hour: /],
  ];
  it("refuses wrong bodies, says what is wrong, and makes nothing of them", async () => {
    const { vpc } = await api.expect(201, "POST", "/v2/vpcs", { name: "ams", region: "ams3" });
    const volume = { name: "ams", region: "ams3", size_gigabytes: 1 };
    const { id } = (await api.expect(201, "POST", "/v2/volumes", volume)).volume;
    for (const [why, change, message] of bad) {
      const body = JSON.parse(
        JSON.stringify({ ...GOOD, ...change }).replace('"vpc_uuid":"AMS3"', `"vpc_uuid":"${vpc.id}"`),
      );
      if (body.volumes?.[0] === "AMS3") body.volumes = [id];
      if (body.names) delete body.name;
      assert.match(await api.refuse(422, "POST", "/v2/droplets", body), message, why);
    }
    assert.equal((await api.get("/v2/droplets")).body.meta.total, 0);
    await make({ user_data: "x".repeat(65_536) });
  });

  it("lets two droplets have one name, as DigitalOcean does", async () => {
    const [a, b] = [await make(), await make()];
    assert.notEqual(a.id, b.id);
  });

  it("never gives an id twice, not even that of the last one deleted", async () => {
    const first = await make();
    await api.expect(204, "DELETE", `/v2/droplets/${first.id}`);
    await api.restart();
    assert.ok((await make()).id > first.id);
  });
});
