import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { offerProblems } from "../../infra/components/offers";
import { parseConfig } from "../../infra/config/parse";
import { buildTopology } from "../../infra/topology";
import { hostSettings } from "../../infra/userdata/hostSettings";
import { placeholderSecrets } from "../../infra/userdata/placeholderSecrets";
import { ofType, type Registrations, registrations, registrationsOf } from "../mocks/registrations";
import { textOf } from "../payload/parsed";
import { testCertificate } from "./certificates";

const dev = { domain: "dev.foobar.com" };
const apiKey = "0123456789abcdef0123456789abcdef";
const prod = { domain: "foobar.com", environment: "production", datadog: JSON.stringify({ apiKey }) };

/** The settings of a stack whose web hosts end the client's TLS session. */
async function passthrough(site: string, chain = "") {
  const pair = await testCertificate([site]);
  const given = { certificate: pair.certificate + chain, privateKey: pair.privateKey };
  return { pair, config: { tls: "passthrough", passthrough: JSON.stringify(given) } };
}

/** The decoded text of user data by droplet, out of the secret's wrapping. */
function userDataOf(stack: Registrations): Map<string, string> {
  return new Map(
    ofType(stack, "Droplet").map(({ name, inputs }) => {
      assert.equal(
        inputs.userData[pulumi.runtime.specialSigKey],
        pulumi.runtime.specialSecretSig,
        "user data is a secret",
      );
      return [name, textOf(inputs.userData.value as string)];
    }),
  );
}

