/** Spaces as a client sees them: the real S3 server behind the grants of keys. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AwsV4Signer } from "aws4fetch";
import type { Grant } from "../../../sandbox/api/core/spaces";
import { identify, signal } from "../../../sandbox/hosts/process";
import {
  callSpaces,
  type S3Answer,
  type S3Call,
  type SpacesCredentials,
} from "../../../sandbox/spaces/client";
import { Spaces } from "../../../sandbox/spaces/server";
import { ensureVersitygw } from "../../../sandbox/spaces/versitygw";

const BUILD_WITHIN_MS = 10 * 60_000;
const OWNER: SpacesCredentials = { accessKey: "DO00OWNER", secretKey: "owner-secret" };
const READER: SpacesCredentials = { accessKey: "DO00READER", secretKey: "reader-secret" };
const WRITER: SpacesCredentials = { accessKey: "DO00WRITER", secretKey: "writer-secret" };

describe("Spaces", function () {
  this.timeout(60_000);
  let dir: string;
  let program: string;
  let spaces: Spaces;

  const call = (
    credentials: SpacesCredentials | undefined,
    request: S3Call,
    region = "nyc3",
  ): Promise<S3Answer> => callSpaces(spaces.url, region, credentials, request);
  const codeOf = ({ body }: S3Answer) => /<Code>(\w+)<\/Code>/.exec(body.toString())?.[1];
  const accounts = (...grants: [SpacesCredentials, ...Grant[]][]) =>
    grants.map(([credentials, ...own]) => ({ ...credentials, grants: own }));
  const all = () =>
    accounts(
      [OWNER, { bucket: "", permission: "fullaccess" }],
      [READER, { bucket: "releases", permission: "read" }],
      [WRITER, { bucket: "backups", permission: "readwrite" }],
    );
  const open = async () => {
    spaces = await Spaces.start({ dir, program, port: 0 });
    spaces.setAccounts(all());
  };

  before(async function () {
    this.timeout(BUILD_WITHIN_MS);
    program = await ensureVersitygw();
    dir = await mkdtemp(join(tmpdir(), "spaces-"));
    await open();
    for (const bucket of ["releases", "backups"])
      assert.equal((await call(OWNER, { method: "PUT", bucket })).status, 200);
  });
  after(async () => {
    await spaces?.close();
    if (dir !== undefined) await rm(dir, { recursive: true, force: true });
  });

  it("keeps objects, with keys that need encoding, for both signing regions", async () => {
    const key = "hosts/a b+c~é.json";
    const body = randomBytes(3_000_000);
    assert.equal((await call(OWNER, { method: "PUT", bucket: "releases", key, body })).status, 200);
    for (const signingRegion of ["us-east-1", "nyc3"]) {
      const answer = await call(READER, { method: "GET", bucket: "releases", key, signingRegion });
      assert.equal(answer.status, 200, signingRegion);
      assert.ok(answer.body.equals(body));
    }
    const etag = (await call(READER, { method: "HEAD", bucket: "releases", key })).headers.etag;
    const unchanged = await call(READER, {
      method: "GET",
      bucket: "releases",
      key,
      headers: { "if-none-match": String(etag) },
    });
    assert.deepEqual([unchanged.status, unchanged.body.length], [304, 0]);
  });

  it("a key opens the buckets of its grants and nothing else", async () => {
    const put = (key: SpacesCredentials, bucket: string) =>
      call(key, { method: "PUT", bucket, key: "note", body: "text" });
    assert.equal((await put(WRITER, "backups")).status, 200);
    for (const refused of [
      await put(READER, "releases"),
      await put(WRITER, "releases"),
      await call(READER, { method: "GET", bucket: "backups", key: "note" }),
      await call(READER, { method: "GET", bucket: "backups" }),
      await call(READER, { method: "GET" }),
      await call(WRITER, { method: "PUT", bucket: "another" }),
      await call(WRITER, { method: "DELETE", bucket: "backups" }),
      await call(WRITER, {
        method: "PUT",
        bucket: "backups",
        key: "stolen",
        headers: { "x-amz-copy-source": "/releases/hosts/x" },
      }),
    ])
      assert.deepEqual([refused.status, codeOf(refused)], [403, "AccessDenied"]);
  });

  it("is no proxy to anywhere else", async () => {
    const { hostname, port } = new URL(spaces.url);
    const status = await new Promise((resolve, reject) => {
      request({ hostname, port, path: "http://example.com/", headers: { host: "example.com" } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
        .once("error", reject)
        .end();
    });
    assert.equal(status, 400);
  });

  it("refuses a wrong secret, an unknown key and an anonymous request", async () => {
    const get: S3Call = { method: "GET", bucket: "backups", key: "note" };
    const wrong = await call({ ...WRITER, secretKey: "guess" }, get);
    assert.deepEqual([wrong.status, codeOf(wrong)], [403, "SignatureDoesNotMatch"]);
    const unknown = await call({ accessKey: "DO00NOBODY", secretKey: "guess" }, get);
    assert.deepEqual([unknown.status, codeOf(unknown)], [403, "InvalidAccessKeyId"]);
    assert.equal((await call(undefined, get)).status, 403);
  });

  it("a limited key cannot borrow another bucket by an ambiguous request", async () => {
    await call(OWNER, { method: "PUT", bucket: "releases", key: "secret", body: "secret" });
    const presigned = async (query: string) => {
      const { url } = await new AwsV4Signer({
        url: `http://releases.nyc3.digitaloceanspaces.com/secret${query}`,
        accessKeyId: WRITER.accessKey,
        secretAccessKey: WRITER.secretKey,
        service: "s3",
        region: "us-east-1",
        signQuery: true,
      }).sign();
      return url.search.slice(1);
    };
    const lowered = (await presigned("")).replace("X-Amz-Credential", "x-amz-credential");
    const attempts: S3Call[] = [
      { method: "GET", bucket: "releases", key: "secret", query: await presigned("") },
      { method: "GET", bucket: "releases", key: "secret", query: lowered },
      { method: "GET", bucket: "backups", key: "../releases/secret" },
      { method: "GET", key: "backups/../releases/secret" },
      { method: "GET", key: "/releases/secret" },
    ];
    for (const attempt of attempts) {
      const signed = attempt.query === undefined ? WRITER : undefined;
      const answer = await call(signed, attempt);
      assert.ok(
        answer.status === 403 || answer.status === 400,
        `${JSON.stringify(attempt)}: ${answer.status}`,
      );
      assert.doesNotMatch(answer.body.toString(), /^secret$/);
    }
    const form = await call(undefined, {
      method: "POST",
      bucket: "releases",
      headers: { "content-type": "multipart/form-data; boundary=x" },
      body: "--x--",
    });
    assert.deepEqual([form.status, codeOf(form)], [400, "InvalidRequest"]);
  });

  it("a presigned URL works without the key's secret", async () => {
    await call(OWNER, { method: "PUT", bucket: "releases", key: "public", body: "shared" });
    const { url } = await new AwsV4Signer({
      url: "http://releases.nyc3.digitaloceanspaces.com/public",
      accessKeyId: READER.accessKey,
      secretAccessKey: READER.secretKey,
      service: "s3",
      region: "us-east-1",
      signQuery: true,
    }).sign();
    const answer = await call(undefined, {
      method: "GET",
      bucket: "releases",
      key: "public",
      query: url.search.slice(1),
    });
    assert.deepEqual([answer.status, answer.body.toString()], [200, "shared"]);
  });

  it("keeps every version of an object in a versioned bucket", async () => {
    const body =
      '<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>';
    assert.equal(
      (await call(OWNER, { method: "PUT", bucket: "releases", query: "versioning", body })).status,
      200,
    );
    const write = async (text: string) => {
      const put = await call(OWNER, { method: "PUT", bucket: "releases", key: "v", body: text });
      assert.equal(`${put.status} ${put.status === 200 ? "" : put.body}`, "200 ");
      return String(put.headers["x-amz-version-id"]);
    };
    const [first, second] = [await write("one"), await write("two")];
    assert.notEqual(first, second);
    const old = await call(READER, {
      method: "GET",
      bucket: "releases",
      key: "v",
      query: `versionId=${first}`,
    });
    assert.equal(old.body.toString(), "one");
  });

  it("a bucket without a lifecycle has none, and its name is taken in every region", async () => {
    const lifecycle = await call(OWNER, { method: "GET", bucket: "releases", query: "lifecycle" });
    assert.deepEqual([lifecycle.status, codeOf(lifecycle)], [404, "NoSuchLifecycleConfiguration"]);
    const elsewhere = await call(OWNER, { method: "PUT", bucket: "releases" }, "ams3");
    assert.deepEqual([elsewhere.status, codeOf(elsewhere)], [409, "BucketAlreadyExists"]);
    assert.equal((await call(OWNER, { method: "GET", bucket: "releases" }, "ams3")).status, 404);
  });

  it("answers a client that sends the whole address, as through a proxy", async () => {
    const signed = await new AwsV4Signer({
      url: "http://releases.nyc3.digitaloceanspaces.com/?list-type=2",
      accessKeyId: READER.accessKey,
      secretAccessKey: READER.secretKey,
      service: "s3",
      region: "us-east-1",
    }).sign();
    const { connect } = await import("node:net");
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(new URL(spaces.url).port), "127.0.0.1");
      const headers = [...signed.headers].map(([name, value]) => `${name}: ${value}\r\n`).join("");
      socket.write(
        `GET ${signed.url} HTTP/1.1\r\nHost: ${signed.url.host}\r\n${headers}Connection: close\r\n\r\n`,
      );
      let text = "";
      socket.setEncoding("utf8").on("data", (part) => {
        text += part;
      });
      socket.once("end", () => resolve(text)).once("error", reject);
    });
    assert.match(answer, /^HTTP\/1.1 200 [\s\S]*<Name>releases<\/Name>/);
  });

  it("a key that is deleted or changed counts at once", async () => {
    const get = () => call(READER, { method: "GET", bucket: "releases" });
    assert.equal((await get()).status, 200);
    spaces.setAccounts(accounts([READER, { bucket: "backups", permission: "read" }]));
    assert.equal(codeOf(await get()), "AccessDenied");
    spaces.setAccounts([]);
    assert.equal(codeOf(await get()), "InvalidAccessKeyId");
    spaces.setAccounts(all());
    assert.equal((await get()).status, 200);
  });

  it("objects survive a restart, and a killed S3 server comes back with the next requests", async () => {
    await call(OWNER, { method: "PUT", bucket: "releases", key: "kept", body: "kept" });
    const get = () => call(READER, { method: "GET", bucket: "releases", key: "kept" });
    const pid = Number((await readFile(join(dir, "nyc3-us-east-1.process"), "utf8")).split(" ")[0]);
    const server = await identify(pid);
    assert.ok(server !== undefined && (await signal(server, "SIGKILL")));
    const deadline = Date.now() + 20_000;
    let answer = await get();
    while (answer.status !== 200 && Date.now() < deadline) answer = await get();
    assert.equal(answer.body.toString(), "kept");
    await spaces.close();
    await open();
    assert.equal((await get()).body.toString(), "kept");
  });

  it("secrets are readable by their owner alone, and are in no process's arguments", async () => {
    const files = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((one) =>
      one.isFile(),
    );
    for (const file of files) {
      const path = join(file.parentPath, file.name);
      if ((await readFile(path, "utf8")).match(/secret|ROOT_SECRET/i)) {
        assert.equal((await stat(path)).mode & 0o077, 0, path);
      }
    }
    assert.equal((await stat(dir)).mode & 0o077, 0);
    const pid = (await readFile(join(dir, "nyc3-us-east-1.process"), "utf8")).split(" ")[0];
    const root =
      /ROOT_SECRET_ACCESS_KEY=(\w+)/.exec(await readFile(join(dir, "root.env"), "utf8"))?.[1] ?? "";
    assert.match(root, /^\w{40}$/);
    assert.ok(!(await readFile(`/proc/${pid}/cmdline`, "utf8")).includes(root));
  });

  it("works in a folder whose path is too long for a socket", async () => {
    const deep = join(dir, "deep".repeat(30));
    const other = await Spaces.start({ dir: deep, program, port: 0 });
    const hash = createHash("sha256").update(deep).digest("hex").slice(0, 16);
    const sockets = join(tmpdir(), `spaces-${hash}`);
    try {
      other.setAccounts(all());
      const { status } = await callSpaces(other.url, "nyc3", OWNER, { method: "PUT", bucket: "deep-bucket" });
      assert.equal(status, 200);
      assert.equal((await stat(sockets)).mode & 0o777, 0o700);
      assert.ok((await readdir(join(deep, "regions", "nyc3", "buckets"))).includes("deep-bucket"));
    } finally {
      await other.close();
    }
    await assert.rejects(stat(sockets), /ENOENT/);
  });

  it("leaves no process behind", async () => {
    const pid = Number((await readFile(join(dir, "nyc3-us-east-1.process"), "utf8")).split(" ")[0]);
    assert.ok(await identify(pid));
    await spaces.close();
    assert.equal(await identify(pid), undefined);
    await open();
  });
});
