import assert from "node:assert/strict";
import { describeResource, withFields } from "./resourceTable";
import { type Json, TestApi } from "./testApi";

const badName = (name: unknown) => ({
  why: `the name ${JSON.stringify(name)?.slice(0, 30)}`,
  body: withFields({ name }),
  message: /^name/,
});

describeResource({
  title: "domains",
  path: () => "/v2/domains",
  one: "domain",
  many: "domains",
  created: 201,
  absent: "example.net",
  id: (domain) => domain.name,
  ground: async (api) => {
    await api.expect(201, "POST", "/v2/domains", { name: "example.org" });
    return {};
  },
  body: (_ground, n) => ({ name: `a${n}.example.com` }),
  settled: async (api, { name }) => (await api.expect(200, "GET", `/v2/domains/${name}`)).domain,
  shown: ({ name }) => ({ name, ttl: 1800, zone_file: null }),
  changes: [],
  bad: [
    { why: "no body", body: () => undefined, message: /^name is required/ },
    badName(""),
    badName("example"),
    badName("exa mple.com"),
    badName("-a.example.com"),
    badName("a..example.com"),
    badName(`${"x".repeat(64)}.example.com`),
    badName(`${"x.".repeat(130)}com`),
    badName(7),
    {
      why: "a name that is taken",
      body: withFields({ name: "example.org" }),
      message: /^name already exists$/,
    },
    {
      why: "a taken name in capitals",
      body: withFields({ name: "EXAMPLE.org" }),
      message: /^name already exists$/,
    },
    { why: "a wrong address", body: withFields({ ip_address: "1.2.3" }), message: /^ip_address: / },
    { why: "an IPv6 address", body: withFields({ ip_address: "2001:db8::1" }), message: /^ip_address: / },
  ],
});

describe("sandbox api: domains", () => {
  let api: TestApi;
  beforeEach(async () => {
    api = await TestApi.start();
  });
  afterEach(() => api.close());

  const add = (fields: Json = {}) =>
    api.expect(201, "POST", "/v2/domains", { name: "example.com", ...fields });
  const records = async () =>
    (await api.expect(200, "GET", "/v2/domains/example.com/records")).domain_records;

  it("begins with SOA and name servers, and an A record where an address is given", async () => {
    await add({ ip_address: "1.2.3.4" });
    const shown = (await records()).map(
      ({ type, name, data, ttl }: Json) => `${name} ${ttl} ${type} ${data}`,
    );
    assert.deepEqual(shown, [
      "@ 1800 SOA 1800",
      "@ 1800 NS ns1.digitalocean.com",
      "@ 1800 NS ns2.digitalocean.com",
      "@ 1800 NS ns3.digitalocean.com",
      "@ 1800 A 1.2.3.4",
    ]);
  });

  it("shows the zone as a file", async () => {
    await add({ ip_address: "1.2.3.4" });
    const extra: Json[] = [
      { type: "MX", name: "@", data: "mail", priority: 10 },
      {
        type: "SRV",
        name: "_sip._tcp",
        data: "sip.example.org.",
        priority: 1,
        weight: 2,
        port: 5060,
        ttl: 300,
      },
      { type: "CAA", name: "@", data: "letsencrypt.org.", flags: 0, tag: "issue" },
      { type: "TXT", name: "long", data: `"${"x".repeat(300)}` },
      { type: "CNAME", name: "www", data: "@" },
    ];
    for (const record of extra) await api.expect(201, "POST", "/v2/domains/example.com/records", record);
    const { domain } = await api.expect(200, "GET", "/v2/domains/example.com");
    const lines = domain.zone_file.split("\n");
    assert.match(
      lines[2],
      /^example\.com\. IN SOA ns1\.digitalocean\.com\. hostmaster\.example\.com\. \d{10} /,
    );
    lines.splice(2, 1);
    assert.deepEqual(lines, [
      "$ORIGIN example.com.",
      "$TTL 1800",
      "example.com. 1800 IN NS ns1.digitalocean.com.",
      "example.com. 1800 IN NS ns2.digitalocean.com.",
      "example.com. 1800 IN NS ns3.digitalocean.com.",
      "example.com. 1800 IN A 1.2.3.4",
      "example.com. 1800 IN MX 10 mail.example.com.",
      "_sip._tcp.example.com. 300 IN SRV 1 2 5060 sip.example.org.",
      'example.com. 1800 IN CAA 0 issue "letsencrypt.org"',
      `long.example.com. 1800 IN TXT "\\"${"x".repeat(254)}" "${"x".repeat(46)}"`,
      "www.example.com. 1800 IN CNAME example.com.",
      "",
    ]);
  });

  it("takes names in any case, and an empty address as none", async () => {
    const { domain } = await api.expect(201, "POST", "/v2/domains", { name: "EXAMPLE.com", ip_address: "" });
    assert.equal(domain.name, "example.com");
    assert.equal((await records()).length, 4);
    await api.expect(200, "GET", "/v2/domains/Example.com");
  });

  it("deletes its records with it: a new domain of the name has none of them", async () => {
    await add();
    const { domain_record } = await api.expect(201, "POST", "/v2/domains/example.com/records", {
      type: "A",
      name: "www",
      data: "1.2.3.4",
    });
    await api.expect(204, "DELETE", "/v2/domains/example.com");
    await api.refuse(404, "GET", "/v2/domains/example.com/records");
    await add();
    await api.refuse(404, "GET", `/v2/domains/example.com/records/${domain_record.id}`);
    assert.equal((await records()).length, 4);
  });
});
