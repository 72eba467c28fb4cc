import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  formatRevoked,
  isRevoked,
  parseRevoked,
  type Revoked,
  revocationOf,
} from "../../infra/config/revoked";
import { revocationList } from "../../infra/releases/revocationList";
import { type Issued, TestAuthority } from "../hosts/proofs/pki";

const AT = 1_795_000_000;

describe("the list of revoked certificates", () => {
  let dir: string;
  let authority: TestAuthority;
  let issued: Issued;
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "secured-web-crl-"));
    authority = await TestAuthority.create("internal CA");
    issued = await authority.issue({ names: ["db-1.internal.test"] });
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  function openssl(args: string[], files: Record<string, string>): string {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
    const { stdout, stderr } = spawnSync("openssl", args, { cwd: dir, encoding: "utf8" });
    return stdout + stderr;
  }
  const show = (list: string) => openssl(["crl", "-noout", "-text", "-in", "list"], { list });
  const verify = (list: string, { certificate }: Issued = issued) =>
    openssl(["verify", "-crl_check_all", "-CAfile", "ca", "-CRLfile", "list", "certificate"], {
      ...{ list, certificate },
      ca: authority.certificate,
    });

  it("makes OpenSSL refuse these certificates, and no other", async () => {
    const other = await authority.issue({ names: ["db-2.internal.test"] });
    const list = revocationList(authority, [revocationOf(issued.certificate, AT)]);
    assert.match(verify(list), /certificate revoked/);
    assert.match(verify(list, other), /certificate: OK/);
    assert.match(verify(revocationList(authority, [])), /certificate: OK/);
  });

  it("is signed by the authority, and names it by its key", async () => {
    const list = revocationList(authority, []);
    const signer = (ca: string) => openssl(["crl", "-noout", "-in", "list", "-CAfile", "ca"], { list, ca });
    assert.match(signer(authority.certificate), /verify OK/);
    assert.doesNotMatch(signer((await TestAuthority.create("internal CA")).certificate), /verify OK/);
    assert.match(show(list), /Authority Key Identifier/);
  });

  it("has the same bytes for the same arguments, and a number that grows with each revocation", () => {
    const lists = [[], [AT], [AT, AT + 60]].map((times) =>
      times.map((revokedAt, index): Revoked => ({ serial: `a${index}`, revokedAt, endsAt: AT * 2 })),
    );
    for (const revoked of lists)
      assert.equal(revocationList(authority, revoked), revocationList(authority, revoked));
    const numbers = lists.map((revoked) =>
      Number(/CRL Number:\s+(\d+)/.exec(show(revocationList(authority, revoked)))?.[1]),
    );
    assert.deepEqual(numbers, [0, AT, AT + 60]);
  });

  it("has serial numbers as they are, whatever their first bit and their length", () => {
    const serials = ["f0a1", "7f", "80", "1", "ff"];
    const text = show(
      revocationList(
        authority,
        serials.map((serial) => ({ serial, revokedAt: AT, endsAt: AT })),
      ),
    );
    const found = [...text.matchAll(/Serial Number: (-?[0-9A-F]+)/g)].map(([, serial]) => serial);
    assert.deepEqual(found, ["F0A1", "7F", "80", "01", "FF"]);
  });

  it("counts from the authority's beginning to its end, so that no clock and no date ends it early", () => {
    const dates = (text: string, pattern: RegExp) => pattern.exec(text)?.[1];
    const list = show(revocationList(authority, []));
    const ca = openssl(["x509", "-noout", "-text", "-in", "ca"], { ca: authority.certificate });
    assert.equal(dates(list, /Last Update: (.*)/), dates(ca, /Not Before: (.*)/));
    assert.equal(dates(list, /Next Update: (.*)/), dates(ca, /Not After ?: (.*)/));
  });

  it("in settings and the state: SERIAL:REVOKED_AT:ENDS_AT", () => {
    const revoked = revocationOf(issued.certificate, AT);
    assert.deepEqual(parseRevoked(formatRevoked(revoked)), revoked);
    assert.ok(revoked.endsAt > Date.now() / 1000);
    for (const wrong of ["", "A1:1:2", "a1:1", "a1:1:2:3", "a1:x:2", "a1:-1:2"]) {
      assert.equal(isRevoked(wrong), false, wrong);
      assert.throws(() => parseRevoked(wrong), /expected SERIAL:REVOKED_AT:ENDS_AT/);
    }
  });
});
