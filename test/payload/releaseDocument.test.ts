/** Releases, against the programs that hosts open them with: openssl and python3-cryptography. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { contentHash, type ReleaseDocument, releaseDocument } from "../../infra/releases/document";
import { envelope, releaseLimitBytes, releasePayloadType } from "../../infra/releases/envelope";
import { ReleaseError } from "../../infra/releases/releaseError";
import { open, seal } from "../../infra/releases/seal";
import { partedFiles } from "../../infra/releases/sealedPaths";
import { openStatus } from "../../infra/releases/status";
import { hostFiles } from "../../infra/userdata/hostFiles";
import { releaseFiles } from "../../infra/userdata/releaseForm";
import type { HostContext } from "../../infra/userdata/types";
import { contextOf, contextsOf, datadog, fakeSecrets, sumologic } from "./contexts";

const pem = (key: KeyObject, type: "pkcs8" | "spki") => String(key.export({ type, format: "pem" }));
const keys = generateKeyPairSync("ed25519");
const privateKey = pem(keys.privateKey, "pkcs8");
const publicKey = pem(keys.publicKey, "spki");
const number = 1_795_911_646_477;

const release = (context: HostContext): ReleaseDocument =>
  releaseDocument(context, fakeSecrets(context.host));
const web1 = contextOf({ topology: "separated", settings: { releases: true } }, "web-1");
const web2 = contextOf({ topology: "separated", settings: { releases: true } }, "web-2");
const sealingKey = ({ host }: HostContext) => fakeSecrets(host).release!.sealingKey;
const all = (["converged", "separated"] as const).flatMap((topology) =>
  [{ agent: "none" } as const, datadog, sumologic].flatMap((monitoring) =>
    contextsOf({ topology, settings: { monitoring, releases: true } }),
  ),
);

interface Envelope {
  readonly payloadType: string;
  readonly payload: string;
  readonly signatures: readonly { readonly sig: string }[];
}
const payloadOf = (text: string) => Buffer.from((JSON.parse(text) as Envelope).payload, "base64");
const documentOf = (text: string) => JSON.parse(gunzipSync(payloadOf(text)).toString("utf8"));

/** Skips a test if a program is missing, and names the package that contains it. */
function needs(context: Mocha.Context, command: readonly string[], name: string): void {
  const [program = "", ...args] = command;
  if (spawnSync(program, args).status === 0) return;
  console.log(`      skipped: ${name} is not installed (apt-get install ${name})`);
  context.skip();
}

