import assert from "node:assert/strict";
import { describeWatched } from "../../scripts/hosts/ready";

const HOSTS = ["dev-node-1", "dev-node-2"];
const alert = (name: string, on: string) => ({ name, on, since: "2026-11-30T00:00:00Z", value: 9 });
const watched = (triggered: ReturnType<typeof alert>[], isHealthy = true, state: "UP" | "DOWN" = "UP") =>
  describeWatched(
    {
      backends: HOSTS.map((name) => ({ name, isHealthy })),
      uptime: [{ name: "secured-web-dev", regions: { us_east: state } }],
      triggered,
    } as unknown as Parameters<typeof describeWatched>[0],
    HOSTS,
  );

describe("npm start waits", () => {
  it("for no alert of a host's own resources, and names it", () => {
    const { ready, text } = watched([alert("host-load", "dev-node-1")]);
    assert.equal(text, "2 of 2 backends healthy, uptime check UP, alerts: host-load on dev-node-1");
    assert.ok(ready);
  });

  it("for the site's alerts, its backends and its uptime check", () => {
    assert.ok(watched([]).ready);
    assert.ok(!watched([alert("load-balancer-backends", "secured-web-dev")]).ready);
    assert.ok(!watched([], false).ready);
    assert.ok(!watched([], true, "DOWN").ready);
  });
});
