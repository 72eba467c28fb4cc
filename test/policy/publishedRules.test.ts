import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mappingReport, withMapping } from "../../policy/mapping";
import { publishedRules } from "../../policy/published-rules";
import { definitions } from "../../policy/registry";

const names = new Set(definitions.map(({ name }) => name));

describe("published rules", () => {
  it("have ids of a known form, each once", () => {
    const forms = { Checkov: /^CKV_DIO_\d+$/, Trivy: /^AVD-DIG-\d{4}$/, Mondoo: /^[a-z]+(-[a-z0-9]+)+$/ };
    for (const { source, id } of publishedRules) assert.match(id, forms[source]);
    assert.equal(new Set(publishedRules.map(({ id }) => id)).size, publishedRules.length);
    assert.ok(publishedRules.length >= 58);
  });

  it("name policies that exist, or say why there is none", () => {
    for (const { id, coveredBy } of publishedRules) {
      if (typeof coveredBy === "string") assert.ok(coveredBy.length > 20, id);
      else {
        assert.ok(coveredBy.length > 0, id);
        for (const name of coveredBy) assert.ok(names.has(name), `${id}: ${name}`);
      }
    }
  });

  it("are all in the page, with the policies that have none (else: node --import tsx policy/write-pages.ts)", () => {
    const page = readFileSync(join(__dirname, "../../policy/published-rules.md"), "utf8");
    assert.equal(withMapping(page, definitions), page);
    for (const { id } of publishedRules) assert.ok(page.includes(`| ${id} |`), id);
    for (const name of names) assert.ok(page.includes(`[${name}]`), name);
  });

  it("are printed, each policy on its line", () => {
    const report = mappingReport(definitions);
    assert.match(report, /^droplet-ssh-keys +CKV_DIO_2, AVD-DIG-0004, Mondoo ssh-key-no-dsa$/m);
    assert.match(report, /^service-metrics +-$/m);
    assert.match(report, /^Mondoo account-email-verified: it is a setting of the account/m);
  });
});
