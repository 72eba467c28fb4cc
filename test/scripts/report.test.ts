import assert from "node:assert/strict";
import type { EngineEvent } from "@pulumi/pulumi/automation";
import { Journal, type JournalMode } from "../../scripts/engine/journal";
import { EngineError } from "../../scripts/engine/pulumiProcess";
import { describeWarnings, engineFailure, policyFailure } from "../../scripts/engine/report";
import { describeError, EXIT_CODES, Failure } from "../../scripts/failure";

const STACK = "urn:pulumi:dev::secured-web::pulumi:pulumi:Stack::secured-web-dev";
const DROPLET =
  "urn:pulumi:dev::secured-web::secured-web:index:DatabaseTier$digitalocean:index/droplet:Droplet::db-1";

function journalOf(events: object[], mode: JournalMode = "run"): { journal: Journal; lines: string[] } {
  const lines: string[] = [];
  const journal = new Journal((line) => lines.push(line), mode);
  for (const event of events) journal.record(event as EngineEvent);
  return { journal, lines };
}

const diagnostic = (message: string, urn = STACK, severity = "error") => ({
  diagnosticEvent: { message, urn, severity, color: "never", prefix: "" },
});
const violation = (policyName: string, message: string, enforcementLevel = "mandatory") => ({
  policyEvent: {
    policyName,
    policyPackName: "secured-web",
    message,
    enforcementLevel,
    resourceUrn: DROPLET,
    color: "never",
  },
});