describe("program: converged development stack", () => {
  let stack: Registrations;
  before(async () => {
    stack = await registrations("dev", dev);
  });

  it("has three droplets in the VPC, with the tags of both roles", () => {
    const droplets = ofType(stack, "Droplet");
    assert.deepEqual(
      droplets.map(({ inputs }) => inputs.name),
      ["dev-node-1", "dev-node-2", "dev-node-3"],
    );
    for (const { inputs } of droplets) {
      assert.equal(inputs.vpcUuid, "vpc-id");
      assert.deepEqual(inputs.tags, ["secured-web-dev", "secured-web-dev-web", "secured-web-dev-database"]);
      assert.equal(inputs.monitoring, true);
    }
  });

  it("encrypts from the load balancer to the web hosts, and redirects HTTP", () => {
    const [balancer] = ofType(stack, "LoadBalancer");
    assert.deepEqual(balancer?.inputs.forwardingRules, [
      {
        entryProtocol: "https",
        entryPort: 443,
        targetProtocol: "https",
        targetPort: 443,
        certificateName: "secured-web-dev-www-dev-foobar-com",
      },
    ]);
    assert.equal(balancer.inputs.redirectHttpToHttps, true);
    assert.equal(balancer.inputs.tlsCipherPolicy, "STRONG");
    assert.equal(balancer.inputs.dropletTag, "secured-web-dev-web");
    assert.equal(balancer.inputs.healthcheck.protocol, "https");
  });

  it("has a Let's Encrypt certificate for the site, and lets nobody else issue one", () => {
    const [certificate] = ofType(stack, "Certificate");
    assert.equal(certificate?.inputs.type, "lets_encrypt");
    assert.deepEqual(certificate.inputs.domains, ["www.dev.foobar.com"]);
    const authorization = ofType(stack, "DnsRecord").find(({ inputs }) => inputs.type === "CAA");
    assert.equal(authorization?.inputs.value, "letsencrypt.org.");
  });

  it("has records for the site, every host and every role", () => {
    const records = ofType(stack, "DnsRecord").filter(({ inputs }) => inputs.type === "A");
    const byName = (name: string) =>
      records.filter(({ inputs }) => inputs.name === name).map(({ inputs }) => inputs.value);
    assert.deepEqual(byName("www"), ["198.51.100.1"]);
    assert.equal(byName("node-2.internal").length, 1);
    assert.equal(byName("web.internal").length, 3);
    assert.equal(byName("database.internal").length, 3);
    for (const address of byName("database.internal")) assert.match(address, /^10\.0\.0\.\d+$/);
  });

  it("opens to web hosts 443 from the load balancer alone, and to database hosts 3306 from hosts alone", () => {
    const firewalls = new Map(ofType(stack, "Firewall").map((firewall) => [firewall.name, firewall.inputs]));
    assert.deepEqual([...firewalls.keys()].sort(), ["database", "web"]);
    assert.deepEqual(firewalls.get("web")?.inboundRules, [
      { protocol: "tcp", portRange: "443", sourceLoadBalancerUids: ["load-balancer-id"] },
    ]);
    assert.deepEqual(firewalls.get("database")?.inboundRules, [
      { protocol: "tcp", portRange: "3306", sourceTags: ["secured-web-dev-web"] },
      { protocol: "tcp", portRange: "3306", sourceTags: ["secured-web-dev-database"] },
    ]);
  });

  it("opens to the world, outbound, nothing but DNS, NTP, packages and ICMP", () => {
    for (const { inputs } of ofType(stack, "Firewall")) {
      const open = inputs.outboundRules.filter(
        (rule: { destinationAddresses?: string[] }) => rule.destinationAddresses,
      );
      const ports = open.map(
        (rule: { protocol: string; portRange?: string }) => `${rule.protocol} ${rule.portRange ?? ""}`,
      );
      assert.deepEqual(ports.sort(), ["icmp ", "tcp 443", "tcp 53", "tcp 80", "udp 123", "udp 53"]);
    }
  });

  it("alerts on hosts, load balancer and site, and mails the account's owner", () => {
    const types = ofType(stack, "MonitorAlert").map(({ inputs }) => inputs.type.replace("v1/insights/", ""));
    for (const type of [
      "droplet/cpu",
      "droplet/memory_utilization_percent",
      "droplet/disk_utilization_percent",
      "droplet/load_5",
    ]) {
      assert.ok(types.includes(type), type);
    }
    assert.ok(types.some((type) => type.startsWith("lbaas/")));
    assert.deepEqual(
      ofType(stack, "UptimeAlert")
        .map(({ inputs }) => inputs.type)
        .sort(),
      ["down", "latency", "ssl_expiry"],
    );
    for (const { inputs } of ofType(stack, "MonitorAlert"))
      assert.deepEqual(inputs.alerts.emails, ["owner@example.com"]);
  });

  it("groups load balancer, zone and droplets in one project", () => {
    const [project] = ofType(stack, "Project");
    assert.equal(project?.inputs.resources.length, 7);
    assert.equal(project.inputs.environment, "Development");
  });

  it("changes the configuration of existing hosts by releases alone", () => {
    for (const { ignoreChanges, deleteBeforeReplace, protect } of ofType(stack, "Droplet")) {
      for (const property of ["userData", "sshKeys"]) assert.ok(ignoreChanges.includes(property), property);
      for (const property of ["image", "size"]) assert.ok(!ignoreChanges.includes(property), property);
      assert.equal(deleteBeforeReplace, true);
      assert.equal(protect, false);
    }
  });

  it("tells url, address, droplets, writers and cost", () => {
    const { outputs } = stack;
    assert.equal(outputs.url, "https://www.dev.foobar.com");
    assert.equal(outputs.loadBalancerIp, "198.51.100.1");
    assert.equal(outputs.droplets.length, 3);
    assert.deepEqual(outputs.droplets[0]?.roles, ["web", "database"]);
    assert.deepEqual(
      outputs.databaseWriters,
      [1, 2, 3].map((n) => `node-${n}.internal.dev.foobar.com`),
    );
    assert.deepEqual(outputs.ssh, {
      networks: [],
      hosts: ["node-1", "node-2", "node-3"].map((name, index) => ({
        name,
        address: outputs.droplets[index]?.publicIp,
        hostKey: `ssh-ed25519 ${Buffer.from(`${name}-ssh`).toString("base64")}`,
      })),
    });
    // Three droplets of 18 dollars, one load balancer node of 12, and 5 for Spaces.
    assert.equal(outputs.monthlyCostUsd, 71);
  });

  it("gives each host and service a key of its own, and no host another's", () => {
    const userData = userDataOf(stack);
    assert.equal(userData.size, 3);
    for (const [name, text] of userData) {
      for (const service of ["web", "app", "database"])
        assert.ok(text.includes(`key-of-${name}-${service}`), service);
      for (const other of userData.keys()) {
        if (other !== name) assert.ok(!text.includes(`key-of-${other}-`), `${name} holds a key of ${other}`);
      }
      assert.ok(!text.includes("key-of-ca"), `${name} holds the CA's key`);
    }
  });

  it("passes evidence without secrets", () => {
    const [tier] = ofType(stack, "DatabaseTier");
    const evidence = tier?.inputs.configurationEvidence;
    assert.deepEqual(Object.keys(evidence), ["dev-node-1", "dev-node-2", "dev-node-3"]);
    assert.doesNotMatch(JSON.stringify(evidence), /key-of-|passwordOf/);
    const texts = Object.values<string>(evidence["dev-node-1"].files).join("\n");
    assert.match(texts, /group_replication_ssl_mode\s*=\s*VERIFY_IDENTITY/);
  });
});

