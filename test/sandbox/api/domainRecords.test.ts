import assert from "node:assert/strict";
import { assertHolds, describeResource, withFields, without } from "./resourceTable";
import { type Json, TestApi } from "./testApi";

const PATH = "/v2/domains/example.com/records";
const ground = async (api: TestApi) => {
  await api.expect(201, "POST", "/v2/domains", { name: "example.com" });
  return {};
};
const badData = (type: string, data: unknown, message: RegExp, fields: Json = {}) => ({
  why: `${type} ${JSON.stringify(data)?.slice(0, 30)}`,
  body: () => ({ type, name: "bad", data, ...fields }),
  message,
});
const badName = (name: unknown) => ({
  why: `the name ${JSON.stringify(name)?.slice(0, 30)}`,
  body: withFields({ name }),
  message: /^name/,
});
const srv = { type: "SRV", name: "_a._tcp", data: "b.example.org.", priority: 0, weight: 0, port: 0 };
const caa = { type: "CAA", name: "@", data: "letsencrypt.org.", flags: 0, tag: "issue" };

describeResource({
  title: "domain records",
  path: () => PATH,
  one: "domain_record",
  many: "domain_records",
  created: 201,
  absent: "1",
  ground,
  body: (_ground, n) => ({ type: "A", name: `www${n}`, data: "1.2.3.4", ttl: 300 }),
  shown: (body) => ({ ...body, priority: null, port: null, weight: null, flags: null, tag: null }),
  changes: [
    ["PUT", () => ({ type: "A", name: "web", data: "1.2.3.5" }), { name: "web", data: "1.2.3.5", ttl: 300 }],
    // As the official provider sends it: no type.
    ["PUT", () => ({ name: "web", data: "1.2.3.6", ttl: 60 }), { type: "A", data: "1.2.3.6", ttl: 60 }],
    ["PATCH", () => ({ type: "A", name: "blog" }), { name: "blog", data: "1.2.3.6" }],
    ["PATCH", () => ({ ttl: 30 }), { name: "blog", ttl: 30 }],
  ],
  bad: [
    { why: "no body", body: () => undefined, message: /^type is required/ },
    { why: "no type", body: without("type"), message: /^type is required/ },
    { why: "no name", body: without("name"), message: /^name is required/ },
    { why: "no data", body: without("data"), message: /^data is required/ },
    { why: "an unknown type", body: withFields({ type: "PTR" }), message: /^type: / },
    { why: "a second SOA", body: withFields({ type: "SOA" }), message: /^type: / },
    badName("a b"),
    badName("a..b"),
    badName("-a"),
    badName("a.*"),
    badName("x".repeat(64)),
    badName("x.".repeat(124)),
    { why: "a ttl of 29", body: withFields({ ttl: 29 }), message: /^ttl: must be at least 30/ },
    { why: "a ttl of 2^31", body: withFields({ ttl: 2 ** 31 }), message: /^ttl: / },
    { why: "a ttl of a half", body: withFields({ ttl: 300.5 }), message: /^ttl: / },
    badData("A", "1.2.3", /^IP address did not match IPv4 format/),
    badData("A", "2001:db8::1", /^IP address did not match IPv4 format/),
    badData("A", "www.example.org.", /^IP address did not match IPv4 format/),
    badData("A", 7, /^data: /),
    badData("AAAA", "1.2.3.4", /^IP address did not match IPv6 format/),
    badData("AAAA", "2001:db8::g", /^IP address did not match IPv6 format/),
    badData("CNAME", "www.example.org", /^Data needs to end with a dot \(\.\)$/),
    badData("CNAME", "1_2 3.", /^data: /),
    badData("CNAME", `${"x".repeat(64)}.`, /^data: /),
    badData("NS", "ns1.example.org", /^Data needs to end with a dot/),
    badData("MX", "mail.example.org", /^Data needs to end with a dot/, { priority: 10 }),
    badData("MX", "mail.example.org.", /^priority is required/),
    badData("MX", "mail.example.org.", /^priority: /, { priority: 65_536 }),
    badData("MX", "mail.example.org.", /^priority: /, { priority: -1 }),
    badData("TXT", "x".repeat(4097), /^data: /),
    { why: "SRV without a port", body: () => without("port")(srv), message: /^port is required/ },
    { why: "SRV without a weight", body: () => without("weight")(srv), message: /^weight is required/ },
    { why: "SRV without a priority", body: () => without("priority")(srv), message: /^priority is required/ },
    { why: "SRV with port 65536", body: () => ({ ...srv, port: 65_536 }), message: /^port: / },
    { why: "CAA without flags", body: () => without("flags")(caa), message: /^flags is required/ },
    { why: "CAA without a tag", body: () => without("tag")(caa), message: /^tag is required/ },
    { why: "CAA with flags 256", body: () => ({ ...caa, flags: 256 }), message: /^flags: / },
    { why: "CAA with an unknown tag", body: () => ({ ...caa, tag: "issued" }), message: /^tag: / },
    {
      why: "CAA without a dot",
      body: () => ({ ...caa, data: "letsencrypt.org" }),
      message: /needs to end with a dot/,
    },
    {
      why: "CAA iodef that is no URL",
      body: () => ({ ...caa, tag: "iodef", data: "me" }),
      message: /^data: /,
    },
    {
      why: "a CNAME at the apex",
      body: () => ({ type: "CNAME", name: "@", data: "a.example.org." }),
      message: /^CNAME records cannot share a name with other records$/,
    },
  ],
});

