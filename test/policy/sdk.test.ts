/**
 * The parts of @pulumi/policy and @pulumi/pulumi that the pack relies on and that are not public. If one of these tests
 * fails after an upgrade, read the new SDK: a public interface may replace the part, or the pack must change.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AnalyzerService } from "@pulumi/pulumi/proto/analyzer_grpc_pb";
import { specialSecretSig, specialSigKey } from "@pulumi/pulumi/runtime/rpc";
import { readOnce } from "../../policy/frame/read-once";

/** The versions for which the pack's use of internals was written and tested. */
const WRITTEN_FOR = { "@pulumi/policy": "1.21.0", "@pulumi/pulumi": "3.248.0" };

const textOf = (path: string) => readFileSync(require.resolve(path), "utf8");

describe("internals of the SDK", () => {
  for (const [name, version] of Object.entries(WRITTEN_FOR)) {
    it(`${name} is the version that the pack was written for`, () => {
      const installed = JSON.parse(textOf(`${name}/package.json`)) as { readonly version: string };
      assert.equal(installed.version.replace(/^v/, ""), version);
    });
  }

  it("the pack requires exactly these versions", () => {
    const { peerDependencies } = JSON.parse(
      readFileSync(join(__dirname, "../../policy/package.json"), "utf8"),
    ) as { readonly peerDependencies: Readonly<Record<string, string>> };
    assert.deepEqual(peerDependencies, WRITTEN_FOR);
  });

  it("the engine's mark of a secret is the one that the pack reads, and the SDK does not pass it on", () => {
    assert.equal(specialSigKey, "4dabf18193072939515e22adb298388d");
    assert.equal(specialSecretSig, "1b47061264138c4ac30d75fd1eb44270");
    const types = textOf("@pulumi/policy/policy.d.ts");
    const given = /interface ResourceValidationArgs \{[\s\S]*?\n\}/.exec(types)?.[0] ?? "";
    assert.match(given, /props: Record<string, any>/);
    assert.doesNotMatch(given, /secret/i);
  });

  it("a handler's error reaches the engine through the map that the pack replaces", () => {
    const server = textOf("@pulumi/policy/server");
    const configure = /function configure\(call[\s\S]*?\n}/.exec(server)?.[0] ?? "";
    assert.match(
      configure,
      /try \{[\s\S]*getPolicyconfigMap\(\)[\s\S]*catch \(e\) \{\s*callback\(protoutil_1\.asGrpcError\(e\)/,
    );
  });

  it("the calls that the pack listens to have a function that reads the request", () => {
    for (const call of ["analyze", "configure", "configureStack"] as const)
      assert.equal(typeof AnalyzerService[call].requestDeserialize, "function", call);
  });

  it("the server reads properties through the functions that the pack replaces, in every call", () => {
    const server = textOf("@pulumi/policy/server");
    assert.match(server, /deserialize_1\.deserializeProperties\(/);
    assert.match(server, /proxy_1\.unknownCheckingProxy\(/);
    assert.doesNotMatch(server, /[^.\w](?:deserializeProperties|unknownCheckingProxy)\(/);
  });

  it("the server ignores the stack's configuration and unknown names of policies, which the pack reads", () => {
    const server = textOf("@pulumi/policy/server");
    const configureStack = /function configureStack\([\s\S]*?\n}/.exec(server)?.[0] ?? "";
    assert.match(configureStack, /getTagsMap/);
    assert.doesNotMatch(configureStack, /getConfigMap/);
    assert.match(server, /getPolicyconfigMap\(\)/);
  });

  it("a message is converted once, whatever the number of policies", () => {
    readOnce();
    const deserialization = require("@pulumi/policy/deserialize") as {
      deserializeProperties(message: object, keepSecrets: boolean): object;
    };
    let conversions = 0;
    const message = {
      getFieldsMap: () => {
        conversions += 1;
        return { entries: () => [][Symbol.iterator](), forEach: () => undefined, toObject: () => [] };
      },
      toJavaScript: () => {
        conversions += 1;
        return {};
      },
    };
    const first = deserialization.deserializeProperties(message, false);
    const after = conversions;
    assert.ok(after > 0);
    assert.equal(deserialization.deserializeProperties(message, false), first);
    assert.equal(conversions, after);
  });
});
