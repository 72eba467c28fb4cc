import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Authority } from "../../sandbox/hosts/balancer/authority";
import { authorityIssuer } from "../../sandbox/hosts/balancer/certificates";
import type { Provider } from "../../sandbox/hosts/provider";
import { attempt } from "../../sandbox/hosts/run";
import type { Balancer, Certificate, Domain, ForwardingRule, World } from "../../sandbox/hosts/world";
import { waitFor } from "../waitFor";
import { skipWithoutHosts } from "./requirement";
import { asClient, balancer, droplet, EMPTY, openProvider } from "./testWorld";
import { nothingIsLeft } from "./world/leftovers";

/** nginx on each host answers who it is and whom it sees: in plain text, in TLS of its own, and behind PROXY. */
const USER_DATA = `#cloud-config
write_files:
  - path: /etc/nginx/sites-enabled/default
    content: |
      ssl_certificate /etc/nginx/own.pem;
      ssl_certificate_key /etc/nginx/own.key;
      server {
        listen 8080 default_server;
        listen 8443 ssl default_server;
        http2 on;
        location = /health { return 200 "ok"; }
        location / { return 200 "$hostname $scheme $server_protocol for=$http_x_forwarded_for proto=$http_x_forwarded_proto port=$http_x_forwarded_port\\n"; }
      }
      server {
        listen 9443 ssl proxy_protocol default_server;
        location / { return 200 "$hostname client=$proxy_protocol_addr\\n"; }
      }
runcmd:
  - openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout /etc/nginx/own.key -out /etc/nginx/own.pem -subj /CN=own
  - systemctl restart nginx
`;
const SITE = "www.foobar.test";
const custom = "44444444-0000-4000-8000-000000000004";
const managed = "55555555-0000-4000-8000-000000000005";

