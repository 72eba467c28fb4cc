import assert from "node:assert/strict";
import { findSecret, isRandom } from "../../policy/parsers/secrets";
import { findToken } from "../../policy/parsers/token-forms";

describe("secrets in texts", () => {
  const hex = "0123456789abcdef";
  const letters = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";
  const secrets: readonly (readonly [kind: string, text: string])[] = [
    ["a private key", "-----BEGIN EC PRIVATE KEY-----\nMHc"],
    ["a DigitalOcean token", `DO=dop_v1_${hex.repeat(4)}`],
    ["an AWS access key", "AKIAIOSFODNN7EXAMPLE"],
    ["a GitHub token", `ghp_${letters}`],
    ["a GitLab token", "glpat-abcdefghij0123456789"],
    ["a Slack token", "xoxb-1234567890-abcdef"],
    ["a Stripe key", `sk_live_${letters.slice(0, 24)}`],
    ["an npm token", `npm_${letters}`],
    ["a JSON Web Token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmN"],
    ["a password in an address", "mysql://app:correct-horse@db/shop"],
    ["a password in a statement", "CREATE USER a IDENTIFIED BY 'correct-horse'"],
    ["a password in a statement", "CHANGE REPLICATION SOURCE TO SOURCE_PASSWORD='correct-horse'"],
    ["a password, key or token", `password = ${letters.slice(0, 20)}`],
    ["a password, key or token", `"api_key": "${letters.slice(0, 24)}"`],
  ];
  for (const [kind, text] of secrets) {
    it(`finds ${kind} in ${text.slice(0, 24)}...`, () => assert.equal(findSecret(text), kind));
  }

  const innocent: readonly string[] = [
    "-----BEGIN CERTIFICATE-----\nMIIB",
    "-----BEGIN PUBLIC KEY-----\nMIIB",
    "ssl_certificate_key /etc/nginx/tls/server.key;",
    "password_file = /etc/secured-web/secrets/app.password",
    "mysql://app@db.example.com/shop",
    `postgres://app:\${PASSWORD}@db.example.com/shop`,
    "DATABASE_PASSWORD={{ password }}",
    "CREATE USER a IDENTIFIED WITH caching_sha2_password REQUIRE X509;",
    "ssl_session_tickets off;",
    "token_endpoint: https://login.example.com/oauth2",
    "secretName: shop-certificate-2026",
    "passwordPolicy = validate_password_medium",
    "group_name = 0f5ab2a8-4a7b-4f0e-9d38-4c1e3c7f2b10",
    "https://example.com:443/path@2x.png",
  ];
  for (const text of innocent) {
    it(`finds nothing in ${text.slice(0, 60)}`, () => assert.equal(findSecret(text), undefined));
  }

  it("tells tokens from other secrets", () => {
    assert.equal(findToken("password = correct-horse-battery-1"), undefined);
    assert.ok(isRandom("kX9mPq2Zr7tLw4"));
    for (const word of ["team-checkout", "release-2026-11", "secured-web-production-database", "v1.2.3-rc1"])
      assert.ok(!isRandom(word), word);
  });
});
