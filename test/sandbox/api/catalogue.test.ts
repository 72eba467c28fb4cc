import assert from "node:assert/strict";
import { checkPaging, type Json, TestApi } from "./testApi";

describe("sandbox api: regions and sizes", () => {
  let api: TestApi;
  before(async () => {
    api = await TestApi.start();
  });
  after(() => api.close());

  it("lists regions, some of them closed", async () => {
    const { regions } = await api.expect(200, "GET", "/v2/regions");
    const nyc3 = regions.find(({ slug }: Json) => slug === "nyc3");
    assert.equal(nyc3.available, true);
    assert.ok(nyc3.sizes.includes("s-1vcpu-1gb"));
    const nyc2 = regions.find(({ slug }: Json) => slug === "nyc2");
    assert.deepEqual([nyc2.available, nyc2.sizes], [false, []]);
    await checkPaging(api, "/v2/regions", "regions");
  });

  it("lists sizes with DigitalOcean's figures", async () => {
    const { sizes } = await api.expect(200, "GET", "/v2/sizes?per_page=200");
    const bySlug = Object.fromEntries(sizes.map((size: Json) => [size.slug, size]));
    // `doctl compute size list` of September 2026.
    const known: [string, number, number, number, number][] = [
      ["s-1vcpu-2gb", 1, 2048, 12, 0.01786],
      ["s-2vcpu-4gb", 2, 4096, 24, 0.03571],
      ["s-2vcpu-8gb-amd", 2, 8192, 42, 0.0625],
      ["s-4vcpu-8gb", 4, 8192, 48, 0.07143],
      ["s-4vcpu-16gb-amd", 4, 16384, 84, 0.125],
    ];
    for (const [slug, vcpus, memory, month, hour] of known) {
      const { price_monthly, price_hourly, ...size } = bySlug[slug];
      assert.deepEqual(
        [size.vcpus, size.memory, price_monthly, price_hourly],
        [vcpus, memory, month, hour],
        slug,
      );
    }
    assert.equal(new Set(sizes.map(({ slug }: Json) => slug)).size, sizes.length);
    await checkPaging(api, "/v2/sizes", "sizes");
  });
});

describe("sandbox api: the account", () => {
  it("has its limit of reserved IPs under the new name and the old one", async () => {
    const api = await TestApi.start();
    try {
      const { account } = await api.expect(200, "GET", "/v2/account");
      assert.equal(typeof account.reserved_ip_limit, "number");
      assert.equal(account.reserved_ip_limit, account.floating_ip_limit);
    } finally {
      await api.close();
    }
  });
});
