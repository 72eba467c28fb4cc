import assert from "node:assert/strict";
import { type Json, TestApi } from "./testApi";

describe("sandbox api: many droplets", function () {
  this.timeout(180_000);
  let api: TestApi;
  before(async () => {
    api = await TestApi.start({ actionDelayMs: 100 });
  });
  after(() => api.close());

  it("makes as many as the account may have, each with user data and addresses of its own, and not one more", async () => {
    const { account } = await api.expect(200, "GET", "/v2/account");
    const body = {
      region: "nyc3",
      size: "s-1vcpu-1gb",
      image: "ubuntu-24-04-x64",
      user_data: `#cloud-config\n${"x".repeat(20_000)}`,
      tags: ["many"],
    };
    const began = Date.now();
    for (let count = 0; count < account.droplet_limit; count += 10) {
      const names = Array.from({ length: 10 }, (_, number) => `d${count + number}`);
      await api.expect(202, "POST", "/v2/droplets", { ...body, names });
    }
    console.log(`      ${account.droplet_limit} droplets in ${((Date.now() - began) / 1000).toFixed(1)} s`);
    assert.match(
      await api.refuse(422, "POST", "/v2/droplets", { ...body, name: "one-more" }),
      /droplet limit/,
    );

    await api.restart();
    const addresses = new Set<string>();
    for (let page = 1, last = false; !last; page++) {
      const path = `/v2/droplets?per_page=200&page=${page}&tag_name=many`;
      const answer = await api.until(
        "all of the page are active",
        () => api.expect(200, "GET", path),
        ({ droplets }) => droplets.every((one: Json) => one.status === "active"),
        60_000,
      );
      for (const { networks } of answer.droplets) {
        for (const { ip_address } of networks.v4) addresses.add(ip_address);
      }
      last = !answer.links.pages?.next;
    }
    assert.equal(addresses.size, 2 * account.droplet_limit);
    await api.expect(204, "DELETE", "/v2/droplets?tag_name=many");
    assert.equal((await api.get("/v2/droplets")).body.meta.total, 0);
  });
});
