import assert from "node:assert/strict";
import { checkAnswer } from "./openapi";

const KEY = { id: 1, fingerprint: "aa", public_key: "ssh-rsa AAAA", name: "k" };

describe("sandbox api: the check against OpenAPI", () => {
  it("takes what is described", () => {
    checkAnswer("GET", "/v2/account/keys/1", 200, { ssh_key: KEY });
    checkAnswer("GET", "/v2/account/keys/1", 404, { id: "not_found", message: "x" });
    checkAnswer("DELETE", "/v2/account/keys/1", 204, undefined);
    checkAnswer("PUT", "/v2/account/keys/1", 422, { id: "unprocessable_entity", message: "x" });
  });

  const wrong: [why: string, method: string, path: string, status: number, body: unknown, message: RegExp][] =
    [
      ["a missing field", "GET", "/v2/account/keys/1", 200, { ssh_key: { name: "k" } }, /public_key/],
      [
        "a field of the wrong type",
        "GET",
        "/v2/account/keys/1",
        200,
        { ssh_key: { ...KEY, id: "1" } },
        /must be integer/,
      ],
      ["a list without meta", "GET", "/v2/account/keys", 200, { ssh_keys: [] }, /'meta'/],
      ["an error without message", "GET", "/v2/account/keys/1", 404, { id: "not_found" }, /'message'/],
      ["another success code", "POST", "/v2/account/keys", 200, { ssh_key: KEY }, /knows no answer 200/],
      ["a body where none belongs", "DELETE", "/v2/account/keys/1", 204, {}, /no body/],
      ["a time that is none", "GET", "/v2/actions/1", 200, { action: { started_at: "today" } }, /date-time/],
      [
        "a status that is not in the list",
        "GET",
        "/v2/actions/1",
        200,
        { action: { status: "done" } },
        /allowed values/,
      ],
    ];
  for (const [why, method, path, status, body, message] of wrong) {
    it(`refuses ${why}`, () => {
      assert.throws(() => checkAnswer(method, path, status, body), message);
    });
  }
});