describe("payload: releases", () => {
  it("have the same bytes each time, and another hash for each change of content", () => {
    for (const context of all) {
      const [once, again] = [release(context), release(context)];
      assert.equal(contentHash(once), contentHash(again));
      assert.equal(envelope(once, number, privateKey), envelope(again, number, privateKey));
    }
    const changed = { ...web1, settings: { ...web1.settings, hstsMaxAgeSeconds: 5 } };
    const secrets = { ...fakeSecrets(web1.host), datadogApiKey: undefined };
    const renewed = { ...secrets, passwords: { ...secrets.passwords, app: "SECRETrenewed" } };
    const hashes = [release(web1), release(web2), release(changed), releaseDocument(web1, renewed as never)];
    assert.equal(new Set(hashes.map(contentHash)).size, hashes.length);
  });

  it("have one hash whatever their number", () => {
    const document = release(web1);
    assert.notEqual(envelope(document, number, privateKey), envelope(document, number + 1, privateKey));
    assert.match(contentHash(document), /^[0-9a-f]{64}$/);
  });

  it("contain the files of user data: those without secrets in clear, the others sealed", () => {
    for (const context of all) {
      const text = envelope(release(context), number, privateKey);
      const { host, settings } = context;
      const { files, sealed, ...head } = documentOf(text);
      assert.deepEqual(Object.keys(head), ["number", "stack", "host", "version"]);
      assert.deepEqual([head.number, head.stack, head.host], [number, settings.stack, host.name]);
      const purpose = { stack: settings.stack, host: host.name, use: "release" } as const;
      const secret = JSON.parse(open(sealed, sealingKey(context), purpose));
      const all = releaseFiles(hostFiles(context, fakeSecrets(host)));
      assert.deepEqual(
        files,
        all.filter(({ mode }) => mode !== "0600"),
      );
      assert.deepEqual(
        secret,
        all.filter(({ mode }) => mode === "0600"),
      );
      const paths = secret.map(({ path }: { path: string }) => path);
      assert.ok(paths.includes("/etc/secured-web/secrets/release.json"));
    }
  });

  it("show no secret: not in the object, its payload or its hash", () => {
    for (const context of all) {
      const text = envelope(release(context), number, privateKey);
      for (const part of [text, payloadOf(text).toString("latin1"), JSON.stringify(documentOf(text))]) {
        assert.ok(!part.includes("SECRET"));
        assert.ok(!part.includes(sealingKey(context)));
        assert.ok(!part.includes("BEGIN PRIVATE KEY"));
      }
    }
  });

  it("verify with openssl, and not with a byte changed, another type or another key", function () {
    needs(this, ["openssl", "version"], "openssl");
    const folder = mkdtempSync(join(tmpdir(), "secured-web-release-"));
    try {
      const { payloadType, payload, signatures } = JSON.parse(
        envelope(release(web1), number, privateKey),
      ) as Envelope;
      assert.equal(payloadType, releasePayloadType);
      const bytes = Buffer.from(payload, "base64");
      const signature = Buffer.from(signatures[0]!.sig, "base64");
      const isValid = (type: string, body: Buffer, key: string, sig = signature): boolean => {
        const signed = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${body.length} `), body]);
        writeFileSync(join(folder, "pae"), signed);
        writeFileSync(join(folder, "sig"), sig);
        writeFileSync(join(folder, "pub"), key);
        const args = ["pkeyutl", "-verify", "-pubin", "-inkey", "pub", "-rawin", "-in", "pae"];
        return spawnSync("openssl", [...args, "-sigfile", "sig"], { cwd: folder }).status === 0;
      };
      assert.ok(isValid(payloadType, bytes, publicKey));
      for (const at of [0, 10, bytes.length - 1]) {
        const changed = Buffer.from(bytes);
        changed[at]! ^= 1;
        assert.ok(!isValid(payloadType, changed, publicKey), `byte ${at}`);
      }
      assert.ok(!isValid("application/json", bytes, publicKey));
      assert.ok(!isValid(payloadType, bytes.subarray(0, -1), publicKey));
      assert.ok(!isValid(payloadType, bytes, pem(generateKeyPairSync("ed25519").publicKey, "spki")));
      assert.ok(!isValid(payloadType, bytes, publicKey, Buffer.alloc(64)));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  describe("and python3-cryptography", () => {
    // The key and the associated data precede the sealed text on stdin, so that no secret is an argument.
    const program = `
import base64, json, sys
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
key, purpose, text, way = json.load(sys.stdin)
siv = AESSIV(base64.b64decode(key))
if way == "open":
    sys.stdout.write(siv.decrypt(base64.b64decode(text), [purpose.encode()]).decode())
else:
    sys.stdout.write(base64.b64encode(siv.encrypt(text.encode(), [purpose.encode()])).decode())
`;
    const python = (...input: [key: string, purpose: string, text: string, way: "open" | "seal"]) =>
      spawnSync("/usr/bin/python3", ["-c", program], { encoding: "utf8", input: JSON.stringify(input) });
    before(function () {
      needs(this as Mocha.Context, ["/usr/bin/python3", "-c", "import cryptography"], "python3-cryptography");
    });

    it("opens what Node sealed, with the host's own key and name alone", () => {
      const { sealed } = release(web1);
      const { status, stdout, stderr } = python(sealingKey(web1), "dev/web-1/release", sealed, "open");
      assert.equal(status, 0, stderr);
      const paths = JSON.parse(stdout).map(({ path }: { path: string }) => path);
      assert.ok(paths.includes("/etc/nginx/tls/server.key"));
      for (const [key, purpose] of [
        [sealingKey(web2), "dev/web-1/release"],
        [sealingKey(web1), "dev/web-2/release"],
        [sealingKey(web1), "prod/web-1/release"],
        [sealingKey(web1), "dev/web-1/status"],
      ] as const) {
        assert.match(python(key, purpose, sealed, "open").stderr, /InvalidTag/);
      }
      const bytes = Buffer.from(sealed, "base64");
      bytes[40]! ^= 1;
      const changed = bytes.toString("base64");
      assert.match(python(sealingKey(web1), "dev/web-1/release", changed, "open").stderr, /InvalidTag/);
    });

    it("opens every host's release on the host, whose rule for sealed files is the renderer's", () => {
      const onHost = `
import json, sys
sys.path.insert(0, "infra/payload/release/usr/local/lib/secured-web/release")
import envelope, seal
own, key, raw, signer = json.load(sys.stdin)
envelope.verifies = lambda *_: True
document = envelope.opened(raw.encode(), signer, own, seal.Seal(key, own["stack"], own["host"]).open)
json.dump([file["path"] for file in document["files"]], sys.stdout)
`;
      for (const context of all) {
        const { host, settings } = context;
        const own = { stack: settings.stack, host: host.name };
        const input = [own, sealingKey(context), envelope(release(context), number, privateKey), ""];
        const { status, stdout, stderr } = spawnSync("/usr/bin/python3", ["-B", "-c", onHost], {
          encoding: "utf8",
          input: JSON.stringify(input),
        });
        assert.equal(status, 0, stderr);
        const expected = hostFiles(context, fakeSecrets(host)).map(({ path }) => path);
        assert.deepEqual(JSON.parse(stdout).sort(), [...expected].sort());
      }
    });

    it("seals the same bytes as Node", () => {
      const text = '{"host": "web-1", "cause": "größer"}';
      const { stdout } = python(sealingKey(web1), "dev/web-1/status", text, "seal");
      const purpose = { stack: "dev", host: "web-1", use: "status" } as const;
      assert.equal(stdout, seal(text, sealingKey(web1), purpose));
    });
  });

  describe("refuse", () => {
    const hostFile = (path: string, permissions: string) => ({ path, permissions, content: "SECRET" });
    for (const [what, files, error] of [
      [
        "a path in clear and sealed",
        [hostFile("/etc/secured-web/secrets/a", "0644"), hostFile("/etc/secured-web/secrets/a", "0600")],
        /contains \/etc\/secured-web\/secrets\/a twice/,
      ],
      ...[
        "/etc/nginx/nginx.conf",
        "/etc/nginx/tls/server.pem",
        "/etc/mysql/conf.d/a.cnf",
        "/etc/ssh/sshd_config",
        "/etc/ssh/secured-web-keys/alice",
      ].map((path) => [`to seal ${path}`, [hostFile(path, "0600")], /no policy would see it/] as const),
    ] as const) {
      it(`${what}`, () => {
        assert.throws(
          () => partedFiles("web-1", files),
          (thrown: Error) =>
            thrown instanceof ReleaseError &&
            error.test(thrown.message) &&
            !thrown.message.includes("SECRET"),
        );
      });
    }
    for (const [what, wrongKey] of [
      ["a key that is none", "SECRET"],
      ["a public key", publicKey],
      ["an RSA key", pem(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey, "pkcs8")],
    ] as const) {
      it(`${what} for signing, without telling it`, () => {
        assert.throws(
          () => envelope(release(web1), number, wrongKey),
          (error: Error) =>
            error instanceof ReleaseError &&
            error.message === "the key that signs releases: expected an Ed25519 private key (PKCS #8, PEM)",
        );
      });
    }

    for (const wrong of [0, -1, 1.5, Number.NaN, 2 ** 53]) {
      it(`${wrong} as a number`, () => {
        assert.throws(() => envelope(release(web1), wrong, privateKey), /expected a positive integer/);
      });
    }

    for (const wrong of ["", "SECRET", Buffer.alloc(32).toString("base64"), `${sealingKey(web1)}=`]) {
      it(`a sealing key of another form (${wrong.length} characters), without telling it`, () => {
        const secrets = fakeSecrets(web1.host);
        const changed = { ...secrets, release: { ...secrets.release!, sealingKey: wrong } };
        assert.throws(
          () => releaseDocument(web1, changed),
          (error: Error) => {
            assert.match(
              error.message,
              /^the sealing key of web-1: expected base64 of 64 bytes, got \d+ bytes$/,
            );
            return error instanceof ReleaseError;
          },
        );
      });
    }

    it("secrets without access to releases", () => {
      const { release: _, ...secrets } = fakeSecrets(web1.host);
      assert.throws(() => releaseDocument(web1, secrets), /^ReleaseError: web-1: a release requires/);
    });

    it("an object that is larger than a host accepts", () => {
      const noise = Array.from({ length: 120_000 }, (_, i) => String(Math.sin(i))).join("");
      const document = { ...release(web1), files: [{ path: "/etc/noise", mode: "0644", content: noise }] };
      assert.throws(
        () => envelope(document, number, privateKey),
        new RegExp(
          `^ReleaseError: the release of web-1 has \\d+ bytes, and a host accepts at most ${releaseLimitBytes}`,
        ),
      );
    });
  });
});

describe("payload: status of a host", () => {
  const key = sealingKey(web1);
  const purpose = { stack: "dev", host: "web-1", use: "status" } as const;
  const status = {
    host: "web-1",
    dropletId: "123",
    bootId: "7d0c8f3e-0000-4000-8000-000000000000",
    time: "2026-11-29T00:24:00+00:00",
    number,
    wanted: number + 1,
    outcome: "undone",
    step: "check",
    unit: "nginx.service",
    cause: "nginx -t failed",
    journal: ["nginx: unknown directive"],
    rebootRequired: false,
    version: "0123456789ab",
  };
  const group = { online: 3, members: [{ host: "db-1", state: "ONLINE" }], queue: 0, writable: true };
  const sealed = (value: unknown) => seal(JSON.stringify(value), key, purpose);

  it("opens with the host's key", () => {
    assert.deepEqual(openStatus(sealed(status), "dev", "web-1", key), status);
    assert.deepEqual(openStatus(`${sealed({ ...status, group })}\n`, "dev", "web-1", key), {
      ...status,
      group,
    });
  });

  it("ignores what a newer host adds", () => {
    assert.deepEqual(openStatus(sealed({ ...status, more: 1 }), "dev", "web-1", key), status);
  });

  const changed = Buffer.from(sealed(status), "base64");
  changed[20]! ^= 1;
  for (const [what, text, stack, host, withKey, error] of [
    [
      "another host's key",
      sealed(status),
      "dev",
      "web-1",
      sealingKey(web2),
      /does not open with the host's key/,
    ],
    ["another host's name", sealed(status), "dev", "web-2", key, /status of dev\/web-2 does not open/],
    ["another stack", sealed(status), "prod", "web-1", key, /status of prod\/web-1 does not open/],
    ["a changed byte", changed.toString("base64"), "dev", "web-1", key, /does not open/],
    ["a cut text", sealed(status).slice(0, 40), "dev", "web-1", key, /does not open/],
    ["a text that is shorter than a tag", "AAAA", "dev", "web-1", key, /does not open/],
    ["an empty object", "", "dev", "web-1", key, /is not base64/],
    ["an error page", "<Error>SECRET</Error>", "dev", "web-1", key, /is not base64/],
    ["a sealed text that is not JSON", seal("SECRET", key, purpose), "dev", "web-1", key, /is not JSON$/],
    ["a list", sealed(["SECRET"]), "dev", "web-1", key, /unexpected form\. all of it: /],
    [
      "a status that names another host",
      sealed({ ...status, host: "web-2" }),
      "dev",
      "web-1",
      key,
      /names another host$/,
    ],
    ["an unknown outcome", sealed({ ...status, outcome: "SECRET" }), "dev", "web-1", key, /form\. outcome: /],
    ["a time that is none", sealed({ ...status, time: "SECRET" }), "dev", "web-1", key, /form\. time: /],
    ["a negative number", sealed({ ...status, number: -1 }), "dev", "web-1", key, /form\. number: /],
    [
      "a missing droplet",
      sealed({ ...status, dropletId: undefined }),
      "dev",
      "web-1",
      key,
      /form\. dropletId: /,
    ],
    [
      "a malformed group",
      sealed({ ...status, group: { ...group, members: [{ SECRET: 1 }] } }),
      "dev",
      "web-1",
      key,
      /group\.members\.0\.host: /,
    ],
  ] as const) {
    it(`refuses ${what}, without telling its content`, () => {
      assert.throws(
        () => openStatus(text, stack, host, withKey),
        (thrown: Error) => {
          assert.ok(thrown instanceof ReleaseError, String(thrown));
          assert.match(thrown.message, error);
          assert.ok(!thrown.message.includes("SECRET"), thrown.message);
          return true;
        },
      );
    });
  }
});
