import assert from "node:assert/strict";
import { useWorld } from "../world/useWorld";

describe("the site on running hosts", function () {
  this.timeout(120_000);
  const world = useWorld();

  it("answers through the load balancer, and shows what it was given", async () => {
    const answer = await world().client.postNote("first note");
    assert.equal(answer.status, 201, answer.body + answer.error);
    const page = await world().client.get("/");
    assert.equal(page.status, 200);
    assert.match(page.body, /first note/);
  });
});
