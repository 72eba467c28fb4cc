import assert from "node:assert/strict";
import * as analyzer from "@pulumi/pulumi/proto/analyzer_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/analyzer_pb";
import { specialSecretSig, specialSigKey } from "@pulumi/pulumi/runtime/rpc";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { registeredResource } from "../../policy/frame/resource";
import { listenForSecrets } from "../../policy/frame/wire-secrets";

const urn = "urn:pulumi:dev::shop::digitalocean:index/droplet:Droplet::web-1";
const secret = (value: string) => ({ [specialSigKey]: specialSecretSig, value });

describe("secrets on the wire", () => {
  it("are told by input, also within lists and objects, as the engine's call says", () => {
    listenForSecrets();
    const request = new messages.AnalyzeRequest();
    request.setUrn(urn);
    request.setProperties(
      Struct.fromJavaScript({
        name: "web-1",
        userData: secret("#cloud-config"),
        tags: ["web", secret("hidden")],
        backupPolicy: { plan: secret("daily") },
        region: "fra1",
      }),
    );
    analyzer.AnalyzerService.analyze.requestDeserialize(Buffer.from(request.serializeBinary()));
    const resource = registeredResource({ urn, type: "", name: "web-1", props: {}, opts: {} });
    for (const input of ["userData", "tags", "backupPolicy"])
      assert.equal(resource.isSecret(input), true, input);
    for (const input of ["name", "region"]) assert.equal(resource.isSecret(input), false, input);
  });

  it("are not known of a resource that the engine has not told of", () => {
    const other = registeredResource({ urn: `${urn}-2`, type: "", name: "web-2", props: {}, opts: {} });
    assert.equal(other.isSecret("userData"), undefined);
    const told = registeredResource({ urn, type: "", name: "x", props: {}, opts: {}, secretInputs: [] });
    assert.equal(told.isSecret("userData"), false, "another source decides where there is one");
  });
});
