/** Buckets, objects and keys of the stand-in digitalocean plugin, against the sandbox's Spaces. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import type { PulumiFn, Stack } from "@pulumi/pulumi/automation";
import { digitalocean as provider } from "../../../sandbox/plugins/digitalocean/provider";
import { installPlugin, pluginVersion } from "../../../sandbox/plugins/install";
import type { PropertyMap } from "../../../sandbox/plugins/provider/values";
import { callSpaces } from "../../../sandbox/spaces/client";
import { Spaces } from "../../../sandbox/spaces/server";
import { ensureVersitygw } from "../../../sandbox/spaces/versitygw";
import { Account, token } from "./account";
import { cliPath, Engine } from "./engine";
import { type Live, Plugin, secretNames } from "./harness";

const BUILD_WITHIN_MS = 10 * 60_000;
const endpoint = "http://{{.Region}}.digitaloceanspaces.com";
const region = "nyc3";

const md5 = (content: string | Buffer) => createHash("md5").update(content).digest("hex");

/** Requests of this process to names of Spaces go to this address. */
function useProxy(url: string): () => void {
  const names = ["HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"];
  const before = names.map((name) => [name, process.env[name]] as const);
  for (const name of names) delete process.env[name];
  process.env.HTTP_PROXY = url;
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
}

