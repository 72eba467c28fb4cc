import assert from "node:assert/strict";
import { loadBalancer } from "../../policy/fixtures/texts";
import { endToEndEncryption } from "../../policy/policies/end-to-end-encryption/policy";
import { judgeFixture } from "./harness";

/** What DigitalOcean's API takes (forwarding_rule in its OpenAPI description); http3 is no target there. */
const entries = ["http", "https", "http2", "http3", "tcp", "udp"];
const targets = [...entries];

/** The pairs that are encrypted from client to droplet, by the kind of load balancer and by who ends TLS. */
const safe: Readonly<Record<string, readonly string[]>> = {
  "REGIONAL, ending TLS": ["https>https", "http2>https", "http3>https"],
  "REGIONAL, passing TLS": ["https>https", "http2>https", "http2>http2"],
  "REGIONAL_NETWORK, ending TLS": ["tcp>tcp", "udp>udp", "https>https", "http2>https", "http3>https"],
};

describe("every pair of entry and target protocol of a load balancer", () => {
  for (const type of ["REGIONAL", "REGIONAL_NETWORK"]) {
    for (const passes of [false, true]) {
      const kind = `${type}, ${passes ? "passing" : "ending"} TLS`;
      const expected = safe[kind];
      if (expected === undefined) continue;
      it(`${kind}: ${expected.join(", ")} and no other`, () => {
        const found = entries.flatMap((entryProtocol) =>
          targets
            .filter((targetProtocol) => {
              const rule = { entryProtocol, entryPort: 443, targetProtocol, targetPort: 443 };
              const end = passes ? { tlsPassthrough: true } : { certificateName: "site" };
              const edge = loadBalancer([{ ...rule, ...end }], { type });
              return judgeFixture(endToEndEncryption, { title: "", resources: { edge } }).length === 0;
            })
            .map((targetProtocol) => `${entryProtocol}>${targetProtocol}`),
        );
        assert.deepEqual([...found].sort(), [...expected].sort());
      });
    }
  }
});