describe("what the engine says, reduced", () => {
  it("tells each change once, by resource, and counts them", () => {
    const metadata = { op: "create", urn: DROPLET };
    const { journal, lines } = journalOf([
      { resourcePreEvent: { metadata } },
      { resOutputsEvent: { metadata } },
      { resOutputsEvent: { metadata: { op: "same", urn: STACK } } },
      { summaryEvent: { resourceChanges: { create: 1, same: 1 } } },
    ]);
    assert.deepEqual(lines, ["  1 created Droplet db-1"]);
    assert.equal(journal.summary, "1 created, 1 unchanged");
    assert.equal(journal.hasChanges, true);
    assert.equal(journalOf([{ summaryEvent: { resourceChanges: { same: 75 } } }]).journal.hasChanges, false);
  });

  it("tells drift by property, never by value", () => {
    const metadata = {
      op: "update",
      urn: DROPLET,
      old: { outputs: { size: "a", tags: ["x"], userData: "secret-1" } },
      new: { outputs: { size: "b", tags: ["x"], userData: "secret-2" } },
    };
    const { lines } = journalOf([{ resOutputsEvent: { metadata } }], "drift");
    assert.deepEqual(lines, ["changed Droplet db-1: size, userData"]);
  });

  it("turns refusals into one failure that names each policy once, with exit code 3", () => {
    const { journal } = journalOf([
      violation("closed-database", "No open database.\nDroplet db-1 is open.\nFix: close it."),
      violation("closed-database", "No open database.\nDroplet db-1 is open.\nFix: close it."),
      violation("closed-database", "No open database.\nDroplet db-1 has no firewall."),
      violation("advice", "Consider it.", "advisory"),
    ]);
    const failure = policyFailure(journal, "prod", true);
    assert.ok(failure);
    assert.equal(failure.exitCode, EXIT_CODES.refusedByPolicy);
    assert.match(failure.message, /the policy closed-database refused the stack prod\. Nothing was changed/);
    assert.equal(failure.message.split("No open database.").length, 2);
    assert.equal(failure.message.split("is open.").length, 2);
    assert.match(failure.message, /has no firewall/);
    assert.doesNotMatch(failure.message, /Consider/);
    assert.match(describeWarnings(journal).join("\n"), /Consider it/);
  });

  it("is no refusal where policies only advise", () => {
    assert.equal(policyFailure(journalOf([violation("a", "m", "advisory")]).journal, "dev", true), undefined);
  });

  it("keeps errors with their resource, without echoes and color marks", () => {
    const { journal } = journalOf([
      diagnostic("<{%reset%}>POST /v2/droplets: 422 size: unknown<{%reset%}>\n", DROPLET),
      diagnostic("update failed"),
      diagnostic("failed to run remediation: context canceled", DROPLET),
    ]);
    const failure = engineFailure(
      new EngineError(["up"], 255, "", "error: update failed"),
      journal,
      "Update of dev",
    );
    assert.ok(failure instanceof Failure);
    assert.equal(
      failure.message,
      "Update of dev failed:\n  Droplet db-1: POST /v2/droplets: 422 size: unknown",
    );
  });

  it("tells a hook's refusal without the engine's words, once for all resources that it concerns", () => {
    const refusal = "secured-web:image: expected the slug of an image, got windows-95";
    const { journal } = journalOf([
      diagnostic(`Preview failed: before hook "main-database-host-is-offered" failed: ${refusal}`, DROPLET),
      diagnostic(`before hook "main-database-host-is-offered" failed: ${refusal}`, `${DROPLET}0`),
      diagnostic(
        'before hook "main-settings-stay" failed: secured-web:region: cannot change',
        "urn:pulumi:dev::secured-web::pulumi:index:Stash::main-settings",
      ),
    ]);
    const failure = engineFailure(
      new EngineError(["preview"], 255, "", "error: preview failed"),
      journal,
      "Preview of dev",
    );
    assert.equal(
      (failure as Failure).message,
      `Preview of dev failed:\n  Droplet db-1, Droplet db-10: ${refusal}\n  secured-web:region: cannot change`,
    );
  });

  it("knows a failure of the program from one of a resource", () => {
    assert.equal(journalOf([diagnostic("a setting is wrong")]).journal.programFailed, true);
    assert.equal(journalOf([diagnostic("422", DROPLET)]).journal.programFailed, false);
  });

  const remedies: [string, RegExp][] = [
    ["connect ECONNREFUSED 127.0.0.1:8089", /npm start/],
    ["GET /v2/account: 401 unauthorized: Unable to authenticate you", /token/],
    ["write /x/state: no space left on device", /disk is full/],
    ["incorrect passphrase", /passphrase/],
    ['resource "urn:..." cannot be deleted\nbecause it is protected', /--unprotect/],
    ["no resource plugin 'pulumi-resource-tls' found", /doctor/],
    [
      'warning: Error downloading plugin: Get "https://site/x.tar.gz": dial tcp: lookup site: no such host\nerror: [resource plugin tls-5.5.0] downloading from : failed to download plugin: tls-5.5.0: failed all 5 attempts',
      /plugin.*doctor/,
    ],
    ["the stack is currently locked by 1 lock(s)", /pulumi cancel/],
  ];
  for (const [message, remedy] of remedies) {
    it(`gives the remedy for: ${message.split("\n")[0]}`, () => {
      const failure = engineFailure(
        new EngineError(["up"], 1, "", `error: ${message}`),
        journalOf([]).journal,
        "Update",
      );
      assert.ok(failure instanceof Failure);
      assert.match(failure.remedy ?? "", remedy);
    });
  }

  it("says who holds the engine's lock, as the engine says it below its error", () => {
    const stderr = `error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end
  file:///home/me/.pulumi/locks/dev/1.json: created by me@laptop (pid 4711) at 2026-11-29T09:00:00Z
some other line`;
    const failure = engineFailure(new EngineError(["up"], 1, "", stderr), journalOf([]).journal, "Update");
    assert.ok(failure instanceof Failure);
    assert.match(
      failure.message,
      /locked by 1 lock.*\n +created by me@laptop \(pid 4711\) at 2026-11-29T09:00:00Z$/,
    );
  });

  it("names what is full or forbidden for errors of this machine", () => {
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    assert.match(describeError(full), /disk is full/);
    assert.doesNotMatch(describeError(full), /at .*\.ts/);
  });
});
