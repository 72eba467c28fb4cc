import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { certificateFile, certificateTable } from "../../../sandbox/api/resources/certificates";
import { CertificateAuthority, type Issued, inDays } from "./certificateAuthority";
import { assertHolds, describeResource, withFields, without } from "./resourceTable";
import { type Json, TestApi } from "./testApi";

const addDomain = (api: TestApi, name = "example.com") => api.expect(201, "POST", "/v2/domains", { name });

const verified = async (api: TestApi, id: string): Promise<Json> => {
  const answer = await api.until(
    "the certificate is no more pending",
    () => api.expect(200, "GET", `/v2/certificates/${id}`),
    ({ certificate }) => certificate.state !== "pending",
  );
  return answer.certificate;
};

const badName = (name: unknown) => ({
  why: `the name ${JSON.stringify(name)}`,
  body: withFields({ name }),
  message: /^name/,
});
const badNames = (dns_names: unknown, message: RegExp = /^dns_names/) => ({
  why: `the DNS names ${JSON.stringify(dns_names)}`,
  body: withFields({ dns_names }),
  message,
});

describeResource({
  title: "certificates of Let's Encrypt",
  path: () => "/v2/certificates",
  one: "certificate",
  many: "certificates",
  created: 201,
  absent: "00000000-0000-4000-8000-000000000000",
  ground: async (api) => {
    await addDomain(api);
    const body = { name: "taken", type: "lets_encrypt", dns_names: ["example.com"] };
    const { certificate } = await api.expect(201, "POST", "/v2/certificates", body);
    await verified(api, certificate.id);
    return {};
  },
  body: (_ground, n) => ({
    name: `web-${n}`,
    type: "lets_encrypt",
    dns_names: ["www.example.com", "example.com", "*.a.example.com"],
  }),
  settled: (api, { id }) => verified(api, id),
  shown: (body) => ({ ...body, state: "pending" }),
  changes: [],
  bad: [
    { why: "no body", body: () => undefined, message: /^name is required/ },
    { why: "no name", body: without("name"), message: /^name is required/ },
    badName(""),
    badName("a b"),
    badName(1),
    { why: "a name that is taken", body: withFields({ name: "taken" }), message: /^name: .*exists/ },
    { why: "an unknown type", body: withFields({ type: "letsencrypt" }), message: /^type: / },
    { why: "no DNS names", body: without("dns_names"), message: /^dns_names is required/ },
    badNames([]),
    badNames("example.com"),
    badNames(["exa mple.com"]),
    badNames(["example"]),
    badNames(["www.*.example.com"]),
    badNames(["www.example.org"], /www\.example\.org is not managed by DigitalOcean DNS/),
    badNames(["www.example.com", "badexample.com"], /badexample\.com is not managed/),
    badNames(["*.example.org"], /is not managed/),
  ],
});