describe("program: separated production stack", () => {
  let stack: Registrations;
  before(async () => {
    stack = await registrations("prod", prod);
  });

  it("has web hosts and database hosts apart", () => {
    assert.deepEqual(
      ofType(stack, "Droplet").map(({ inputs }) => inputs.name),
      ["prod-web-1", "prod-web-2", "prod-db-1", "prod-db-2", "prod-db-3"],
    );
  });

  it("backs up and protects the database hosts, and never deletes the zone", () => {
    for (const droplet of ofType(stack, "Droplet").filter(({ name }) => name.startsWith("db-"))) {
      assert.equal(droplet.protect, true);
      assert.equal(droplet.inputs.backups, true);
      assert.deepEqual(droplet.inputs.backupPolicy, { plan: "daily", hour: 4 });
    }
    assert.equal(ofType(stack, "Domain")[0]?.retainOnDelete, true);
  });

  it("keeps the data of each database host on a protected volume of its own, which a new droplet gets", async () => {
    const withVolumes = await registrations("prod", { ...prod, database: '{"storage":"volume"}' });
    const volumes = ofType(withVolumes, "Volume");
    assert.deepEqual(
      volumes.map(({ inputs }) => [inputs.name, inputs.size, inputs.region]),
      [1, 2, 3].map((n) => [`data-prod-db-${n}`, 100, "nyc3"]),
    );
    for (const { protect } of volumes) assert.equal(protect, true);
    for (const { name, inputs, ignoreChanges, replaceOnChanges } of ofType(withVolumes, "Droplet")) {
      assert.deepEqual(inputs.volumeIds, name.startsWith("db-") ? [`${name}-id`] : undefined);
      if (!name.startsWith("db-")) continue;
      assert.deepEqual(replaceOnChanges, ["volumeIds"]);
      assert.ok(ignoreChanges.includes("volumeIds"), "an update of protected hosts replaces none");
    }
    // 3 x 100 GiB x 0.10.
    assert.equal(withVolumes.outputs.monthlyCostUsd, (stack.outputs.monthlyCostUsd ?? 0) + 30);
    assert.deepEqual(ofType(stack, "Volume"), []);
    for (const { inputs } of ofType(stack, "Droplet")) assert.equal(inputs.volumeIds, undefined);
  });

  it("replaces web hosts and the certificate without a gap, and a database host the old one first", () => {
    // Said for each: without a word, the provider deletes a resource with an explicit name first.
    for (const { name, deleteBeforeReplace } of ofType(stack, "Droplet"))
      assert.equal(deleteBeforeReplace, name.startsWith("db-"), name);
    assert.equal(ofType(stack, "Certificate")[0]?.deleteBeforeReplace, false);
  });

  it("gives web hosts no database key and database hosts no web key", () => {
    for (const [name, text] of userDataOf(stack)) {
      const isWeb = name.startsWith("web-");
      assert.equal(text.includes(`key-of-${name}-web`), isWeb);
      assert.equal(text.includes(`key-of-${name}-database`), !isWeb);
      assert.equal(text.includes("passwordOfreplicationpassword"), !isWeb);
    }
  });

  it("puts the Datadog key into user data alone", () => {
    for (const text of userDataOf(stack).values()) assert.ok(text.includes(apiKey));
    const plain = stack.resources.map(({ inputs: { userData, ...rest } }) => JSON.stringify(rest));
    for (const inputs of plain) assert.ok(!inputs.includes(apiKey));
  });

  it("counts droplets, backups of database hosts, load balancer nodes and the subscription of Spaces", () => {
    // 2 x 24 + 3 x 48 + 30 % of 3 x 48 + 2 x 12 + 5.
    assert.equal(stack.outputs.monthlyCostUsd, 48 + 144 + 43.2 + 24 + 5);
  });

  it("has no monthly cost if DigitalOcean no longer lists a size", async () => {
    const retired = { ...prod, web: '{"size":"s-1vcpu-3gb"}' };
    assert.equal((await registrations("prod", retired)).outputs.monthlyCostUsd, undefined);
  });

  it("lets one named host be replaced, and no other", async () => {
    const replacing = await registrations("prod", { ...prod, replaceHost: "db-2" });
    for (const { name, ignoreChanges, protect } of ofType(replacing, "Droplet").filter(({ name }) =>
      name.startsWith("db-"),
    )) {
      assert.equal(protect, name !== "db-2");
      for (const property of ["image", "size"])
        assert.equal(ignoreChanges.includes(property), name !== "db-2", property);
    }
    await assert.rejects(
      registrations("prod", { ...prod, replaceHost: "db-9" }),
      /replaceHost: expected one of web-1, .*got db-9/,
    );
    for (const replaceHost of [{}, { replaceHost: "db-1" }])
      await assert.rejects(
        registrations("prod", { ...prod, ...replaceHost, forceHost: "db-2" }),
        /forceHost: expected the host of secured-web:replaceHost \((none|db-1)\), got db-2/,
      );
  });
});

