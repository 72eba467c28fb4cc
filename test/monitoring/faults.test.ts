import assert from "node:assert/strict";
import { ofType, registrations } from "../mocks/registrations";
import { type FaultGroup, faultGroups, loadAlerts } from "./live/faults";

describe("monitoring: the table of faults", () => {
  const groups: Record<string, FaultGroup> = faultGroups(() => {
    throw new Error("no hosts here");
  });
  const driven = new Set([
    ...Object.values(groups).flatMap(({ faults }) => faults.flatMap(({ alerts }) => Object.keys(alerts))),
    ...loadAlerts,
  ]);
  let made: string[];
  before(async () => {
    const stack = await registrations("dev", {
      domain: "dev.foobar.com",
      datadog: JSON.stringify({ apiKey: "a".repeat(32), appKey: "b".repeat(40) }),
      alerts: JSON.stringify({ backupAgeHours: 26 }),
      backups: JSON.stringify({ enabled: true }),
    });
    made = ["Monitor", "MonitorAlert", "UptimeAlert"].flatMap((type) =>
      ofType(stack, type).map(({ name }) => name),
    );
  });

  it("has one for every alert that the program makes, and none for another", () => {
    assert.ok(made.length >= 30);
    assert.deepEqual([...driven].sort(), made.sort());
  });
});
