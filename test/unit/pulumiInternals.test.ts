/** What infra/pulumiInternals.ts relies on. A failure here means that another SDK behaves differently: see that file. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { isConfigSecret } from "../../infra/pulumiInternals";

describe("internals of @pulumi/pulumi that the program uses", () => {
  it("tells encrypted keys from plain ones", () => {
    pulumi.runtime.setAllConfig({ "test:plain": "a", "test:encrypted": "b" }, ["test:encrypted"]);
    assert.equal(isConfigSecret("test:encrypted"), true);
    assert.equal(isConfigSecret("test:plain"), false);
    assert.equal(isConfigSecret("test:absent"), false);
  });

  it("are of exactly the version that infra/package.json pins", () => {
    const pinned = JSON.parse(readFileSync(join(__dirname, "../../infra/package.json"), "utf8"));
    const version: string = pinned.dependencies["@pulumi/pulumi"];
    assert.match(version, /^\d+\.\d+\.\d+$/, "no range");
    assert.equal(require("@pulumi/pulumi/package.json").version, version);
  });

  it("say which version to use where they are gone", () => {
    const runtime = pulumi.runtime as unknown as { isConfigSecret?: unknown };
    const own = runtime.isConfigSecret;
    try {
      delete runtime.isConfigSecret;
      assert.throws(() => isConfigSecret("test:plain"), /Install the version that infra\/package\.json pins/);
    } finally {
      runtime.isConfigSecret = own;
    }
  });
});