describe("program: variants", () => {
  it("rotation of the CA: at each step all certificates are of one CA, which every host trusts before and after", async () => {
    const steps: { signer: string; trusted: string[] }[] = [];
    for (const step of [0, 1, 2, 3]) {
      const stack = await registrations("dev", { ...dev, rotation: JSON.stringify({ ca: step }) });
      const signers = new Set(
        ofType(stack, "LocallySignedCert").map(({ inputs }) => String(inputs.caCertPem)),
      );
      const [signer = ""] = signers;
      assert.equal(signers.size, 1);
      const trusted = new Set(
        [...userDataOf(stack).values()].map((text) =>
          [...new Set(text.match(/certificate-of-ca-\d/g))].sort().join(" "),
        ),
      );
      assert.equal(trusted.size, 1, "all hosts trust the same ones");
      steps.push({
        signer: /certificate-of-ca-\d/.exec(signer)?.[0] ?? "",
        trusted: [...trusted].join().split(" "),
      });
    }
    const [first, second] = ["certificate-of-ca-0", "certificate-of-ca-1"] as const;
    assert.deepEqual(steps, [
      { signer: first, trusted: [first] },
      { signer: first, trusted: [first, second] },
      { signer: second, trusted: [first, second] },
      { signer: second, trusted: [second] },
    ]);
  });

  it("rotation of a host's keys is about this host, and no other", async () => {
    const settings = { ...dev, replaceHost: "node-2", rotation: '{"hostKeys":1}' };
    const counters = ofType(await registrations("dev", settings), "Stash").filter(({ name }) =>
      name.endsWith("-keys"),
    );
    assert.deepEqual(
      counters.map(({ name, inputs, ignoreChanges }) => [
        name,
        inputs.input,
        ignoreChanges.includes("input"),
      ]),
      [
        ["node-1-keys", 0, true],
        ["node-2-keys", 1, false],
        ["node-3-keys", 0, true],
      ],
    );
  });

  it("rotation of a host's keys needs the host, and that of passwords a group", async () => {
    for (const [settings, error] of [
      [{ rotation: '{"hostKeys":1}' }, /rotation\.hostKeys: requires secured-web:replaceHost/],
      [
        { rotation: '{"passwords":1}', replication: "source-replica" },
        /rotation\.passwords: requires replication group/,
      ],
    ] as const)
      await assert.rejects(registrations("dev", { ...dev, ...settings }), error);
  });

  it("passthrough: TLS ends on the web host, and the client's address comes by the PROXY protocol", async () => {
    const { pair, config } = await passthrough("www.dev.foobar.com");
    const stack = await registrations("dev", { ...dev, ...config });
    const [balancer] = ofType(stack, "LoadBalancer");
    assert.equal(balancer?.inputs.forwardingRules[0].tlsPassthrough, true);
    assert.equal(balancer.inputs.enableProxyProtocol, true);
    assert.equal(ofType(stack, "Certificate").length, 0);
    const keyLine = pair.privateKey.split("\n")[1] ?? "";
    for (const text of userDataOf(stack).values()) assert.ok(text.includes(keyLine));
  });

  it("operators: SSH from their networks alone", async () => {
    const stack = await registrations("dev", { ...dev, operators: '{"networks":["192.0.2.0/24"]}' });
    const firewall = ofType(stack, "Firewall").find(({ name }) => name === "operators");
    assert.deepEqual(firewall?.inputs.inboundRules, [
      { protocol: "tcp", portRange: "22", sourceAddresses: ["192.0.2.0/24"] },
    ]);
    assert.deepEqual(firewall.inputs.tags, ["secured-web-dev"]);
  });

  it("a zone that exists already is looked up, not created", async () => {
    const stack = await registrations("dev", { ...dev, createDomain: "false" });
    assert.equal(ofType(stack, "Domain").length, 0);
    assert.equal(
      ofType(stack, "DnsRecord").find(({ name }) => name === "site")?.inputs.domain,
      "dev.foobar.com",
    );
  });

  for (const [subdomain, createDomain, name] of [
    ["www", "true", "@"],
    ["www", "false", "www"],
    ["@", "false", "@"],
  ] as const) {
    it(`a CAA record for ${subdomain}, createDomain ${createDomain}: at ${name}`, async () => {
      const stack = await registrations("dev", { ...dev, createDomain, subdomain });
      const records = ofType(stack, "DnsRecord").filter(({ inputs }) => inputs.type === "CAA");
      assert.deepEqual(
        records.map(({ inputs }) => [inputs.name, inputs.tag, inputs.value]),
        [[name, "issue", "letsencrypt.org."]],
      );
      const site = subdomain === "@" ? "dev.foobar.com" : `${subdomain}.dev.foobar.com`;
      assert.deepEqual(ofType(stack, "Certificate")[0]?.inputs.domains, [site]);
    });
  }

  it("adding a web host changes no other host's user data", async () => {
    const before = userDataOf(await registrations("prod", prod));
    const after = userDataOf(await registrations("prod", { ...prod, web: '{"count":4}' }));
    assert.equal(after.size, before.size + 2);
    for (const [name, text] of before) assert.equal(after.get(name), text, name);
  });

  it("a role's setting changes that role's user data alone", async () => {
    const before = userDataOf(await registrations("prod", prod));
    const after = userDataOf(await registrations("prod", { ...prod, database: '{"bufferPoolMib":1234}' }));
    for (const [name, text] of before) assert.equal(after.get(name) === text, !name.startsWith("db-"), name);
  });
});