describe("load balancers", function () {
  this.timeout(300_000);
  const one = droplet(2, { tags: ["web"], userData: USER_DATA });
  const two = droplet(3, { tags: ["web"], userData: USER_DATA });
  const domain: Domain = {
    name: "foobar.test",
    ttl: 1800,
    records: [
      {
        type: "A",
        name: "www",
        data: "203.0.113.2",
        priority: null,
        port: null,
        weight: null,
        flags: null,
        tag: null,
        ttl: 60,
      },
    ],
  };
  const base: World = { ...EMPTY, droplets: [one, two], domains: [domain] };
  let world: World = base;
  let provider: Provider;
  let certificate: Certificate;
  let ca: string;

  const http: ForwardingRule = {
    entry_protocol: "http",
    entry_port: 80,
    target_protocol: "http",
    target_port: 8080,
  };
  const https: ForwardingRule = {
    entry_protocol: "http2",
    entry_port: 443,
    target_protocol: "https",
    target_port: 8443,
    certificate_id: custom,
  };
  /** Sets the load balancer and waits until its backends are as many as expected. */
  async function set(values: Partial<Balancer>, healthy = 2): Promise<void> {
    const edge = balancer({ tag: "web", ...values });
    world = { ...world, balancers: [edge] };
    await provider.updateBalancers(world);
    await provider.updateFirewalls(world);
    await waitFor("healthy backends", async () => {
      const states = await provider.balancers.states(edge.id);
      const up = states.filter(({ status }) => status.startsWith("UP"));
      return up.length === healthy * edge.forwarding_rules.length;
    });
  }
  const curl = async (...args: string[]) => {
    const resolve = ["--resolve", `${SITE}:443:203.0.113.2`, "--resolve", `${SITE}:80:203.0.113.2`];
    return asClient(provider, "curl", ["-sS", "-m", "5", ...resolve, ...args]);
  };

  before(async function () {
    await skipWithoutHosts(this);
    provider = await openProvider();
    await Promise.all([provider.createDroplet(() => base, one), provider.createDroplet(() => base, two)]);
    const authority = new Authority(join(provider.instance.dir, "test-ca"));
    const { certificates, privateKey } = await authority.issue([SITE]);
    ca = authority.certificateFile;
    certificate = {
      id: custom,
      name: "given",
      type: "custom",
      certificate: certificates,
      chain: "",
      privateKey,
    };
    world = { ...base, certificates: [certificate] };
    await provider.updateCertificates(() => world);
  });
  after(async () => {
    if (!provider) return;
    await provider.destroy();
    await nothingIsLeft(provider.instance);
  });

  it("forward HTTP to all healthy droplets of their tag, and say who asks", async () => {
    await set({ forwarding_rules: [http] });
    const answers = new Set<string>();
    for (let n = 0; n < 6; n++) answers.add((await curl(`http://${SITE}/`)).stdout);
    assert.deepEqual([...answers].sort(), [
      "host-2 http HTTP/1.1 for=192.0.2.10 proto=http port=80\n",
      "host-3 http HTTP/1.1 for=192.0.2.10 proto=http port=80\n",
    ]);
  });

  it("end TLS with the given certificate and speak TLS to backends that no one verifies", async () => {
    await set({ forwarding_rules: [http, https], redirect_http_to_https: true });
    const answer = await curl("--cacert", ca, "-w", "%{http_version}", `https://${SITE}/`);
    assert.match(answer.stdout, /^host-[23] https HTTP\/1\.1 for=192\.0\.2\.10 proto=https port=443\n2$/);
    assert.notEqual(
      (await curl(`https://${SITE}/`)).code,
      0,
      "a client that trusts somebody else refuses it",
    );
    const redirect = await curl(
      "-o",
      "/dev/null",
      "-w",
      "%{http_code} %{redirect_url}",
      `http://${SITE}/path`,
    );
    assert.equal(redirect.stdout, `307 https://${SITE}/path`);
    const old = await curl("--cacert", ca, "--tls-max", "1.1", `https://${SITE}/`);
    assert.notEqual(old.code, 0, "TLS 1.1 is refused");
  });

  it("pass TLS through, with the client's address in the PROXY protocol", async () => {
    const passthrough: ForwardingRule = {
      ...https,
      target_port: 9443,
      certificate_id: "",
      tls_passthrough: true,
    };
    const check = { ...balancer().health_check, protocol: "https" as const, port: 9443, path: "/" };
    await set({ forwarding_rules: [passthrough], enable_proxy_protocol: true, health_check: check });
    const answer = await curl("-k", "-v", `https://${SITE}/`);
    assert.match(answer.stdout, /^host-[23] client=192\.0\.2\.10\n$/);
    assert.match(answer.stderr, /subject: CN=own/, "the session ends on the host");
  });

  it("forward TCP as it comes, and nothing of it where a port has no rule", async () => {
    const tcp: ForwardingRule = {
      entry_protocol: "tcp",
      entry_port: 9000,
      target_protocol: "tcp",
      target_port: 8080,
    };
    const check = { ...balancer().health_check, protocol: "tcp" as const, port: 8080, path: "" };
    await set({ forwarding_rules: [tcp], health_check: check });
    assert.match(
      (await curl("http://203.0.113.2:9000/")).stdout,
      /^host-[23] http HTTP\/1\.1 for= proto= port=\n$/,
    );
    assert.notEqual((await curl("http://203.0.113.2:9001/")).code, 0);
  });

  it("keep a client on its droplet by a cookie", async () => {
    await set({
      forwarding_rules: [http],
      sticky_sessions: { type: "cookies", cookie_name: "DO-LB", cookie_ttl_seconds: 300 },
    });
    const jar = join(provider.instance.dir, "cookies");
    const hosts = new Set<string>();
    for (let n = 0; n < 6; n++)
      hosts.add((await curl("-b", jar, "-c", jar, `http://${SITE}/`)).stdout.split(" ")[0] ?? "");
    assert.equal(hosts.size, 1);
  });

  it("turn away whom their lists deny or do not allow", async () => {
    const code = async () => (await curl("-o", "/dev/null", `http://${SITE}/`)).code;
    await set({ forwarding_rules: [http], firewall: { allow: [], deny: ["ip:192.0.2.10"] } });
    assert.notEqual(await code(), 0);
    await set({ forwarding_rules: [http], firewall: { allow: ["ip:192.0.2.99"], deny: [] } });
    assert.notEqual(await code(), 0);
    await set({ forwarding_rules: [http], firewall: { allow: ["cidr:192.0.2.0/24"], deny: [] } });
    assert.equal(await code(), 0);
  });

  it("take a failing droplet out, and answer 503 without any", async () => {
    await set({ forwarding_rules: [http] });
    const isUp = async (name: string) =>
      (await provider.balancers.states(balancer().id)).some(
        ({ server, status }) => server === name && status.startsWith("UP"),
      );
    await provider.host(one.id).run("systemctl", ["stop", "nginx"]);
    await waitFor("the failing host to be taken out", async () => !(await isUp("d500000002")));
    for (let n = 0; n < 4; n++) assert.match((await curl(`http://${SITE}/`)).stdout, /^host-3 /);
    await provider.host(two.id).run("systemctl", ["stop", "nginx"]);
    await waitFor("no healthy host", async () => !(await isUp("d500000003")));
    assert.equal((await curl("-o", "/dev/null", "-w", "%{http_code}", `http://${SITE}/`)).stdout, "503");
    // A reload forgets nothing: what was down is down in the new worker too.
    world = {
      ...world,
      balancers: [balancer({ tag: "web", forwarding_rules: [http], http_idle_timeout_seconds: 61 })],
    };
    await provider.updateBalancers(world);
    assert.equal(await isUp("d500000002"), false);
    for (const { id } of [one, two]) await provider.host(id).run("systemctl", ["start", "nginx"]);
    await waitFor("both again", async () => (await isUp("d500000002")) && (await isUp("d500000003")));
  });

  it("change without losing a request", async () => {
    await set({ forwarding_rules: [http], enable_backend_keepalive: true });
    const script = `end=$(($(date +%s) + 6)); ok=0; bad=0
while [ $(date +%s) -lt $end ]; do
  if curl -s -f -m 5 -o /dev/null http://203.0.113.2/; then ok=$((ok+1)); else bad=$((bad+1)); fi
done; echo $ok $bad`;
    const load = asClient(provider, "bash", ["--norc", "-c", script]);
    for (let n = 0; n < 6; n++) {
      const backends =
        n % 2 === 0 ? { tag: undefined, droplet_ids: [one.id] } : { tag: "web", droplet_ids: [] };
      await set(
        { forwarding_rules: [http], ...backends, http_idle_timeout_seconds: 60 + n },
        n % 2 === 0 ? 1 : 2,
      );
    }
    const [ok = 0, bad = 0] = (await load).stdout.trim().split(" ").map(Number);
    assert.ok(ok > 50, `${ok} requests`);
    assert.equal(bad, 0, `${bad} of ${ok + bad} requests were lost`);
  });

  it("change without closing a client's idle connection, on which a request may be on its way", async () => {
    await set({ forwarding_rules: [http] });
    const goOn = join(provider.instance.dir, "idle-client-goes-on");
    const client = asClient(provider, process.execPath, [
      "--eval",
      `const { Agent, get } = require("node:http");
       const agent = new Agent({ keepAlive: true });
       const ask = () => new Promise((resolve) => {
         const sent = get({ host: "203.0.113.2", agent }, (answer) =>
           answer.resume().on("end", () => resolve([answer.statusCode, sent.reusedSocket])));
         sent.on("error", (error) => resolve([error.code, sent.reusedSocket]));
       });
       ask().then(async (first) => {
         require("node:fs").writeFileSync(process.argv[1], "");
         while (require("node:fs").existsSync(process.argv[1])) await new Promise((next) => setTimeout(next, 50));
         console.log(JSON.stringify([first, await ask()]));
         agent.destroy();
       });`,
      goOn,
    ]);
    await waitFor("the client's first answer", async () => existsSync(goOn));
    await set({ forwarding_rules: [http], http_idle_timeout_seconds: 70 });
    rmSync(goOn);
    assert.deepEqual(JSON.parse((await client).stdout), [
      [200, false],
      [200, true],
    ]);
  });

  it("serve a certificate of the ACME server for type lets_encrypt", async function () {
    if (!provider.issuer.name.startsWith("pebble")) {
      console.log(`      skipped: certificates here are signed by ${provider.issuer.name}`);
      this.skip();
    }
    const order: Certificate = { id: managed, name: "managed", type: "lets_encrypt", domains: [SITE] };
    world = { ...world, certificates: [certificate, order] };
    await provider.updateServices(world);
    await set({ forwarding_rules: [http] });
    world = {
      ...world,
      balancers: [balancer({ tag: "web", forwarding_rules: [{ ...https, certificate_id: managed }] })],
    };
    await provider.updateBalancers(world);
    assert.notEqual((await curl("-k", `https://${SITE}/`)).code, 0, "there is no certificate yet");
    await provider.updateCertificates(() => world);
    const roots = provider.certificates.rootsFile;
    await waitFor(
      "the site",
      async () => (await curl("--cacert", roots, "-f", `https://${SITE}/`)).code === 0,
    );
    assert.match(
      await readFile(roots, "utf8").then((pem) => new X509Certificate(pem).subject),
      /Pebble Root CA/,
    );
  });

  it("are on this machine's loopback address, by the client's way", async () => {
    await set({ forwarding_rules: [http, https] });
    const portOf = (entry: number) => provider.published.find(({ entryPort }) => entryPort === entry)?.port;
    const ask = async (...args: string[]) => (await attempt("curl", ["-sS", "-m", "5", ...args])).stdout;
    const page = /^host-[23] https .* for=192\.0\.2\.10 /;
    const connect = ["--connect-to", `${SITE}:443:127.0.0.1:${portOf(443)}`];
    assert.match(await ask("--cacert", ca, ...connect, `https://${SITE}/`), page);
    assert.match(await ask(`http://127.0.0.1:${portOf(80)}/`), /^host-[23] http .* for=192\.0\.2\.10 /);

    await set({ forwarding_rules: [https], redirect_http_to_https: true });
    const where = ["-o", "/dev/null", "-w", "%{redirect_url}"];
    const http80 = `http://127.0.0.1:${portOf(80)}/a?b=c`;
    assert.equal(await ask(...where, http80), `https://127.0.0.1:${portOf(443)}/a?b=c`);
    // As a browser that knows the name: the redirect leads to the page.
    const known = [80, 443].flatMap((entry) => ["--resolve", `${SITE}:${portOf(entry)}:127.0.0.1`]);
    assert.match(await ask("--cacert", ca, "-L", ...known, `http://${SITE}:${portOf(80)}/`), page);
  });
});

describe("the sandbox's own CA", () => {
  it("says what it is, and signs for the names it is given", async () => {
    const { mkdtemp, rm } = await import("node:fs/promises");
    const { tmpdir } = await import("node:os");
    const dir = await mkdtemp(join(tmpdir(), "sw-ca-"));
    try {
      const authority = new Authority(dir);
      const issued = await authorityIssuer(authority).issue(["www.foobar.test", "foobar.test"]);
      const leaf = new X509Certificate(issued.certificates);
      const root = new X509Certificate(issued.roots);
      assert.match(root.subject, /not a public authority/);
      assert.ok(leaf.verify(root.publicKey));
      assert.equal(leaf.checkHost("foobar.test"), "foobar.test");
      assert.equal(leaf.checkHost("evil.test"), undefined);
      await writeFile(join(dir, "leaf.pem"), issued.certificates);
      const { stdout } = await attempt("openssl", [
        "verify",
        "-CAfile",
        authority.certificateFile,
        join(dir, "leaf.pem"),
      ]);
      assert.match(stdout, /OK/);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
});
