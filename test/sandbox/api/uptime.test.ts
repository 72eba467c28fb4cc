import assert from "node:assert/strict";
import type { Observer } from "../../../sandbox/api/core/observer";
import { ACCOUNT_EMAIL } from "../../../sandbox/api/resources/account";
import { assertHolds, describeResource, withFields, without } from "./resourceTable";
import { type Json, TestApi } from "./testApi";

const ABSENT = "00000000-0000-4000-8000-000000000000";
const SLACK = { channel: "ops", url: "https://hooks.slack.com/services/T1234567/AAAAAAAA/ZZZZZZ" };
const CHECK = {
  name: "site",
  type: "https",
  target: "https://www.example.com/path?x=1",
  regions: ["us_east", "eu_west"],
  enabled: true,
};
const missing = (field: string) => ({
  why: `no ${field}`,
  status: 400,
  body: without(field),
  message: new RegExp(`^${field}`),
});
const bad = (fields: Json, message = new RegExp(`^${Object.keys(fields)[0]}`)) => ({
  why: JSON.stringify(fields),
  status: 400,
  body: withFields(fields),
  message,
});

describeResource({
  title: "uptime checks",
  path: () => "/v2/uptime/checks",
  one: "check",
  many: "checks",
  created: 201,
  absent: ABSENT,
  body: (_ground, n) => ({ ...CHECK, name: `site ${n}` }),
  shown: (body) => body,
  changes: [
    ["PUT", (good) => ({ ...good, enabled: false }), { enabled: false, name: "site 0" }],
    ["PUT", () => ({ name: "renamed" }), { name: "renamed", enabled: false, target: CHECK.target }],
    [
      "PUT",
      () => ({ type: "ping", target: "https://192.0.2.1", regions: ["se_asia"] }),
      { type: "ping", target: "https://192.0.2.1" },
    ],
  ],
  bad: [
    { why: "no body", status: 400, body: () => undefined, message: /^name is required/ },
    ...["name", "type", "target", "regions", "enabled"].map(missing),
    bad({ name: "" }),
    bad({ type: "tcp" }),
    bad({ target: "www.example.com" }),
    bad({ target: "ftp://example.com" }),
    bad({ target: "" }),
    bad({ type: "ping", target: "not a host" }, /^target/),
    bad({ regions: [] }),
    bad({ regions: ["mars"] }),
    bad({ regions: "us_east" }),
    bad({ enabled: "yes" }),
  ],
});

describeResource({
  title: "uptime alerts",
  path: ({ check }) => `/v2/uptime/checks/${check.id}/alerts`,
  one: "alert",
  many: "alerts",
  created: 201,
  absent: ABSENT,
  ground: (api) => api.expect(201, "POST", "/v2/uptime/checks", CHECK),
  body: (_ground, n) => ({
    name: `slow ${n}`,
    type: "latency",
    threshold: 300,
    comparison: "greater_than",
    notifications: { email: [ACCOUNT_EMAIL], slack: [SLACK] },
    period: "2m",
  }),
  shown: (body) => body,
  changes: [
    [
      "PUT",
      (good) => ({ ...good, type: "ssl_expiry", threshold: 14, comparison: "less_than" }),
      { threshold: 14 },
    ],
    [
      "PUT",
      (good) => ({
        ...good,
        type: "down_global",
        period: "1h",
        notifications: { email: [ACCOUNT_EMAIL], slack: null },
      }),
      { type: "down_global", period: "1h", notifications: { email: [ACCOUNT_EMAIL], slack: [] } },
    ],
  ],
  bad: [
    { why: "no body", status: 400, body: () => undefined, message: /^name is required/ },
    ...["name", "type", "notifications", "period", "threshold", "comparison"].map(missing),
    bad({ name: "" }),
    bad({ type: "up" }),
    bad({ threshold: -1 }),
    bad({ threshold: 1.5 }),
    bad({ threshold: 0 }),
    bad({ comparison: "equal_to" }),
    bad({ comparison: "" }),
    bad({ period: "4m" }),
    bad({ notifications: {} }),
    bad({ notifications: { email: null, slack: null } }),
    bad(
      { notifications: { email: ["bob@example.org"], slack: null } },
      /^notifications\.email\[0\]: invalid email 'bob@example\.org'/,
    ),
    bad({ notifications: { slack: [{ url: SLACK.url }] } }),
  ],
});

