import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { architectureDot } from "../../scripts/diagram/dot";
import { pictures, renderPicture } from "../../scripts/diagram/render";
import { registrations } from "../mocks/registrations";
import { testCertificate } from "./certificates";

describe("architecture pictures", () => {
  for (const [file, { stack, config }] of Object.entries(pictures)) {
    it(`docs/${file} is what the program gives (npm run diagram draws it)`, async () => {
      const committed = readFileSync(path.join(__dirname, "../../docs", file), "utf8");
      assert.equal(committed, await renderPicture(stack, config));
    });
  }

  it("changes when the program does: another host, another TLS mode", async () => {
    const base = { domain: "foobar.com", environment: "production", monitoring: "none" };
    const dot = async (config: Record<string, string>) =>
      architectureDot(await registrations("prod", config));
    const before = await dot(base);
    assert.notEqual(await dot({ ...base, web: '{"count":3}' }), before);
    const passthrough = JSON.stringify(await testCertificate(["www.foobar.com"]));
    assert.match(await dot({ ...base, tls: "passthrough", passthrough }), /PROXY protocol/);
  });
});