describe("sandbox api: certificates", () => {
  let api: TestApi;
  let authority: CertificateAuthority;
  let leaf: Issued;
  before(async () => {
    authority = await CertificateAuthority.create();
    leaf = await authority.issue(["www.example.com", "example.com"]);
  });
  beforeEach(async () => {
    api = await TestApi.start();
  });
  afterEach(() => api.close());

  const custom = (fields: Json = {}) => ({
    name: "uploaded",
    type: "custom",
    private_key: leaf.key,
    leaf_certificate: leaf.certificate,
    certificate_chain: authority.certificate,
    ...fields,
  });
  const add = async (body: Json): Promise<Json> =>
    (await api.expect(201, "POST", "/v2/certificates", body)).certificate;

  it("shows of an uploaded certificate what is in it, and keeps the key from everybody", async () => {
    const certificate = await add(custom());
    assertHolds(certificate, {
      name: "uploaded",
      type: "custom",
      state: "verified",
      dns_names: ["www.example.com", "example.com"],
      not_after: leaf.parsed.notAfter.toISOString().replace(".000", ""),
      sha1_fingerprint: createHash("sha1").update(Buffer.from(leaf.parsed.rawData)).digest("hex"),
    });
    const keyLine = leaf.key.split("\n")[1] ?? "";
    const answers = await Promise.all([
      api.expect(200, "GET", `/v2/certificates/${certificate.id}`),
      api.expect(200, "GET", "/v2/certificates"),
    ]);
    assert.ok(!JSON.stringify(answers).includes(keyLine));
    assert.ok(!(await readFile(join(api.stateDir, "state.json"), "utf8")).includes(keyLine));
  });

  it("takes an uploaded certificate without a type, a chain or DNS names", async () => {
    const bare = await authority.issue([]);
    const body = { name: "bare", private_key: bare.key, leaf_certificate: bare.certificate };
    assertHolds(await add(body), { type: "custom", dns_names: [] });
  });

  it("finds a certificate by its exact name", async () => {
    await addDomain(api);
    await add(custom({ name: "web" }));
    await add({ name: "web-2", dns_names: ["example.com"] });
    const list = async (name: string) =>
      (await api.expect(200, "GET", `/v2/certificates?name=${name}`)).certificates.map(
        (one: Json) => one.name,
      );
    assert.deepEqual(await list("web"), ["web"]);
    assert.deepEqual(await list("web-2"), ["web-2"]);
    assert.deepEqual(await list("we"), []);
    assert.deepEqual(await list("WEB"), []);
  });

  it("issues for names of a managed domain, in time", async () => {
    await addDomain(api);
    const first = await add({ name: "le", type: "lets_encrypt", dns_names: ["WWW.example.com"] });
    assertHolds(first, { state: "pending", sha1_fingerprint: "", dns_names: ["www.example.com"] });
    const later = await verified(api, first.id);
    assert.equal(later.state, "verified");
    assert.match(later.sha1_fingerprint, /^[0-9a-f]{40}$/);
    const days = (Date.parse(later.not_after) - Date.now()) / 86_400_000;
    assert.ok(days > 89 && days < 91, `${days} days`);
    assert.deepEqual((await api.expect(200, "GET", "/v2/actions")).actions, [], "no action is listed");
  });

  it("shows what a host driver has issued", async () => {
    await api.close();
    const own = await authority.issue(["example.com"]);
    api = await TestApi.start({
      host: {
        apply: async ({ kind }, store) => {
          if (kind !== "certificates") return;
          const file = { private_key: own.key, leaf_certificate: own.certificate, certificate_chain: "" };
          const [pending] = certificateTable(store).values();
          if (pending) {
            const put = () => store.putFile(certificateFile(pending.id), JSON.stringify(file));
            await store.transaction(put).durable;
          }
        },
      },
    });
    await addDomain(api);
    const { id } = await add({ name: "le", dns_names: ["example.com"] });
    assertHolds(await verified(api, id), {
      state: "verified",
      not_after: own.parsed.notAfter.toISOString().replace(".000", ""),
      sha1_fingerprint: createHash("sha1").update(Buffer.from(own.parsed.rawData)).digest("hex"),
    });
  });

  it("does not issue when the domain has gone meanwhile", async () => {
    await addDomain(api);
    await api.restart({ actionDelayMs: 60_000 });
    const { id } = await add({ name: "le", type: "lets_encrypt", dns_names: ["example.com"] });
    await api.expect(204, "DELETE", "/v2/domains/example.com");
    await api.restart({ actionDelayMs: 1 });
    assert.equal((await verified(api, id)).state, "error");
  });

  const bad: [why: string, fields: () => Promise<Json> | Json, message: RegExp][] = [
    ["no key", () => ({ private_key: undefined }), /^private_key is required/],
    ["no leaf", () => ({ leaf_certificate: undefined }), /^leaf_certificate is required/],
    ["a leaf that is no PEM", () => ({ leaf_certificate: "MIIC" }), /^leaf_certificate: is no certificate/],
    [
      "a leaf cut short",
      () => ({ leaf_certificate: leaf.certificate.replace(/\n.*\n/, "\n") }),
      /^leaf_certificate: is no certificate/,
    ],
    [
      "a key that is no PEM",
      () => ({ private_key: "secret" }),
      /^private_key: is no unencrypted private key/,
    ],
    [
      "a key of another certificate",
      async () => ({ private_key: (await authority.issue([])).key }),
      /^private_key: does not belong to leaf_certificate$/,
    ],
    [
      "a whole chain as the leaf",
      () => ({ leaf_certificate: leaf.certificate + authority.certificate }),
      /^leaf_certificate: holds more than one/,
    ],
    [
      "an expired leaf",
      async () => {
        const old = await authority.issue([], inDays(-1));
        return { leaf_certificate: old.certificate, private_key: old.key };
      },
      /^leaf_certificate: has expired$/,
    ],
    [
      "a chain of another CA",
      async () => ({ certificate_chain: (await CertificateAuthority.create()).certificate }),
      /^certificate_chain: holds no certificate that issued/,
    ],
    [
      "a chain that is no PEM",
      () => ({ certificate_chain: "x" }),
      /^certificate_chain: holds no certificate/,
    ],
  ];
  for (const [why, fields, message] of bad) {
    it(`refuses to upload ${why}`, async () => {
      const told = await api.refuse(422, "POST", "/v2/certificates", custom(await fields()));
      assert.match(told, message);
      assert.ok(!told.includes("secret"), "the key is never quoted");
      assert.equal((await api.expect(200, "GET", "/v2/certificates")).meta.total, 0);
    });
  }

  it("keeps a certificate that a load balancer uses", async () => {
    const { id } = await add(custom());
    const rule = { entry_protocol: "https", entry_port: 443, target_protocol: "http", target_port: 80 };
    const balancer = { name: "lb", region: "nyc3", forwarding_rules: [{ ...rule, certificate_id: id }] };
    const { load_balancer } = await api.expect(202, "POST", "/v2/load_balancers", balancer);
    assert.match(await api.refuse(403, "DELETE", `/v2/certificates/${id}`), /in use/);
    await api.expect(204, "DELETE", `/v2/load_balancers/${load_balancer.id}`);
    await api.expect(204, "DELETE", `/v2/certificates/${id}`);
  });
});