describe("Spaces of the stand-in digitalocean plugin", function () {
  this.timeout(120_000);
  let dir: string;
  let spaces: Spaces;
  let account: Account;

  before(async function () {
    this.timeout(BUILD_WITHIN_MS);
    dir = mkdtempSync(join(tmpdir(), "sw-spaces-"));
    spaces = await Spaces.start({ dir, program: await ensureVersitygw(), port: 0 });
    account = await Account.open(20, 0, spaces);
  });
  after(async () => {
    await account?.close();
    await spaces?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  describe("one resource at a time", () => {
    let plugin: Plugin;
    let owner: Live;
    let restore: () => void;

    const objectIn = (bucket: Live, inputs: PropertyMap) =>
      plugin.create("SpacesBucketObject", { bucket: bucket.id, region, key: "hosts/web-1.json", ...inputs });
    const bucketNamed = (name: string, inputs: PropertyMap = {}) =>
      plugin.create("SpacesBucket", { name, region, ...inputs });
    const contentOf = async (bucket: string, key: string) => {
      const credentials = {
        accessKey: String(owner.state.accessKey),
        secretKey: String(owner.state.secretKey),
      };
      const { status, body } = await callSpaces(spaces.url, region, credentials, {
        method: "GET",
        bucket,
        key,
      });
      return status === 200 ? body.toString() : status;
    };
    const configured = async (key?: Live) =>
      Plugin.start(provider, {
        token,
        apiEndpoint: account.url,
        spacesEndpoint: endpoint,
        ...(key && {
          spacesAccessId: key.state.accessKey ?? "",
          spacesSecretKey: key.state.secretKey ?? "",
        }),
      });

    before(async () => {
      restore = useProxy(spaces.url);
      const first = await configured();
      owner = await first.create("SpacesKey", {
        name: "owner",
        grants: [{ bucket: "", permission: "fullaccess" }],
      });
      await first.stop();
      plugin = await configured(owner);
    });
    after(async () => {
      await plugin?.stop();
      restore?.();
    });

    it("makes, reads, changes and deletes a key; its secret is kept and secret", async () => {
      const key = await plugin.create("SpacesKey", { name: "host", grants: [] });
      assert.match(String(key.state.secretKey), /^\S{20,}$/);
      assert.equal(key.id, key.state.accessKey);
      const grants = [{ bucket: "some-bucket", permission: "read" }];
      const changed = await plugin.update("SpacesKey", key, { name: "host", grants });
      assert.equal(changed.state.secretKey, key.state.secretKey);
      const read = await plugin.read("SpacesKey", changed);
      assert.deepEqual(read?.state.grants, grants);
      assert.equal(read?.state.secretKey, key.state.secretKey);
      assert.deepEqual((await plugin.diff("SpacesKey", changed, changed.inputs)).changed, []);
      const raw = await plugin.createRaw("SpacesKey", key.inputs, false);
      assert.deepEqual(secretNames(raw.getProperties()), ["secretKey"]);
      await plugin.delete("SpacesKey", key);
      assert.equal(await plugin.read("SpacesKey", key), undefined);
      await assert.rejects(plugin.delete("SpacesKey", key), /404/, "as with the official plugin");
    });

    it("makes, reads, imports and deletes a bucket", async () => {
      const bucket = await bucketNamed("lifecycle-test");
      assert.deepEqual(
        [bucket.state.bucketDomainName, bucket.state.endpoint, bucket.state.bucketUrn],
        [
          "lifecycle-test.nyc3.digitaloceanspaces.com",
          "nyc3.digitaloceanspaces.com",
          "do:space:lifecycle-test",
        ],
      );
      assert.deepEqual(bucket.state.versioning, { enabled: false });
      assert.deepEqual((await plugin.diff("SpacesBucket", bucket, bucket.inputs)).changed, []);
      const refreshed = await plugin.read("SpacesBucket", bucket);
      assert.deepEqual([refreshed?.state, refreshed?.inputs], [bucket.state, bucket.inputs]);
      const imported = await plugin.import("SpacesBucket", "nyc3,lifecycle-test");
      assert.deepEqual([imported?.id, imported?.state.region], ["lifecycle-test", region]);
      await assert.rejects(plugin.import("SpacesBucket", "lifecycle-test"), /region,name/);
      const moved = { ...bucket.inputs, region: "fra1" };
      const { replaces, deleteBeforeReplace } = await plugin.diff("SpacesBucket", bucket, moved);
      assert.deepEqual([replaces, deleteBeforeReplace], [["region"], true]);
      await plugin.delete("SpacesBucket", bucket);
      assert.equal(await plugin.read("SpacesBucket", bucket), undefined);
    });

    it("writes an object, and changes it in place", async () => {
      const bucket = await bucketNamed("objects-test");
      const object = await objectIn(bucket, { content: "one", metadata: { number: "1" } });
      assert.equal(object.id, "hosts/web-1.json");
      assert.equal(object.state.etag, md5("one"));
      assert.equal(object.state.versionId, "");
      assert.deepEqual((await plugin.diff("SpacesBucketObject", object, object.inputs)).changed, []);
      const inputs = { ...object.inputs, content: "two", contentType: "text/plain" };
      const diff = await plugin.diff("SpacesBucketObject", object, inputs);
      assert.deepEqual([diff.changed, diff.replaces], [["content", "contentType"], []]);
      const preview = await plugin.updateRaw("SpacesBucketObject", object, inputs, true);
      assert.equal(preview.etag, object.state.etag, "not unknown, as with the official plugin");
      const changed = await plugin.update("SpacesBucketObject", object, inputs);
      assert.equal(await contentOf("objects-test", "hosts/web-1.json"), "two");
      assert.notEqual(changed.state.etag, object.state.etag);
      assert.equal(changed.state.contentType, "text/plain");
      const binary = await objectIn(bucket, {
        key: "a b+c",
        contentBase64: Buffer.from([0, 255]).toString("base64"),
      });
      assert.equal(binary.state.etag, md5(Buffer.from([0, 255])));
      await assert.rejects(objectIn(bucket, { contentBase64: "?" }), /contentBase64 is not Base64/);
      for (const live of [changed, binary]) await plugin.delete("SpacesBucketObject", live);
      assert.equal(await plugin.read("SpacesBucketObject", changed), undefined);
      await plugin.delete("SpacesBucketObject", changed);
      await plugin.delete("SpacesBucket", bucket);
    });

    it("sees changed headers in a refresh, and of changed content the etag only", async () => {
      const bucket = await bucketNamed("drift-test");
      const object = await objectIn(bucket, { content: "own", contentType: "text/plain" });
      const write = (contentType: string) =>
        callSpaces(
          spaces.url,
          region,
          { accessKey: String(owner.state.accessKey), secretKey: String(owner.state.secretKey) },
          {
            method: "PUT",
            bucket: "drift-test",
            key: "hosts/web-1.json",
            body: "foreign",
            headers: { "content-type": contentType },
          },
        );
      await write("text/plain");
      const read = await plugin.read("SpacesBucketObject", object);
      assert.notEqual(read?.state.etag, object.state.etag);
      assert.deepEqual((await plugin.diff("SpacesBucketObject", read!, object.inputs)).changed, []);
      await write("text/html");
      const typed = await plugin.read("SpacesBucketObject", object);
      assert.deepEqual((await plugin.diff("SpacesBucketObject", typed!, object.inputs)).changed, [
        "contentType",
      ]);
      await plugin.update("SpacesBucketObject", typed!, object.inputs);
      assert.equal(await contentOf("drift-test", "hosts/web-1.json"), "own");
      await plugin.delete("SpacesBucketObject", object);
      await plugin.delete("SpacesBucket", bucket);
    });

    it("deletes a bucket with objects only by forceDestroy", async () => {
      const bucket = await bucketNamed("full-test");
      for (const key of ["plain", "a&b <c>", "a/b"]) await objectIn(bucket, { key, content: key });
      await assert.rejects(plugin.delete("SpacesBucket", bucket), /BucketNotEmpty/);
      const forced = await plugin.update("SpacesBucket", bucket, { ...bucket.inputs, forceDestroy: true });
      await plugin.delete("SpacesBucket", forced);
      assert.equal(await plugin.read("SpacesBucket", forced), undefined);
    });

    it("gives each write of a versioned bucket a version, and deletes all of them", async () => {
      const bucket = await bucketNamed("versions-test", { versioning: { enabled: true } });
      assert.deepEqual(bucket.state.versioning, { enabled: true });
      const { versioning: _, ...without } = bucket.inputs;
      assert.deepEqual((await plugin.diff("SpacesBucket", bucket, without)).changed, []);
      const object = await objectIn(bucket, { content: "one" });
      const changed = await plugin.update("SpacesBucketObject", object, { ...object.inputs, content: "two" });
      const again = await plugin.update("SpacesBucketObject", changed, { ...object.inputs, content: "one" });
      assert.equal(new Set([object, changed, again].map(({ state }) => state.versionId)).size, 3);
      assert.equal((await plugin.read("SpacesBucketObject", again))?.state.versionId, again.state.versionId);
      await plugin.delete("SpacesBucketObject", again);
      await plugin.delete("SpacesBucket", bucket);
    });

    it("refuses what it cannot do, with the reason", async () => {
      const reasons = async (type: string, inputs: PropertyMap) =>
        (await plugin.check(type, inputs)).failures.join("\n");
      assert.match(
        await reasons("SpacesBucket", { name: "b", region: "nyc1" }),
        /region.*must be one of ams3/,
      );
      assert.match(
        await reasons("SpacesBucket", { name: "b", lifecycleRules: [{ enabled: true }] }),
        /does not support "lifecycleRules"/,
      );
      const object = { bucket: "b", key: "k", region, content: "c" };
      assert.match(await reasons("SpacesBucketObject", { ...object, source: "f" }), /conflicts with/);
      assert.match(await reasons("SpacesBucketObject", { ...object, acl: "all" }), /private, public-read/);
      assert.match(await reasons("SpacesBucketObject", { ...object, metadata: { A: "1" } }), /lower case/);
      const none = await configured();
      await assert.rejects(
        none.create("SpacesBucket", { name: "no-key", region }),
        /Spaces credentials not configured: set spacesAccessId/,
      );
      await none.stop();
      const reader = await plugin.create("SpacesKey", {
        name: "reader",
        grants: [{ bucket: "elsewhere", permission: "read" }],
      });
      const limited = await configured(reader);
      await assert.rejects(limited.create("SpacesBucket", { name: "not-mine", region }), /403 AccessDenied/);
      await limited.stop();
    });
  });

  it("makes the official plugin's requests", async () => {
    const requests: string[] = [];
    const server = createServer((request, response) => {
      const { method, url, headers } = request;
      const shown = ["x-amz-acl", "content-md5"].filter((name) => name in headers);
      requests.push([method, url, ...shown].join(" "));
      assert.match(String(headers.authorization), /^AWS4-HMAC-SHA256 .*\/us-east-1\/s3\/aws4_request/);
      request.resume();
      const isLifecycle = url?.endsWith("?lifecycle");
      response.writeHead(isLifecycle ? 404 : 200);
      response.end(isLifecycle ? "<Error><Code>NoSuchLifecycleConfiguration</Code></Error>" : "");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const restore = useProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const plugin = await Plugin.start(provider, {
      ...{ token, apiEndpoint: account.url, spacesEndpoint: endpoint },
      ...{ spacesAccessId: "DO00KEY", spacesSecretKey: "secret" },
    });
    try {
      const host = "http://trace.nyc3.digitaloceanspaces.com";
      const reads = [
        "GET http://nyc3.digitaloceanspaces.com/trace?location",
        `GET ${host}/?versioning`,
        `GET ${host}/?lifecycle`,
      ];
      const bucket = await plugin.create("SpacesBucket", { name: "trace", region });
      assert.deepEqual(requests.splice(0), [
        `PUT ${host}/ x-amz-acl`,
        `HEAD ${host}/`,
        `PUT ${host}/?acl x-amz-acl`,
        ...reads,
      ]);
      await plugin.read("SpacesBucket", bucket);
      assert.deepEqual(requests.splice(0), [`HEAD ${host}/`, ...reads]);
      const inputs = { bucket: "trace", region, key: "/a//b", content: "c" };
      const object = await plugin.create("SpacesBucketObject", inputs);
      await plugin.read("SpacesBucketObject", object);
      await plugin.update("SpacesBucketObject", object, { ...inputs, content: "d" });
      await plugin.delete("SpacesBucketObject", object);
      await plugin.delete("SpacesBucket", bucket);
      assert.deepEqual(requests.splice(0), [
        `PUT ${host}/a/b x-amz-acl content-md5`,
        `HEAD ${host}/a/b`,
        `HEAD ${host}/a/b`,
        `PUT ${host}/a/b x-amz-acl content-md5`,
        `HEAD ${host}/a/b`,
        `DELETE ${host}/a/b`,
        `DELETE ${host}/`,
      ]);
    } finally {
      await plugin.stop();
      restore();
      server.closeAllConnections();
      server.close();
    }
  });

  underTheEngine("the stand-in", (engine) => installPlugin(engine.home, "digitalocean"));
  underTheEngine("the official plugin", (engine, suite) => {
    const folder = `plugins/resource-digitalocean-v${pluginVersion("digitalocean")}`;
    const official = join(process.env.PULUMI_HOME || join(homedir(), ".pulumi"), folder);
    if (!existsSync(official)) {
      console.log(`      skipped: ${official} does not exist; pulumi plugin install gets it`);
      return suite.skip();
    }
    rmSync(join(engine.home, folder), { recursive: true, force: true });
    cpSync(official, join(engine.home, folder), { recursive: true });
  });

  function underTheEngine(which: string, install: (engine: Engine, suite: Mocha.Context) => void) {
    describe(`${which} under the real engine, with a provider that is fed from a key`, () => {
      let engine: Engine;
      let stack: Stack;

      /** As a program makes its own key from the account's token. */
      const program =
        (options: { content?: string } = {}): PulumiFn =>
        async () => {
          const key = new digitalocean.SpacesKey("owner", {
            name: "stack-owner",
            grants: [{ bucket: "", permission: "fullaccess" }],
          });
          const own = new digitalocean.Provider("spaces", {
            spacesAccessId: key.accessKey,
            spacesSecretKey: key.secretKey,
          });
          const bucket = new digitalocean.SpacesBucket(
            "releases",
            { region, forceDestroy: true },
            { provider: own },
          );
          const object = new digitalocean.SpacesBucketObject(
            "release",
            {
              bucket: bucket.name,
              region,
              key: "hosts/web-1.json",
              content: pulumi.secret(options.content ?? "content-one"),
            },
            { provider: own },
          );
          const reader = new digitalocean.SpacesKey("host", {
            grants: [{ bucket: bucket.name, permission: "read" }],
          });
          return {
            bucket: bucket.name,
            etag: object.etag,
            accessKey: reader.accessKey,
            secretKey: reader.secretKey,
          };
        };
      const changes = (summary: object | undefined) =>
        Object.fromEntries(Object.entries(summary ?? {}).filter(([, count]) => count !== 0));

      before(async function () {
        engine = await Engine.start(await cliPath(this));
        install(engine, this);
        stack = await engine.stack(
          "spaces",
          {},
          {
            DIGITALOCEAN_TOKEN: token,
            DIGITALOCEAN_API_URL: account.url,
            SPACES_ENDPOINT_URL: endpoint,
            HTTP_PROXY: spaces.url,
          },
        );
      });
      after(() => engine?.stop());

      it("previews while the key is not known", async () => {
        const { changeSummary, stderr } = await stack.preview({ program: program() });
        assert.deepEqual(changes(changeSummary), { create: 6 });
        assert.doesNotMatch(stderr, /warning/);
      });

      it("creates, and a host reads its object with its own key", async () => {
        const { outputs, summary } = await stack.up({ program: program() });
        assert.deepEqual(changes(summary.resourceChanges), { create: 6 });
        const value = (name: string) => String(outputs[name]?.value);
        assert.match(value("bucket"), /^releases-[0-9a-f]{7}$/);
        assert.equal(outputs.secretKey?.secret, true);
        const credentials = { accessKey: value("accessKey"), secretKey: value("secretKey") };
        const get = await callSpaces(spaces.url, region, credentials, {
          method: "GET",
          bucket: value("bucket"),
          key: "hosts/web-1.json",
        });
        assert.equal(get.body.toString(), "content-one");
        const again = await stack.up({ program: program() });
        assert.deepEqual(changes(again.summary.resourceChanges), { same: 6 });
        const state = engine.stateFile("spaces");
        assert.ok(state.includes("SpacesBucketObject"));
        for (const secret of [value("secretKey"), "content-one"]) assert.ok(!state.includes(secret));
      });

      it("changes an object in place; a refresh changes nothing, and an up restores a lost object", async () => {
        const { summary, outputs } = await stack.up({ program: program({ content: "content-two" }) });
        assert.deepEqual(changes(summary.resourceChanges), { same: 5, update: 1 });
        const refresh = await stack.refresh();
        assert.deepEqual(changes(refresh.summary.resourceChanges), { same: 6 });
        const owner = await ownKey(account);
        await callSpaces(spaces.url, region, owner, {
          method: "DELETE",
          bucket: String(outputs.bucket?.value),
          key: "hosts/web-1.json",
        });
        const lost = await stack.refresh();
        assert.deepEqual(changes(lost.summary.resourceChanges), { same: 5, delete: 1 });
        const restored = await stack.up({ program: program({ content: "content-two" }) });
        assert.deepEqual(changes(restored.summary.resourceChanges), { same: 5, create: 1 });
      });

      it("destroys everything", async () => {
        await stack.destroy();
        const { keys } = await account.ask<{ keys: { name: string; grants: object[] }[] }>(
          "GET",
          "/v2/spaces/keys",
        );
        assert.deepEqual(
          keys.filter(({ name }) => name.startsWith("host-") || name === "stack-owner"),
          [],
        );
        const list = await callSpaces(spaces.url, region, await ownKey(account), { method: "GET" });
        assert.doesNotMatch(list.body.toString(), /<Name>releases-/);
      });
    });
  }
});

/** A key of the test, behind the stack's back. */
async function ownKey(account: Account): Promise<{ accessKey: string; secretKey: string }> {
  const grants = [{ bucket: "", permission: "fullaccess" }];
  const { key } = await account.ask<{ key: { access_key: string; secret_key: string } }>(
    "POST",
    "/v2/spaces/keys",
    { name: "of the test", grants },
  );
  return { accessKey: key.access_key, secretKey: key.secret_key };
}
