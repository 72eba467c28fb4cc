import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TestApi, TOKEN } from "../api/testApi";
import description from "../reference/digitalocean-openapi.json";
import { ACCEPTED_FAILURES } from "./acceptedFailures";
import { ensurePackages, pythonSet } from "./packages";
import { runSchemathesis, type SchemathesisReport, unexplained } from "./schemathesis";

/** The whole run: SCHEMATHESIS_SECONDS=240 npm test -- test/sandbox/clients/schemathesis.test.ts */
const given = process.env.SCHEMATHESIS_SECONDS;
const seconds = given === undefined ? undefined : Number(given);
/** On a busy machine the short run takes minutes. */
const LIMIT_MS = (seconds ?? 240) * 1000 + 60_000;

describe("sandbox: schemathesis against DigitalOcean's description", () => {
  let folder: string;
  let api: TestApi;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sandbox-schemathesis-"));
    api = await TestApi.start();
  });
  after(async () => {
    await api.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("finds no failure that is not explained", async function () {
    this.timeout(LIMIT_MS + 6 * 60_000);
    const packages = await ensurePackages(pythonSet("schemathesis")).catch((error: Error) => {
      console.log(`    skipped: could not install schemathesis: ${error.message}`);
      this.skip();
    });
    const started = Date.now();
    const python = join(packages, "bin", "python");
    const run = { python, url: api.url, token: TOKEN, folder, seconds, limitMs: LIMIT_MS };
    const report = await runSchemathesis(run);
    console.log(`      ${summaryOf(report, Math.round((Date.now() - started) / 1000))}`);
    assert.deepEqual(report.errors, []);
    assert.equal(report.operations, operationCount(), "not every operation was tested");
    assert.equal(unexplained(report).join("\n"), "");
  });

  it("names a failure that is not explained", () => {
    const [accepted] = ACCEPTED_FAILURES;
    const failures = [accepted!, { operation: "GET /v2/tags", failure: "ServerError" }];
    const text = "____ GET /v2/tags ____\n[500] Internal Server Error\n____ GET /v2/vpcs ____\nother\n";
    const report = { operations: 2, requests: 2, failures, errors: [], text };
    assert.deepEqual(unexplained(report), [
      "ServerError: GET /v2/tags\n____ GET /v2/tags ____\n[500] Internal Server Error\n",
    ]);
  });
});

function summaryOf({ operations, requests, failures }: SchemathesisReport, took: number): string {
  // OPTIONS and the scenarios of several steps are not operations of the description.
  const named = failures
    .map(({ operation }) => operation)
    .filter((one) => /^(GET|POST|PUT|PATCH|DELETE) /.test(one));
  const failing = new Set(named).size;
  return `${operations} operations, ${requests} requests in ${took} s: ${operations - failing} clean, ${failing} with failures`;
}

function operationCount(): number {
  return Object.values(description.paths).flatMap((methods) => Object.keys(methods)).length;
}
