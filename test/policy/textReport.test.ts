import assert from "node:assert/strict";
import { judgeState } from "../../policy/check/judge";
import { readState } from "../../policy/check/state";
import { textReport } from "../../policy/check/text-report";
import { droplet } from "../../policy/fixtures/texts";
import { dropletMonitoring } from "../../policy/policies/droplet-monitoring/policy";
import { supportedImages } from "../../policy/policies/supported-images/policy";
import { exportedState } from "./exportedState";

function reportOf(count: number): string {
  const names = Array.from({ length: count }, (_, index) => `web-${index + 1}`);
  const old = { image: "ubuntu-18-04-x64", monitoring: true };
  const resources = Object.fromEntries([
    ...names.map((name) => [name, droplet(name)] as const),
    ["old-1", droplet("old-1", old)] as const,
  ]);
  const state = readState(JSON.stringify(exportedState({ title: "hosts", stack: "prod", resources })));
  return textReport(judgeState(state, [dropletMonitoring, supportedImages], { stack: "prod" }));
}

describe("the report in text", () => {
  it("folds violations that differ only in the resource, and names all resources once", () => {
    const report = reportOf(12);
    assert.match(
      report,
      /mandatory +medium +droplet-monitoring +12 of Droplet: "web-1", "web-2", "web-3" and 9 others\n/,
    );
    assert.equal(report.split("monitoring is not set").length, 2);
    assert.match(report, /The same for "web-2", .*"web-12"\./);
  });

  it("does not fold a single violation", () => {
    assert.match(reportOf(1), /droplet-monitoring +Droplet "web-1"\n/);
    assert.doesNotMatch(reportOf(1), /The same for/);
  });

  it("counts violations by level and by severity, not rows", () => {
    assert.match(
      reportOf(12),
      /^13 mandatory, 0 advisory \(1 high, 12 medium\); 0 of 2 policies found nothing\.$/m,
    );
  });

  it("has no counts by severity if nothing was found", () => {
    const state = readState(JSON.stringify(exportedState({ title: "none", resources: {} })));
    assert.match(textReport(judgeState(state, [dropletMonitoring], {})), /^0 mandatory, 0 advisory; 1 of 1/m);
  });
});
