import assert from "node:assert/strict";
import { addDroplet, assertHolds, describeResource, withFields, without } from "./resourceTable";
import { type Json, TestApi } from "./testApi";

const inbound = (fields: Json) => ({
  inbound_rules: [{ protocol: "tcp", ports: "80", sources: { addresses: ["10.0.0.0/8"] }, ...fields }],
});
const badRule = (why: string, rule: Json, message: RegExp) => ({
  why: `a rule with ${why}`,
  body: withFields(inbound(rule)),
  message,
});
const badPorts = (ports: unknown, message: RegExp = /^inbound_rules\[0\]\.ports: /) =>
  badRule(`the ports ${JSON.stringify(ports)}`, { ports }, message);
const badAddress = (address: unknown) =>
  badRule(
    `the address ${JSON.stringify(address)}`,
    { sources: { addresses: [address] } },
    /^inbound_rules\[0\]\.sources\.addresses\[0\]/,
  );

describeResource({
  title: "firewalls",
  path: () => "/v2/firewalls",
  one: "firewall",
  many: "firewalls",
  created: 202,
  absent: "00000000-0000-4000-8000-000000000000",
  ground: async (api) => {
    const droplet = await addDroplet(api);
    await api.expect(201, "POST", "/v2/tags", { name: "web" });
    await api.expect(202, "POST", "/v2/firewalls", { name: "taken", ...inbound({}) });
    return { droplet };
  },
  body: ({ droplet }, n) => ({
    name: `fw-${n}`,
    inbound_rules: [
      { protocol: "tcp", ports: "22", sources: { addresses: ["0.0.0.0/0", "::/0"], tags: ["web"] } },
      { protocol: "udp", ports: "8000-9000", sources: { droplet_ids: [droplet.id] } },
    ],
    outbound_rules: [{ protocol: "tcp", ports: "all", destinations: { addresses: ["1.2.3.4"] } }],
    droplet_ids: [droplet.id],
    tags: ["web"],
  }),
  settled: (api, { id }) => settledFirewall(api, id),
  shown: (body, { droplet }) => ({
    name: "fw-0",
    status: "waiting",
    pending_changes: [{ droplet_id: droplet.id, removing: false, status: "waiting" }],
    inbound_rules: [body.inbound_rules[0], body.inbound_rules[1]],
    outbound_rules: [{ ...body.outbound_rules[0], ports: "0" }],
    droplet_ids: [droplet.id],
    tags: ["web"],
  }),
  changes: [
    [
      "PUT",
      (good) => ({ ...good, name: "renamed" }),
      { name: "renamed", tags: ["web"], status: "succeeded" },
    ],
    // A PUT replaces: what it does not name is gone.
    ["PUT", () => ({ name: "bare", ...inbound({}) }), { droplet_ids: [], tags: [], outbound_rules: [] }],
  ],
  bad: [
    { why: "no body", body: () => undefined, message: /^name is required/ },
    { why: "no name", body: without("name"), message: /^name is required/ },
    ...["", "a", "a_b", "a b", ".a", "-a", "a:b", "x".repeat(256)].map((name) => ({
      why: `the name "${name.slice(0, 10)}"`,
      body: withFields({ name }),
      message: /^name: invalid name/,
    })),
    {
      why: "a name that is taken",
      status: 409,
      body: withFields({ name: "taken" }),
      message: /^duplicate name$/,
    },
    {
      why: "no rules",
      body: without("inbound_rules", "outbound_rules"),
      message: /at least one rule/,
    },
    {
      why: "empty rules",
      body: withFields({ inbound_rules: [], outbound_rules: null }),
      message: /at least one rule/,
    },
    { why: "rules that are no list", body: withFields({ inbound_rules: {} }), message: /^inbound_rules: / },
    {
      why: "51 rules",
      body: withFields({
        inbound_rules: Array.from({ length: 50 }, (_, port) => ({
          protocol: "tcp",
          ports: String(port + 1),
          sources: { addresses: ["1.2.3.4"] },
        })),
      }),
      message: /at most 50/,
    },
    {
      why: "a droplet that is not there",
      body: withFields({ droplet_ids: [1] }),
      message: /^droplet does not exist/,
    },
    {
      why: "a droplet id that is a word",
      body: withFields({ droplet_ids: ["x"] }),
      message: /^droplet_ids\[0\]: /,
    },
    {
      why: "a tag that is not there",
      body: withFields({ tags: ["db"] }),
      message: /^tags: tag does not exist: db$/,
    },
    badRule("no protocol", { protocol: undefined }, /^inbound_rules\[0\]\.protocol is required/),
    badRule("an unknown protocol", { protocol: "sctp" }, /^inbound_rules\[0\]\.protocol: /),
    badRule("no ports", { ports: undefined }, /^inbound_rules\[0\]\.ports: /),
    badPorts(""),
    badPorts("any"),
    badPorts("0-80"),
    badPorts("65536"),
    badPorts("1-65536"),
    badPorts("80,443"),
    badPorts("-1"),
    badPorts(1.5),
    badPorts("9000-8000", /^invalid port range$/),
    badRule("no sources", { sources: undefined }, /^inbound_rules\[0\]\.sources is required/),
    badRule("sources that are a list", { sources: [] }, /^inbound_rules\[0\]\.sources: /),
    ...["drop", "Deny", "", null, 1].map((action) =>
      badRule(`the action ${JSON.stringify(action)}`, { action }, /^inbound_rules\[0\]\.action: /),
    ),
    badAddress("10.0.0.0/33"),
    badAddress("10.0.0"),
    badAddress("10.0.0.256"),
    badAddress("2001:db8::/129"),
    badAddress("example.com"),
    badAddress(""),
    badAddress(7),
    badRule("a droplet that is not there", { sources: { droplet_ids: [1] } }, /droplet does not exist: 1$/),
    badRule("a tag that is not there", { sources: { tags: ["db"] } }, /tag does not exist: db$/),
    badRule(
      "a load balancer that is not there",
      { sources: { load_balancer_uids: ["00000000-0000-4000-8000-000000000000"] } },
      /load balancer does not exist/,
    ),
    badRule("a cluster", { sources: { kubernetes_ids: ["x"] } }, /Kubernetes cluster does not exist/),
    {
      why: "an outbound rule without destinations",
      body: withFields({ outbound_rules: [{ protocol: "tcp", ports: "80", sources: {} }] }),
      message: /^outbound_rules\[0\]\.destinations is required/,
    },
    {
      why: "a rule that is there twice",
      body: (good) => ({ ...good, inbound_rules: [good.inbound_rules[0], good.inbound_rules[0]] }),
      message: /^duplicate rule: tcp 22$/,
    },
  ],
});

