import assert from "node:assert/strict";
import { weakConnections } from "../../policy/parsers/connections";

/** What the manuals of the clients say of each address: is it encrypted, and is the server verified? */
const addresses: readonly (readonly [text: string, encrypted: boolean, verified: boolean])[] = [
  ["postgres://a@db:5432/x", false, false],
  ["postgres://a@db/x?sslmode=disable", false, false],
  ["postgres://a@db/x?sslmode=allow", false, false],
  ["postgresql://a@db/x?sslmode=prefer", false, false],
  ["postgresql://a@db/x?sslmode=require", true, false],
  ["postgresql://a@db/x?sslmode=verify-ca", true, false],
  ["postgresql://a@db/x?sslmode=verify-full&sslrootcert=/ca.pem", true, true],
  ["postgresql+asyncpg://a@db/x?ssl=require", true, false],
  ["mysql://a@db/x", false, false],
  ["mysql://a@db/x?ssl-mode=DISABLED", false, false],
  ["mysql://a@db/x?ssl-mode=PREFERRED", false, false],
  ["mysql://a@db/x?ssl-mode=REQUIRED", true, false],
  ["mysql+pymysql://a@db/x?ssl_mode=VERIFY_IDENTITY", true, true],
  ["jdbc:mysql://db:3306/x?useSSL=false", false, false],
  ["jdbc:mysql://db:3306/x?sslMode=VERIFY_IDENTITY", true, true],
  ["mariadb://a@db/x?tls=skip-verify", true, false],
  ["redis://db:6379", false, false],
  ["rediss://db:6379", true, true],
  ["valkeys://db:6379", true, true],
  ["mongodb://a@db/x", false, false],
  ["mongodb://a@db1,db2/x?tls=true", true, true],
  ["mongodb+srv://a@db/x", true, true],
  ["mongodb+srv://a@db/x?tls=false", false, false],
  ["mongodb://a@db/x?tls=true&tlsAllowInvalidCertificates=true", true, false],
  ["redis://127.0.0.1:6379", true, true],
  ["mysql://a@localhost/x", true, true],
  ["postgres:///x?host=/run/postgresql", true, true],
  ["postgres://a@$HOST/x", true, true],
  ["# redis://db:6379", true, true],
];

describe("connections to databases", () => {
  for (const [text, encrypted, verified] of addresses) {
    it(`${text}: ${encrypted ? (verified ? "encrypted and verified, or local" : "encrypted") : "refused"}`, () => {
      assert.equal(weakConnections(text, false).length === 0, encrypted);
      assert.equal(weakConnections(text, true).length === 0, verified);
    });
  }

  it("sees settings that switch TLS off, and leaves local ones alone", () => {
    for (const text of [
      "PGSSLMODE=disable",
      "ssl-mode=DISABLED",
      "host=db.example.com sslmode=prefer",
      "mysql --skip-ssl -h db",
      "NODE_TLS_REJECT_UNAUTHORIZED=0",
    ])
      assert.equal(weakConnections(text, false).length, 1, text);
    for (const text of [
      "host=/run/postgresql sslmode=disable",
      "ssl-mode=VERIFY_IDENTITY",
      "ssl_protocols TLSv1.2",
    ])
      assert.deepEqual(weakConnections(text, true), [], text);
  });

  it("names the line, and quotes nothing of it", () => {
    const [weak, ...others] = weakConnections("a=1\nb=mysql://root:Marker5f1c@Marker5f1c/x\n", false);
    assert.equal(others.length, 0);
    assert.equal(weak?.line, 2);
    assert.ok(!JSON.stringify(weak).includes("Marker5f1c"));
  });
});