describe("sandbox api: domain records", () => {
  let api: TestApi;
  beforeEach(async () => {
    api = await TestApi.start();
    await ground(api);
  });
  afterEach(() => api.close());

  const add = async (record: Json): Promise<Json> =>
    (await api.expect(201, "POST", PATH, record)).domain_record;
  const read = async (id: number): Promise<Json> =>
    (await api.expect(200, "GET", `${PATH}/${id}`)).domain_record;

  const kept: [given: Json, shown: Json][] = [
    [
      { type: "A", name: "@", data: "1.2.3.4" },
      { name: "@", ttl: 1800 },
    ],
    [{ type: "A", name: "*", data: "1.2.3.4" }, { name: "*" }],
    [{ type: "A", name: "*.a", data: "1.2.3.4" }, { name: "*.a" }],
    [{ type: "A", name: "WWW", data: "1.2.3.4" }, { name: "www" }],
    [{ type: "A", name: "example.com.", data: "1.2.3.4" }, { name: "@" }],
    [{ type: "A", name: "www.example.com.", data: "1.2.3.4" }, { name: "www" }],
    [{ type: "AAAA", name: "www", data: "2001:db8::1" }, { data: "2001:db8::1" }],
    [{ type: "CNAME", name: "www", data: "a.example.org." }, { data: "a.example.org" }],
    [{ type: "CNAME", name: "www", data: "@" }, { data: "@" }],
    [{ type: "CNAME", name: "www", data: "example.com." }, { data: "@" }],
    [{ type: "CNAME", name: "www", data: "web" }, { data: "web.example.com" }],
    [{ type: "CNAME", name: "_acme-challenge", data: "x.example.org." }, { name: "_acme-challenge" }],
    [{ type: "NS", name: "sub", data: "ns1.example.org." }, { data: "ns1.example.org" }],
    [{ type: "NS", data: "ns4.example.org." }, { name: "@" }],
    [
      { type: "MX", name: "@", data: "mail.example.org.", priority: 0 },
      { priority: 0, data: "mail.example.org" },
    ],
    [{ type: "TXT", name: "@", data: "v=spf1 -all" }, { data: "v=spf1 -all" }],
    [srv, { priority: 0, weight: 0, port: 0, data: "b.example.org" }],
    [caa, { flags: 0, tag: "issue", data: "letsencrypt.org" }],
    [{ ...caa, data: ";" }, { data: ";" }],
    [{ ...caa, tag: "iodef", data: "mailto:me@example.com" }, { data: "mailto:me@example.com" }],
    // As Go clients send it: zero for all that the type does not have.
    [
      { type: "A", name: "w", data: "1.2.3.4", priority: 0, port: 0, ttl: 300, weight: 0, flags: 0, tag: "" },
      { priority: null, port: null, weight: null, flags: null, tag: null, ttl: 300 },
    ],
  ];
  for (const [given, shown] of kept) {
    it(`keeps ${given.type} ${given.name ?? ""} ${given.data}`, async () => {
      const record = await add(given);
      assertHolds(record, { type: given.type, ...shown });
      const changed = await api.expect(200, "PATCH", `${PATH}/${record.id}`, { ttl: 600 });
      assert.deepEqual(changed.domain_record, { ...record, ttl: 600 }, "the rest stays as it is");
    });
    // A PUT checks the data that is there as if it were given: without the dot that it was given with.
    const isHostName = String(given.data).endsWith(".") && shown.data !== "@";
    it(`${isHostName || given.data === "web" ? "refuses" : "takes"} a PUT of a TTL alone for ${given.type} ${given.data}`, async () => {
      const record = await add(given);
      const path = `${PATH}/${record.id}`;
      if (isHostName || given.data === "web") {
        assert.equal(await api.refuse(422, "PUT", path, { ttl: 600 }), "Data needs to end with a dot (.)");
        assert.deepEqual(await read(record.id), record);
        await api.expect(200, "PUT", path, { ttl: 600, data: `${record.data}.` });
      } else {
        await api.expect(200, "PUT", path, { ttl: 600 });
      }
      assert.deepEqual(await read(record.id), { ...record, ttl: 600 });
    });
  }

  it("finds records by type and by fully qualified name", async () => {
    await add({ type: "A", name: "www", data: "1.2.3.4" });
    await add({ type: "AAAA", name: "www", data: "2001:db8::1" });
    await add({ type: "A", name: "@", data: "1.2.3.4" });
    const found = async (query: string) =>
      (await api.expect(200, "GET", `${PATH}?${query}`)).domain_records.map(
        ({ type, name }: Json) => `${type} ${name}`,
      );
    assert.deepEqual(await found("type=A"), ["A www", "A @"]);
    assert.deepEqual(await found("name=www.example.com"), ["A www", "AAAA www"]);
    assert.deepEqual(await found("name=www.example.com&type=AAAA"), ["AAAA www"]);
    assert.deepEqual(await found("name=example.com&type=A"), ["A @"]);
    assert.deepEqual(await found("name=www"), []);
    assert.match(await api.refuse(422, "GET", `${PATH}?type=PTR`), /^type: must be one of A, AAAA, /);
  });

  it("lets a CNAME share its name with nothing", async () => {
    const message = /^CNAME records cannot share a name with other records$/;
    const cname = await add({ type: "CNAME", name: "www", data: "@" });
    const other = await add({ type: "A", name: "web", data: "1.2.3.4" });
    assert.match(await api.refuse(422, "POST", PATH, { type: "A", name: "www", data: "1.2.3.4" }), message);
    assert.match(await api.refuse(422, "POST", PATH, { type: "CNAME", name: "www", data: "a." }), message);
    assert.match(await api.refuse(422, "PUT", `${PATH}/${other.id}`, { name: "www" }), message);
    assert.match(await api.refuse(422, "PATCH", `${PATH}/${cname.id}`, { name: "web" }), message);
    assert.deepEqual(await read(other.id), other);
    await api.expect(200, "PUT", `${PATH}/${cname.id}`, { type: "CNAME", name: "www", data: "web" });
  });

  it("gives all records of a name and type the newest one's ttl", async () => {
    const old = await add({ type: "TXT", name: "@", data: "one", ttl: 1800 });
    const other = await add({ type: "A", name: "@", data: "1.2.3.4", ttl: 1800 });
    await add({ type: "TXT", name: "@", data: "two", ttl: 300 });
    assert.equal((await read(old.id)).ttl, 300);
    assert.equal((await read(other.id)).ttl, 1800);
  });

  it("changes the SOA record's ttl and nothing else of it", async () => {
    const [soa] = (await api.expect(200, "GET", `${PATH}?type=SOA`)).domain_records;
    const path = `${PATH}/${soa.id}`;
    const changed = await api.expect(200, "PUT", path, { type: "SOA", ttl: 600 });
    assertHolds(changed.domain_record, { type: "SOA", name: "@", ttl: 600, data: "600" });
    assert.match(await api.refuse(422, "PUT", path, { type: "A", data: "1.2.3.4" }), /^type: /);
    assert.match(await api.refuse(422, "DELETE", path), /SOA record of a domain cannot be deleted/);
    assert.match(
      await api.refuse(422, "PATCH", `${PATH}/${(await add(caa)).id}`, { type: "SOA" }),
      /^type: /,
    );
  });

  it("finds no record by the id of another domain's", async () => {
    await api.expect(201, "POST", "/v2/domains", { name: "example.org" });
    const { id } = await add({ type: "A", name: "www", data: "1.2.3.4" });
    for (const method of ["GET", "PUT", "PATCH", "DELETE"]) {
      await api.refuse(404, method, `/v2/domains/example.org/records/${id}`, {});
    }
    await api.refuse(404, "POST", "/v2/domains/example.net/records", {
      type: "A",
      name: "a",
      data: "1.2.3.4",
    });
  });
});