async function settledFirewall(api: TestApi, id: string): Promise<Json> {
  const answer = await api.until(
    "the firewall is in force",
    () => api.expect(200, "GET", `/v2/firewalls/${id}`),
    ({ firewall }) => firewall.status === "succeeded",
  );
  assert.deepEqual(answer.firewall.pending_changes, []);
  return answer.firewall;
}

describe("sandbox api: firewalls", () => {
  let api: TestApi;
  beforeEach(async () => {
    api = await TestApi.start();
  });
  afterEach(() => api.close());

  const add = async (fields: Json = {}): Promise<Json> =>
    (await api.expect(202, "POST", "/v2/firewalls", { name: "fw", ...inbound({}), ...fields })).firewall;
  const read = async (id: string): Promise<Json> =>
    (await api.expect(200, "GET", `/v2/firewalls/${id}`)).firewall;

  // What DigitalOcean makes of them, as observed at its API.
  const kept: [why: string, rule: Json, shown: Json][] = [
    ["an icmp rule without ports", { protocol: "icmp", ports: undefined }, { protocol: "icmp", ports: "0" }],
    ["an icmp rule with ports", { protocol: "icmp", ports: "80" }, { ports: "0" }],
    ["a port that is a number", { ports: 22 }, { ports: "22" }],
    ["all ports by name", { ports: "all" }, { ports: "0" }],
    ["all ports as shown", { ports: "0" }, { ports: "0" }],
    ["a protocol in capitals", { protocol: "TCP" }, { protocol: "tcp" }],
    ["a bare address", { sources: { addresses: ["1.2.3.4"] } }, { sources: { addresses: ["1.2.3.4"] } }],
    ["sources that are nobody", { sources: {} }, { sources: {} }],
    ["null for what is not given", { sources: { tags: null, droplet_ids: null } }, { sources: {} }],
    ["the action of an answer", { action: "allow" }, { action: "allow" }],
    ["a rule that denies", { action: "deny" }, { action: "deny", ports: "80", protocol: "tcp" }],
  ];
  for (const [why, rule, shown] of kept) {
    it(`keeps ${why}`, async () => {
      const firewall = await add(inbound(rule));
      assertHolds(firewall.inbound_rules[0], shown);
      // What is answered can be sent back.
      const again = await api.expect(200, "PUT", `/v2/firewalls/${firewall.id}`, firewall);
      assert.deepEqual(again.firewall, firewall);
    });
  }

  it("is in force at once where it protects nobody", async () => {
    assertHolds(await add(), { status: "succeeded", pending_changes: [], outbound_rules: [], tags: [] });
  });

  it("waits for the droplets that it comes to, changes on, and leaves", async () => {
    const [one, two] = [await addDroplet(api, { tags: ["web"] }), await addDroplet(api)];
    const firewall = await add({ tags: ["web"] });
    const waiting = (id: number, removing: boolean) => ({ droplet_id: id, removing, status: "waiting" });
    assert.deepEqual(firewall.pending_changes, [waiting(one.id, false)]);
    await settledFirewall(api, firewall.id);
    const path = `/v2/firewalls/${firewall.id}`;
    const moved = await api.expect(200, "PUT", path, { ...firewall, tags: [], droplet_ids: [two.id] });
    assert.deepEqual(moved.firewall.pending_changes, [waiting(two.id, false), waiting(one.id, true)]);
    await settledFirewall(api, firewall.id);
    const rules = { ...inbound({ ports: "81" }) };
    const changed = await api.expect(200, "PUT", path, { ...moved.firewall, ...rules });
    assert.deepEqual(changed.firewall.pending_changes, [waiting(two.id, false)]);
  });

  it("adds and removes droplets, tags and rules", async () => {
    const droplet = await addDroplet(api);
    await api.expect(201, "POST", "/v2/tags", { name: "web" });
    const { id } = await add();
    const path = `/v2/firewalls/${id}`;
    const rule = { protocol: "tcp", ports: "443", sources: { addresses: ["::/0"] } };
    const icmp = { protocol: "icmp", destinations: { tags: ["web"] } };
    await api.expect(204, "POST", `${path}/droplets`, { droplet_ids: [droplet.id] });
    await api.expect(204, "POST", `${path}/tags`, { tags: ["web"] });
    await api.expect(204, "POST", `${path}/rules`, { inbound_rules: [rule], outbound_rules: [icmp] });
    const full = await settledFirewall(api, id);
    assertHolds(full, { droplet_ids: [droplet.id], tags: ["web"] });
    assert.deepEqual(
      full.inbound_rules.map(({ ports }: Json) => ports),
      ["80", "443"],
    );
    assert.deepEqual(full.outbound_rules, [{ ...icmp, ports: "0" }]);
    const of = await api.expect(200, "GET", `/v2/droplets/${droplet.id}/firewalls`);
    assert.deepEqual(of.firewalls, [full]);
    assert.match(
      await api.refuse(422, "POST", `${path}/rules`, { inbound_rules: [rule] }),
      /^duplicate rule: tcp 443$/,
    );
    await api.expect(204, "DELETE", `${path}/rules`, { inbound_rules: [rule], outbound_rules: [icmp] });
    await api.expect(204, "DELETE", `${path}/tags`, { tags: ["web"] });
    await api.expect(204, "DELETE", `${path}/droplets`, { droplet_ids: [droplet.id] });
    const bare = await settledFirewall(api, id);
    assertHolds(bare, { droplet_ids: [], tags: [], outbound_rules: [] });
    assert.equal(bare.inbound_rules.length, 1);
    assert.deepEqual((await api.expect(200, "GET", `/v2/droplets/${droplet.id}/firewalls`)).firewalls, []);
  });

  it("keeps a rule that denies beside one that allows the same, and removes the one that is named", async () => {
    const { id } = await add();
    const path = `/v2/firewalls/${id}/rules`;
    const deny = inbound({ action: "deny" });
    const actions = async () => (await read(id)).inbound_rules.map(({ action }: Json) => action);
    await api.expect(204, "POST", path, deny);
    assert.deepEqual(await actions(), [undefined, "deny"]);
    assert.match(await api.refuse(422, "POST", path, deny), /^duplicate rule: deny tcp 80$/);
    await api.restart();
    await api.expect(204, "DELETE", path, inbound({}));
    assert.deepEqual(await actions(), ["deny"]);
    assert.match(await api.refuse(422, "DELETE", path, inbound({})), /no such rule: tcp 80$/);
  });

  const badParts: [method: string, part: string, body: unknown, message: RegExp][] = [
    ["POST", "droplets", undefined, /^droplet_ids is required/],
    ["POST", "droplets", { droplet_ids: [1] }, /^droplet does not exist: 1$/],
    ["POST", "droplets", { droplet_ids: [] }, /^droplet_ids: /],
    ["DELETE", "droplets", undefined, /^droplet_ids is required/],
    ["POST", "tags", {}, /^tags is required/],
    ["POST", "tags", { tags: ["nobody"] }, /^tags: tag does not exist: nobody$/],
    ["DELETE", "tags", {}, /^tags is required/],
    ["POST", "rules", {}, /^inbound_rules or outbound_rules is required$/],
    ["POST", "rules", inbound({ ports: "x" }), /^inbound_rules\[0\]\.ports: /],
    ["DELETE", "rules", inbound({ ports: "81" }), /no such rule: tcp 81$/],
    ["DELETE", "rules", inbound({}), /at least one rule/],
  ];
  for (const [method, part, body, message] of badParts) {
    it(`refuses ${method} /${part} of ${JSON.stringify(body)}`, async () => {
      const firewall = await add();
      assert.match(await api.refuse(422, method, `/v2/firewalls/${firewall.id}/${part}`, body), message);
      assert.deepEqual(await read(firewall.id), firewall);
      await api.refuse(404, method, `/v2/firewalls/00000000-0000-4000-8000-000000000000/${part}`, body);
    });
  }

  it("refuses to rename to a name that is taken, and keeps its own", async () => {
    await add({ name: "one" });
    const two = await add({ name: "two" });
    const path = `/v2/firewalls/${two.id}`;
    assert.match(await api.refuse(409, "PUT", path, { ...two, name: "one" }), /^duplicate name$/);
    await api.expect(200, "PUT", path, { ...two, name: "two" });
  });

  it("refuses an eleventh droplet and a sixth tag", async () => {
    const tags = ["a", "b", "c", "d", "e", "f"];
    const ids: number[] = [];
    for (let n = 0; n < 11; n++) ids.push((await addDroplet(api, { tags })).id);
    assert.match(
      await api.refuse(422, "POST", "/v2/firewalls", { name: "fw", ...inbound({}), droplet_ids: ids }),
      /at most 10/,
    );
    assert.match(
      await api.refuse(422, "POST", "/v2/firewalls", { name: "fw", ...inbound({}), tags }),
      /at most 5$/,
    );
    await add({ droplet_ids: ids.slice(1), tags: tags.slice(1) });
  });

  it("forgets what is deleted, and never opens a rule by it", async () => {
    const droplet = await addDroplet(api, { tags: ["web"] });
    const firewall = await add({
      ...inbound({ sources: { droplet_ids: [droplet.id], tags: ["web"] } }),
      droplet_ids: [droplet.id],
      tags: ["web"],
    });
    await settledFirewall(api, firewall.id);
    await api.expect(204, "DELETE", `/v2/droplets/${droplet.id}`);
    assertHolds(await read(firewall.id), { droplet_ids: [], tags: ["web"] });
    assert.deepEqual((await read(firewall.id)).inbound_rules[0].sources, { tags: ["web"] });
    await api.expect(204, "DELETE", "/v2/tags/web");
    assert.deepEqual((await read(firewall.id)).inbound_rules[0].sources, {});
    assert.deepEqual((await read(firewall.id)).tags, []);
  });

  it("tells the host driver of every change, and of a failure", async () => {
    await api.close();
    const seen: string[] = [];
    let broken = false;
    api = await TestApi.start({
      host: {
        apply: async (change) => {
          seen.push(change.kind);
          if (broken && change.kind === "firewalls") throw new Error("no nftables");
        },
      },
    });
    const droplet = await addDroplet(api);
    const firewall = await add({ droplet_ids: [droplet.id] });
    await settledFirewall(api, firewall.id);
    assert.ok(seen.includes("firewalls"));
    broken = true;
    await api.expect(200, "PUT", `/v2/firewalls/${firewall.id}`, {
      ...firewall,
      ...inbound({ ports: "81" }),
    });
    const { firewall: failed } = await api.until(
      "the firewall has failed",
      () => api.expect(200, "GET", `/v2/firewalls/${firewall.id}`),
      (answer) => answer.firewall.status !== "waiting",
    );
    assert.equal(failed.status, "failed");
  });
});