describe("program: user data over DigitalOcean's 64 KiB", () => {
  it("is refused with its size and the limit, before anything is registered", async () => {
    const long = randomBytes(60_000).toString("base64");
    const chain = `-----BEGIN CERTIFICATE-----\nMARKER${long}\n-----END CERTIFICATE-----\n`;
    const { config } = await passthrough("www.dev.foobar.com", chain);
    await assert.rejects(registrations("dev", { ...dev, ...config }), (error) => {
      assert.ok(pulumi.RunError.isInstance(error));
      assert.match(
        error.message,
        /the user data of dev-node-1 has \d+ bytes, and DigitalOcean accepts at most 65536/,
      );
      assert.doesNotMatch(error.message, /MARKER/);
      return true;
    });
  });

  it("is judged with stand-ins that are no smaller than real keys and certificates", async () => {
    const names = ["node-1", "database"].map(
      (name) => `${name}.internal.${"a".repeat(60)}.${"b".repeat(60)}.com`,
    );
    const real = await testCertificate(names);
    const topology = buildTopology("dev", {
      topology: "converged",
      domain: "dev.foobar.com",
      web: { count: 2, size: "s" },
      database: { count: 3, size: "s" },
    });
    const [host] = topology.hosts;
    assert.ok(host);
    const settings = hostSettings("dev", parseConfig({ "secured-web:domain": "dev.foobar.com" }), topology);
    const standIns = placeholderSecrets({ host, topology, settings }, undefined);
    for (const pair of [standIns.web, standIns.app, standIns.database]) {
      assert.ok(pair && pair.certificate.length >= real.certificate.length);
      assert.ok(pair.privateKey.length >= real.privateKey.length);
    }
  });
});

describe("program: what is not on offer", () => {
  /** The problems with a database host. */
  async function problemsOf(config: Record<string, string>): Promise<readonly string[]> {
    const raw = Object.entries({ ...dev, ...config }).map(([key, value]) => [`secured-web:${key}`, value]);
    const parsed = parseConfig(Object.fromEntries(raw));
    const find = async () => ({ problems: await offerProblems(parsed, "database", {}) });
    return (await registrationsOf(find, "dev")).outputs.problems;
  }

  it("finds no problem with the defaults", async () => {
    assert.deepEqual(await problemsOf({}), []);
  });

  const wrong: [title: string, config: Record<string, string>, message: RegExp][] = [
    [
      "a region that is not listed",
      { region: "syd1" },
      /secured-web:region: expected one of fra1, nyc3, got syd1/,
    ],
    ["a region that is full", { region: "sfo2" }, /secured-web:region: expected one of fra1, nyc3, got sfo2/],
    [
      "an unknown size",
      { database: '{"size":"s-99vcpu"}' },
      /secured-web:database\.size: expected a size that nyc3 offers \(such as s-1vcpu-1gb.*got s-99vcpu/,
    ],
    ["an unknown image", { image: "cp-m" }, /secured-web:image: expected the slug of an image .*, got cp-m/],
    [
      "an image that the region lacks",
      { region: "fra1" },
      /secured-web:image: ubuntu-26-04-x64 is not available in fra1/,
    ],
  ];
  for (const [title, config, message] of wrong) {
    it(`finds ${title}`, async () => {
      const problems = await problemsOf(config);
      assert.equal(problems.length, 1);
      assert.match(problems[0] ?? "", message);
    });
  }
});