describe("sandbox api: uptime", () => {
  let api: TestApi;
  let check: Json;
  beforeEach(async () => {
    api = await TestApi.start();
    check = (await api.expect(201, "POST", "/v2/uptime/checks", CHECK)).check;
  });
  afterEach(() => api.close());

  it("shows the state of each region as one that nobody has asked for yet", async () => {
    const { state } = await api.expect(200, "GET", `/v2/uptime/checks/${check.id}/state`);
    assert.deepEqual(Object.keys(state.regions), CHECK.regions);
    assert.equal(state.regions.us_east.status, "CHECKING");
    await api.refuse(404, "GET", `/v2/uptime/checks/${ABSENT}/state`);
    assert.deepEqual((await api.expect(200, "GET", "/sandbox/alerts")).alerts, null);
  });

  it("shows what an observer has seen, of a check that is enabled", async () => {
    const outage = {
      started_at: "2026-01-01T00:00:00Z",
      ended_at: "2026-01-01T00:02:00Z",
      duration_seconds: 120,
    };
    const seen = {
      status: "UP",
      status_changed_at: outage.ended_at,
      thirty_day_uptime_percentage: 97.5,
      previous_outage: outage,
    } as const;
    const alert = { alertId: "a", description: "down", entity: `check:${check.id}`, since: 1, value: 0 };
    let stopped = false;
    const observer: Observer = {
      start: () => {},
      uptime: (id) => (id === check.id ? seen : undefined),
      alerts: () => [alert],
      backends: () => [],
      stop: async () => {
        stopped = true;
      },
    };
    await api.restart({ observer });
    const path = `/v2/uptime/checks/${check.id}`;
    const { state } = await api.expect(200, "GET", `${path}/state`);
    const { previous_outage: _, ...regional } = seen;
    assert.deepEqual(state.regions, Object.fromEntries(CHECK.regions.map((region) => [region, regional])));
    assert.deepEqual(state.previous_outage, { region: CHECK.regions[0], ...outage });
    assert.deepEqual((await api.expect(200, "GET", "/sandbox/alerts")).alerts, [alert]);
    await api.expect(200, "PUT", path, { enabled: false });
    const off = (await api.expect(200, "GET", `${path}/state`)).state;
    assert.equal(off.regions.us_east.status, "CHECKING");
    await api.restart({});
    assert.equal(stopped, true);
  });

  it("takes an alert as Go clients send it: zero and empty for what it does not have", async () => {
    const body = {
      name: "down",
      type: "down",
      threshold: 0,
      comparison: "",
      notifications: { email: [ACCOUNT_EMAIL], slack: null },
      period: "2m",
    };
    const { alert } = await api.expect(201, "POST", `/v2/uptime/checks/${check.id}/alerts`, body);
    assertHolds(alert, { name: "down", type: "down", period: "2m" });
    assert.ok(!("comparison" in alert));
  });

  it("deletes the alerts with their check, and finds none of another's", async () => {
    const alert = { name: "d", type: "down", notifications: { email: [ACCOUNT_EMAIL] }, period: "2m" };
    const path = `/v2/uptime/checks/${check.id}/alerts`;
    const { id } = (await api.expect(201, "POST", path, alert)).alert;
    const other = (await api.expect(201, "POST", "/v2/uptime/checks", CHECK)).check;
    await api.refuse(404, "GET", `/v2/uptime/checks/${other.id}/alerts/${id}`);
    await api.refuse(404, "DELETE", `/v2/uptime/checks/${other.id}/alerts/${id}`);
    assert.equal((await api.expect(200, "GET", `/v2/uptime/checks/${other.id}/alerts`)).meta.total, 0);
    await api.expect(204, "DELETE", `/v2/uptime/checks/${check.id}`);
    for (const method of ["GET", "DELETE"]) await api.refuse(404, method, `${path}/${id}`);
    await api.refuse(404, "GET", path);
    await api.refuse(404, "POST", path, alert);
  });
});
