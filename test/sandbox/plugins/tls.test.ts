import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PropertyMap } from "../../../sandbox/plugins/provider/values";
import { tls } from "../../../sandbox/plugins/tls/provider";
import { type Live, Plugin, secretNames } from "./harness";

const algorithms: { name: string; inputs: PropertyMap; keyAlgorithm: string }[] = [
  { name: "RSA 2048", inputs: { algorithm: "RSA" }, keyAlgorithm: "RSA" },
  { name: "ECDSA P256", inputs: { algorithm: "ECDSA", ecdsaCurve: "P256" }, keyAlgorithm: "ECDSA" },
  { name: "ECDSA P384", inputs: { algorithm: "ECDSA", ecdsaCurve: "P384" }, keyAlgorithm: "ECDSA" },
  { name: "ECDSA P521", inputs: { algorithm: "ECDSA", ecdsaCurve: "P521" }, keyAlgorithm: "ECDSA" },
  { name: "ED25519", inputs: { algorithm: "ED25519" }, keyAlgorithm: "ED25519" },
];

/** Runs a tool; undefined where the machine has none of that name. */
function run(tool: string, args: string[], input = ""): string | undefined {
  try {
    return execFileSync(tool, args, { input, stdio: ["pipe", "pipe", "pipe"] }).toString();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Whether the machine has a tool; how it fails says nothing. */
function has(tool: string): boolean {
  try {
    return run(tool, ["--no-such-option"]) !== undefined;
  } catch {
    return true;
  }
}

describe("the tls plugin", () => {
  let plugin: Plugin;
  let dir: string;

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "secured-web-tls-"));
    plugin = await Plugin.start(tls);
  });
  after(async () => {
    await plugin.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const file = (name: string, content: unknown) => {
    const path = join(dir, name);
    writeFileSync(path, String(content), { mode: 0o600 });
    return path;
  };
  const key = (inputs: PropertyMap = { algorithm: "ECDSA", ecdsaCurve: "P256" }) =>
    plugin.create("PrivateKey", inputs);
  const authority = (privateKey: Live, more: PropertyMap = {}) =>
    plugin.create("SelfSignedCert", {
      privateKeyPem: privateKey.state.privateKeyPem!,
      subject: { commonName: "Test CA", organization: "Test", country: "US" },
      ...{
        validityPeriodHours: 24,
        isCaCertificate: true,
        setSubjectKeyId: true,
        allowedUses: ["cert_signing", "crl_signing"],
      },
      ...more,
    });
  const request = (privateKey: Live, more: PropertyMap = {}) =>
    plugin.create("CertRequest", {
      privateKeyPem: privateKey.state.privateKeyPem!,
      subject: { commonName: "web-1" },
      ...{
        dnsNames: ["web-1.internal", "*.example.com"],
        ipAddresses: ["10.0.0.2", "2001:db8::1"],
        uris: ["spiffe://example.com/web"],
      },
      ...more,
    });
  const signed = (csr: Live, ca: Live, caKey: Live, more: PropertyMap = {}) =>
    plugin.create("LocallySignedCert", {
      certRequestPem: csr.state.certRequestPem!,
      caCertPem: ca.state.certPem!,
      caPrivateKeyPem: caKey.state.privateKeyPem!,
      ...{
        validityPeriodHours: 12,
        allowedUses: ["digital_signature", "key_encipherment", "server_auth", "client_auth"],
      },
      ...more,
    });

  for (const { name, inputs } of [
    ...algorithms,
    { name: "ECDSA P224", inputs: { algorithm: "ECDSA" } },
    { name: "RSA 3072", inputs: { algorithm: "RSA", rsaBits: 3072 } },
  ]) {
    it(`PrivateKey ${name}: one key in all its forms`, async () => {
      const live = await key(inputs);
      const { privateKeyPem, privateKeyPemPkcs8, publicKeyPem } = live.state as Record<string, string>;
      for (const pem of [privateKeyPem, privateKeyPemPkcs8]) {
        const derived = createPublicKey(createPrivateKey(pem!)).export({ type: "spki", format: "pem" });
        assert.equal(derived, publicKeyPem);
      }
      const headers: Record<string, string> = {
        RSA: "RSA PRIVATE KEY",
        ECDSA: "EC PRIVATE KEY",
        ED25519: "PRIVATE KEY",
      };
      assert.ok(privateKeyPem!.startsWith(`-----BEGIN ${headers[String(inputs.algorithm)]}-----`));
      assert.deepEqual((await plugin.diff("PrivateKey", live, live.inputs)).changed, []);
    });
  }

  it("PrivateKey: OpenSSH's own tool reads the key and finds the same fingerprints", async function () {
    if (!has("ssh-keygen")) {
      console.log("      skipped: no ssh-keygen on this machine");
      this.skip();
    }
    for (const { name, inputs } of algorithms) {
      const { state } = await key(inputs);
      const path = file(`key-${name.replace(" ", "-")}`, state.privateKeyOpenssh);
      assert.equal(
        run("ssh-keygen", ["-y", "-f", path])?.trim(),
        String(state.publicKeyOpenssh).trim(),
        name,
      );
      assert.ok(
        run("ssh-keygen", ["-l", "-f", path])?.includes(String(state.publicKeyFingerprintSha256)),
        name,
      );
      assert.ok(
        run("ssh-keygen", ["-l", "-E", "md5", "-f", path])?.includes(String(state.publicKeyFingerprintMd5)),
        name,
      );
    }
    const { state } = await key({ algorithm: "ECDSA" });
    assert.deepEqual([state.publicKeyOpenssh, state.publicKeyFingerprintMd5], ["", ""], "SSH has no P224");
  });

  it("PrivateKey: secrets are as the schema says, every change makes another key", async () => {
    const inputs = await plugin.checked("PrivateKey", { algorithm: "RSA" });
    const response = await plugin.createRaw("PrivateKey", inputs, false);
    assert.deepEqual(secretNames(response.getProperties()), [
      "privateKeyOpenssh",
      "privateKeyPem",
      "privateKeyPemPkcs8",
    ]);
    const live = await key({ algorithm: "RSA" });
    for (const change of [{ algorithm: "ED25519" }, { rsaBits: 4096 }, { ecdsaCurve: "P521" }]) {
      const diff = await plugin.diff(
        "PrivateKey",
        live,
        await plugin.checked("PrivateKey", { algorithm: "RSA", ...change }),
      );
      assert.deepEqual(diff.replaces, Object.keys(change));
    }
    assert.match(
      (await plugin.check("PrivateKey", { algorithm: "DSA" })).failures.join(),
      /must be one of RSA, ECDSA, ED25519/,
    );
    await assert.rejects(plugin.import("PrivateKey", "x"), /cannot be imported/);
  });

  describe("certificates, verified by openssl", () => {
    before(function () {
      if (!has("openssl")) {
        console.log("      skipped: no openssl on this machine");
        this.skip();
      }
    });

    const openssl = (...args: string[]) => run("openssl", args) ?? "";
    const text = (pem: unknown) => openssl("x509", "-noout", "-text", "-in", file("shown.pem", pem));

    for (const { name, inputs, keyAlgorithm } of algorithms) {
      it(`a chain of ${name}: CA, request, certificate`, async () => {
        const [caKey, hostKey] = [await key(inputs), await key(inputs)];
        const ca = await authority(caKey);
        const csr = await request(hostKey);
        const cert = await signed(csr, ca, caKey);
        assert.deepEqual(
          [ca.state.keyAlgorithm, csr.state.keyAlgorithm, cert.state.caKeyAlgorithm],
          [keyAlgorithm, keyAlgorithm, keyAlgorithm],
        );
        assert.match(
          openssl("req", "-verify", "-noout", "-text", "-in", file("csr.pem", csr.state.certRequestPem)),
          /DNS:web-1\.internal/,
        );
        const [caPath, path] = [file("ca.pem", ca.state.certPem), file("cert.pem", cert.state.certPem)];
        const strict = ["verify", "-x509_strict", "-CAfile", caPath];
        for (const [option, value] of [
          ["-verify_hostname", "web-1.internal"],
          ["-verify_hostname", "a.example.com"],
          ["-verify_ip", "10.0.0.2"],
          ["-verify_ip", "2001:db8::1"],
        ]) {
          assert.match(openssl(...strict, "-purpose", "sslserver", option!, value!, path), /: OK/);
        }
        assert.throws(
          () => openssl(...strict, "-verify_hostname", "db-1.internal", path),
          /hostname mismatch/i,
        );
        assert.ok(
          createPrivateKey(String(hostKey.state.privateKeyPem)) &&
            new X509Certificate(String(cert.state.certPem)).checkPrivateKey(
              createPrivateKey(String(hostKey.state.privateKeyPem)),
            ),
        );
        assert.match(text(cert.state.certPem), /URI:spiffe:\/\/example\.com\/web/);
      });
    }

    it("a CA says so, and a host's certificate says that it is none", async () => {
      const [caKey, hostKey] = [await key(), await key()];
      const ca = await authority(caKey, { maxPathLength: 0 });
      const cert = await signed(await request(hostKey), ca, caKey);
      assert.match(text(ca.state.certPem), /Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
      assert.match(text(ca.state.certPem), /Key Usage: critical\s+Certificate Sign, CRL Sign/);
      assert.match(text(cert.state.certPem), /Basic Constraints: critical\s+CA:FALSE/);
      assert.match(text(cert.state.certPem), /Key Usage: critical\s+Digital Signature, Key Encipherment/);
      assert.match(
        text(cert.state.certPem),
        /Extended Key Usage:\s+TLS Web Server Authentication, TLS Web Client Authentication/,
      );
      const plain = await authority(caKey, {
        isCaCertificate: false,
        maxPathLength: -1,
        setSubjectKeyId: false,
      });
      assert.match(text(plain.state.certPem), /CA:FALSE/);
    });

    it("a host's certificate is no CA's: what it signs does not verify", async () => {
      const [caKey, hostKey, otherKey] = [await key(), await key(), await key()];
      const ca = await authority(caKey);
      const host = await signed(await request(hostKey), ca, caKey);
      const forged = await signed(
        await request(otherKey, { subject: { commonName: "forged" } }),
        host,
        hostKey,
      );
      const args = [
        "verify",
        "-CAfile",
        file("ca.pem", ca.state.certPem),
        "-untrusted",
        file("host.pem", host.state.certPem),
      ];
      assert.throws(
        () => openssl(...args, file("forged.pem", forged.state.certPem)),
        /invalid CA certificate|invalid ca/i,
      );
    });

    it("another CA of the same name does not verify it", async () => {
      const [caKey, otherKey, hostKey] = [await key(), await key(), await key()];
      const ca = await authority(caKey);
      const other = await authority(otherKey);
      const cert = await signed(await request(hostKey), ca, caKey);
      assert.throws(() =>
        openssl(
          "verify",
          "-CAfile",
          file("other.pem", other.state.certPem),
          file("cert.pem", cert.state.certPem),
        ),
      );
    });

    it("key identifiers join a certificate to its CA", async () => {
      const [caKey, hostKey] = [await key(), await key()];
      const ca = await authority(caKey, { setAuthorityKeyId: true });
      const cert = await signed(await request(hostKey), ca, caKey, { setSubjectKeyId: true });
      const id = /Subject Key Identifier:\s+([0-9A-F:]+)/.exec(text(ca.state.certPem))?.[1];
      assert.ok(id);
      assert.ok(new RegExp(`Authority Key Identifier:\\s+(keyid:)?${id}`).test(text(cert.state.certPem)));
      assert.ok(new RegExp(`Authority Key Identifier:\\s+(keyid:)?${id}`).test(text(ca.state.certPem)));
      assert.match(text(cert.state.certPem), /Subject Key Identifier/);
      const without = await signed(await request(hostKey), ca, caKey);
      assert.doesNotMatch(text(without.state.certPem), /Subject Key Identifier/);
    });

    it("every part of a subject", async () => {
      const subject = {
        ...{
          commonName: "Ünïcode & Co.",
          country: "US",
          locality: "L",
          organization: "O",
          organizationalUnit: "OU",
        },
        ...{ postalCode: "12345", province: "P", serialNumber: "7", streetAddresses: ["1 Road", "2 Road"] },
        emailAddress: "ca@example.com",
      };
      const ca = await authority(await key(), { subject });
      const shown = openssl(
        "x509",
        "-noout",
        "-subject",
        "-nameopt",
        "utf8,sep_comma_plus",
        "-in",
        file("ca.pem", ca.state.certPem),
      );
      for (const part of [
        "CN=Ünïcode & Co.",
        "C=US",
        "L=L",
        "O=O",
        "OU=OU",
        "postalCode=12345",
        "ST=P",
        "serialNumber=7",
        "street=1 Road",
        "street=2 Road",
        "emailAddress=ca@example.com",
      ]) {
        assert.ok(shown.includes(part), `${part} in ${shown}`);
      }
    });

    it("a certificate without a subject: its names are critical", async () => {
      const live = await plugin.create("SelfSignedCert", {
        ...{
          privateKeyPem: (await key()).state.privateKeyPem!,
          dnsNames: ["only.example"],
          validityPeriodHours: 1,
        },
        allowedUses: ["server_auth"],
      });
      assert.match(text(live.state.certPem), /Subject Alternative Name: critical\s+DNS:only\.example/);
    });

    it("all allowed uses", async () => {
      const uses = [
        "content_commitment",
        "data_encipherment",
        "key_agreement",
        "code_signing",
        "email_protection",
        "timestamping",
        "ocsp_signing",
        "any_extended",
        "ipsec_user",
      ];
      const live = await authority(await key(), { allowedUses: uses });
      assert.match(text(live.state.certPem), /Non Repudiation, Data Encipherment, Key Agreement/);
      assert.match(
        text(live.state.certPem),
        /Code Signing, E-mail Protection, Time Stamping, OCSP Signing, Any Extended Key Usage/,
      );
      const { failures } = await plugin.check("SelfSignedCert", {
        privateKeyPem: "x",
        validityPeriodHours: 1,
        allowedUses: ["flying"],
      });
      assert.match(failures.join(), /must be one of digital_signature/);
    });
  });

  describe("validity", () => {
    it("starts now, lasts as asked, in whole seconds as in the certificate", async () => {
      const live = await authority(await key(), { validityPeriodHours: 48 });
      const { validityStartTime, validityEndTime, certPem } = live.state as Record<string, string>;
      assert.match(validityStartTime!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert.equal(Date.parse(validityEndTime!) - Date.parse(validityStartTime!), 48 * 3_600_000);
      const certificate = new X509Certificate(certPem!);
      assert.equal(Date.parse(certificate.validFrom), Date.parse(validityStartTime!));
      assert.equal(Date.parse(certificate.validTo), Date.parse(validityEndTime!));
      assert.ok(
        Date.now() >= Date.parse(validityStartTime!) && Date.now() - Date.parse(validityStartTime!) < 60_000,
      );
      assert.equal(live.id, BigInt(`0x${certificate.serialNumber}`).toString());
    });

    it("is renewed when the time has come, and not before", async () => {
      const fresh = await authority(await key(), { validityPeriodHours: 10, earlyRenewalHours: 9 });
      assert.deepEqual(
        [fresh.state.readyForRenewal, (await plugin.diff("SelfSignedCert", fresh, fresh.inputs)).changed],
        [false, []],
      );
      const ended = new Date(Date.now() + 8 * 3_600_000).toISOString().replace(/\.\d+Z/, "Z");
      const aged = { ...fresh, state: { ...fresh.state, validityEndTime: ended } };
      assert.equal((await plugin.read("SelfSignedCert", aged))?.state.readyForRenewal, true);
      assert.deepEqual((await plugin.diff("SelfSignedCert", aged, fresh.inputs)).replaces, [
        "readyForRenewal",
      ]);
    });

    it("a change of earlyRenewalHours alone keeps the certificate", async () => {
      const live = await authority(await key());
      const inputs = { ...live.inputs, earlyRenewalHours: 2 };
      const diff = await plugin.diff("SelfSignedCert", live, inputs);
      assert.deepEqual([diff.changed, diff.replaces], [["earlyRenewalHours"], []]);
      const state = await plugin.updateRaw("SelfSignedCert", live, inputs, false);
      assert.deepEqual([state.earlyRenewalHours, state.certPem], [2, live.state.certPem]);
    });

    it("every other change makes another certificate", async () => {
      const live = await authority(await key());
      for (const change of [
        { validityPeriodHours: 25 },
        { dnsNames: ["a"] },
        { isCaCertificate: false },
        { subject: { commonName: "Other" } },
        { allowedUses: ["cert_signing"] },
        { setSubjectKeyId: false },
        { maxPathLength: 1 },
      ]) {
        const diff = await plugin.diff(
          "SelfSignedCert",
          live,
          await plugin.checked("SelfSignedCert", { ...live.inputs, ...change }),
        );
        assert.deepEqual(diff.replaces, Object.keys(change), JSON.stringify(change));
      }
    });
  });

  describe("refuses, without showing the key", () => {
    const refuses = (promise: Promise<unknown>, says: RegExp, secret = "MII") =>
      assert.rejects(promise, (error: Error) => {
        assert.match(error.message, says);
        assert.ok(!error.message.includes(secret));
        return true;
      });

    it("a text that is not a key", async () => {
      const inputs = { privateKeyPem: "hunter2", validityPeriodHours: 1, allowedUses: [] };
      await refuses(plugin.create("SelfSignedCert", inputs), /the private key is not valid PEM/, "hunter2");
    });

    it("a key that does not match the CA's certificate", async () => {
      const [caKey, other] = [await key(), await key()];
      const ca = await authority(caKey);
      await refuses(
        signed(await request(other), ca, other),
        /private key does not match the CA's certificate/,
      );
    });

    it("a request that was changed, and a text that is not a request", async () => {
      const caKey = await key();
      const ca = await authority(caKey);
      const csr = await request(await key());
      const bytes = Buffer.from(String(csr.state.certRequestPem).replace(/-----[^-]+-----/g, ""), "base64");
      bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
      const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
      await refuses(
        signed({ ...csr, state: { certRequestPem: pem } }, ca, caKey),
        /signature does not match|not valid PEM/,
      );
      await refuses(
        signed({ ...csr, state: { certRequestPem: "nothing" } }, ca, caKey),
        /certificate request is not valid PEM/,
      );
    });

    it("a key on P224, and names the supported curves", async () => {
      await refuses(
        authority(await key({ algorithm: "ECDSA" })),
        /on the curve secp224r1: set ecdsaCurve .* to P256, P384 or P521/,
      );
    });
  });

  it("CertRequest and certificates: the private key is secret in the outputs", async () => {
    const inputs = await plugin.checked("CertRequest", { privateKeyPem: (await key()).state.privateKeyPem! });
    const response = await plugin.createRaw("CertRequest", inputs, false);
    assert.deepEqual(secretNames(response.getProperties()), ["privateKeyPem"]);
  });
});
