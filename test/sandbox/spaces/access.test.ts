import assert from "node:assert/strict";
import type { Grant } from "../../../sandbox/api/core/spaces";
import { isAllowed, readRequest, UnclearRequest } from "../../../sandbox/spaces/access";
import { credentialOf, UnclearCredential } from "../../../sandbox/spaces/credential";

const DOMAIN = "nyc3.digitaloceanspaces.com";

/** Whether a key with the grants may make a request, written as "METHOD [HOST]PATH". */
function allowed(grants: readonly Grant[], line: string, copySource?: string): boolean {
  const [method = "", address = ""] = line.split(" ");
  const slash = address.indexOf("/");
  const host = slash === 0 ? "127.0.0.1" : address.slice(0, slash);
  return isAllowed(grants, readRequest(method, host, address.slice(slash), copySource, DOMAIN));
}

describe("access to Spaces", () => {
  const read: Grant[] = [{ bucket: "own", permission: "read" }];
  const write: Grant[] = [{ bucket: "own", permission: "readwrite" }];
  const both: Grant[] = [...write, { bucket: "other", permission: "read" }];
  const full: Grant[] = [{ bucket: "", permission: "fullaccess" }];

  const cases: [string, Grant[], string, boolean][] = [
    ["read", read, "GET /own/a", true],
    ["read", read, "HEAD /own/a/b", true],
    ["read", read, "GET /own?list-type=2&prefix=a", true],
    ["read", read, `GET own.${DOMAIN}/a`, true],
    ["read", read, `GET other.${DOMAIN}/own/a`, false],
    ["read", read, `GET ${DOMAIN}/own/a`, true],
    ["read", read, "GET /other/a", false],
    ["read", read, "GET /own2/a", false],
    ["read", read, "GET /%6fwn/a", true],
    ["read", read, "GET /OWN/a", false],
    ["read", read, "GET /", false],
    ["read", read, "PUT /own/a", false],
    ["read", read, "DELETE /own/a", false],
    ["read", read, "POST /own?delete", false],
    ["read", read, "PUT /own?policy", false],
    ["readwrite", write, "PUT /own/a", true],
    ["readwrite", write, "PUT /own/a?partNumber=1&uploadId=x", true],
    ["readwrite", write, "POST /own/a?uploads", true],
    ["readwrite", write, "DELETE /own/a", true],
    ["readwrite", write, "POST /own?delete", true],
    ["readwrite", write, "PUT /own", false],
    ["readwrite", write, "DELETE /own", false],
    ["readwrite", write, "PUT /own?versioning", false],
    ["readwrite", write, "PUT /own?policy", false],
    ["readwrite", write, "PUT /own/a?acl", false],
    ["readwrite", write, "PUT /other/a", false],
    ["readwrite", write, "PUT /new-bucket", false],
    ["two grants", both, "GET /other/a", true],
    ["two grants", both, "PUT /other/a", false],
    ["full access", full, "PUT /new-bucket", true],
    ["full access", full, "GET /", true],
    ["full access", full, "PUT /any?policy", true],
    ["none", [], "GET /own/a", false],
    ["an empty permission", [{ bucket: "own", permission: "" }], "GET /own/a", false],
  ];
  for (const [name, grants, line, expected] of cases) {
    it(`${name}: ${line} is ${expected ? "allowed" : "refused"}`, () => {
      assert.equal(allowed(grants, line), expected);
    });
  }

  it("a copy needs read access to its source", () => {
    assert.equal(allowed(write, "PUT /own/a", "/own/b"), true);
    assert.equal(allowed(write, "PUT /own/a", "other/b"), false);
    assert.equal(allowed(write, "PUT /own/a", "%2Fother%2Fb"), false);
    assert.equal(allowed(both, "PUT /own/a", "/other/b"), true);
  });

  for (const target of [
    "/own/../other/a",
    "/own/./a",
    "//other/a",
    "/own/%2e%2e/other/a",
    "/own/%zz",
    "own/a",
  ]) {
    it(`refuses the path ${target}, which could name another bucket than it shows`, () => {
      assert.throws(() => readRequest("GET", "127.0.0.1", target, undefined, DOMAIN), UnclearRequest);
    });
  }
});

describe("the credential of an S3 request", () => {
  const scope = "KEY/20260801/us-east-1/s3/aws4_request";
  const header = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`;
  const query = (text: string) => new URLSearchParams(text);

  it("is in the header, in a presigned URL, or absent", () => {
    const expected = { accessKey: "KEY", signingRegion: "us-east-1" };
    assert.deepEqual(credentialOf(header, query("")), expected);
    assert.deepEqual(
      credentialOf(undefined, query(`X-Amz-Credential=${encodeURIComponent(scope)}`)),
      expected,
    );
    assert.equal(credentialOf(undefined, query("list-type=2")), undefined);
  });

  const unclear: [string, string | undefined, string][] = [
    ["in both places", header, `X-Amz-Credential=${scope}`],
    [
      "twice in the query",
      undefined,
      `X-Amz-Credential=${scope}&X-Amz-Credential=OTHER/1/us-east-1/s3/aws4_request`,
    ],
    ["twice in the query, in another case", undefined, `X-Amz-Credential=${scope}&x-amz-credential=${scope}`],
    ["twice in the header", `${header}, Credential=OTHER/1/us-east-1/s3/aws4_request`, ""],
    ["of signature version 2", "AWS KEY:signature", ""],
    ["of another scheme", "Bearer token", ""],
    ["without a region", "AWS4-HMAC-SHA256 Credential=KEY, Signature=0", ""],
  ];
  for (const [name, authorization, text] of unclear) {
    it(`is refused ${name}`, () => {
      assert.throws(() => credentialOf(authorization, query(text)), UnclearCredential);
    });
  }
});
