import assert from "node:assert/strict";
import { ACCOUNT_EMAIL } from "../../../sandbox/api/resources/account";
import { addDroplet, assertHolds, describeResource, withFields, without } from "./resourceTable";
import { type Json, TestApi } from "./testApi";

const SLACK = { channel: "ops", url: "https://hooks.slack.com/services/T1234567/AAAAAAAA/ZZZZZZ" };
const ABSENT = "00000000-0000-4000-8000-000000000000";
const missing = (field: string) => ({
  why: `no ${field}`,
  status: 400,
  body: without(field),
  message: new RegExp(`^${field}`),
});
const bad = (field: string, value: unknown, message = new RegExp(`^${field}`)) => ({
  why: `${field} ${JSON.stringify(value)}`,
  status: 400,
  body: withFields({ [field]: value }),
  message,
});

describeResource({
  title: "monitoring alerts",
  path: () => "/v2/monitoring/alerts",
  one: "policy",
  many: "policies",
  created: 200,
  absent: ABSENT,
  id: ({ uuid }) => uuid,
  ground: async (api) => ({ droplet: await addDroplet(api, { tags: ["web"] }) }),
  body: ({ droplet }, n) => ({
    type: "v1/insights/droplet/cpu",
    description: `CPU ${n}`,
    compare: "GreaterThan",
    value: 80.5,
    window: "5m",
    entities: [String(droplet.id)],
    tags: ["web"],
    alerts: { email: [ACCOUNT_EMAIL], slack: [SLACK] },
    enabled: true,
  }),
  shown: (body) => body,
  changes: [
    ["PUT", (good) => ({ ...good, value: 90, enabled: false }), { value: 90, enabled: false }],
    [
      "PUT",
      (good) => ({ ...good, alerts: { email: null, slack: [SLACK] } }),
      { alerts: { email: [], slack: [SLACK] } },
    ],
    // As Go clients send it.
    [
      "PUT",
      (good) => ({ ...good, entities: null, tags: null, alerts: { email: [ACCOUNT_EMAIL], slack: null } }),
      { entities: [], tags: [], alerts: { email: [ACCOUNT_EMAIL], slack: [] } },
    ],
  ],
  bad: [
    { why: "no body", status: 400, body: () => undefined, message: /^type/ },
    ...["type", "description", "compare", "value", "window", "alerts", "enabled"].map(missing),
    bad("type", "v1/insights/droplet/cpus"),
    bad("type", ""),
    bad("description", ""),
    bad("compare", "EqualTo"),
    bad("value", "80"),
    bad("value", -1),
    bad("window", "7m"),
    bad("entities", ["1"], /^entities\[0\]: there is no droplet 1$/),
    bad("entities", [{}]),
    bad("tags", ["a b"]),
    bad("enabled", "yes"),
    bad("alerts", {}, /^alerts: name at least one/),
    bad("alerts", { email: [], slack: null }, /^alerts: name at least one/),
    bad(
      "alerts",
      { email: ["someone@example.org"] },
      /^alerts\.email\[0\]: invalid email 'someone@example\.org'/,
    ),
    bad("alerts", { slack: [{ channel: "ops" }] }, /^alerts\.slack\[0\]\.url/),
    bad("alerts", { slack: [{ ...SLACK, url: "http://example.com" }] }, /^alerts\.slack\[0\]\.url/),
    bad("alerts", { slack: [{ ...SLACK, channel: "" }] }, /^alerts\.slack\[0\]\.channel/),
    {
      why: "a droplet where a load balancer is to be",
      status: 400,
      body: withFields({ type: "v1/insights/lbaas/droplet_health" }),
      message: /^entities\[0\]: there is no loadbalancer/,
    },
    {
      why: "a database",
      status: 400,
      body: withFields({ type: "v1/dbaas/alerts/cpu_alerts", entities: [ABSENT] }),
      message: /^entities\[0\]: there is no dbaas/,
    },
  ],
});

describe("sandbox api: monitoring alerts", () => {
  let api: TestApi;
  beforeEach(async () => {
    api = await TestApi.start();
  });
  afterEach(() => api.close());

  const add = async (fields: Json): Promise<Json> => {
    const body = {
      type: "v1/insights/droplet/memory_utilization_percent",
      description: "d",
      compare: "LessThan",
      value: 1,
      window: "1h",
      entities: [],
      tags: [],
      alerts: { email: [ACCOUNT_EMAIL.toUpperCase()] },
      enabled: true,
      ...fields,
    };
    return (await api.expect(200, "POST", "/v2/monitoring/alerts", body)).policy;
  };
  const read = async ({ uuid }: Json): Promise<Json> =>
    (await api.expect(200, "GET", `/v2/monitoring/alerts/${uuid}`)).policy;

  it("watches load balancers, and lets go of what is deleted", async () => {
    const rule = { entry_protocol: "http", entry_port: 80, target_protocol: "http", target_port: 80 };
    const balancer = { name: "lb", region: "nyc3", forwarding_rules: [rule] };
    const { id } = (await api.expect(202, "POST", "/v2/load_balancers", balancer)).load_balancer;
    const droplet = await addDroplet(api, { tags: ["web"] });
    const ofBalancer = await add({ type: "v1/insights/lbaas/droplet_health", entities: [id] });
    const ofDroplet = await add({ entities: [droplet.id], tags: ["web"] });
    assertHolds(ofDroplet, { entities: [String(droplet.id)] });
    await api.expect(204, "DELETE", `/v2/load_balancers/${id}`);
    await api.expect(204, "DELETE", `/v2/droplets/${droplet.id}`);
    await api.expect(204, "DELETE", "/v2/tags/web");
    assert.deepEqual((await read(ofBalancer)).entities, []);
    assertHolds(await read(ofDroplet), { entities: [], tags: [] });
  });

  it("makes the tags that it names", async () => {
    await add({ tags: ["later"] });
    await api.expect(200, "GET", "/v2/tags/later");
  });
});
