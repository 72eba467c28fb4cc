/** The client's TLS session ends on the web host: the authenticated way through a load balancer that verifies nobody. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { clientNamespace, dropletNamespace } from "../../../sandbox/hosts/instance";
import { CLIENT_ADDRESS } from "../../../sandbox/hosts/network/addresses";
import { runIn } from "../../../sandbox/hosts/network/namespace";
import { waitFor } from "../../waitFor";
import { useOwnWorld } from "../world/useWorld";
import { type Issued, TestAuthority } from "./pki";

const SITE = "www.dev.foobar.com";
const CLAIMED = "203.0.113.66";
const FORGE = join(__dirname, "forge.cjs");

describe("proofs: tls passthrough", function () {
  this.timeout(180_000);
  let authority: TestAuthority;
  let given: Issued;
  const world = useOwnWorld(async () => {
    authority = await TestAuthority.create("the site's authority");
    given = await authority.issue({ names: [SITE] });
    return {
      config: {
        tls: "passthrough",
        topology: "separated",
        replication: "source-replica",
        "database.count": "1",
        "passthrough.certificate": JSON.stringify(given.certificate),
      },
      secrets: { "passthrough.privateKey": given.privateKey },
      roots: authority.certificate,
    };
  });
  const web = () => world().hostsWith("web");

  /** The addresses that nginx has logged for a path, on all web hosts. */
  async function clientsOf(path: string): Promise<readonly string[]> {
    const lines = await Promise.all(
      web().map((host) => host.run(`grep -F '"path":"${path}"' /var/log/nginx/access.log || true`)),
    );
    return lines
      .flatMap((text) => text.split("\n"))
      .flatMap((line) => (line === "" ? [] : [(JSON.parse(line) as { client: string }).client]));
  }

  it("the client sees the certificate that was given, and the load balancer holds none", async () => {
    const args = ["s_client", "-connect", `${world().loadBalancerIp}:443`, "-servername", SITE, "-showcerts"];
    const { stdout } = await world().client.run("openssl", args);
    const [pem] = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(stdout) ?? [];
    assert.ok(pem, stdout);
    const seen = new X509Certificate(pem).fingerprint256;
    assert.equal(seen, new X509Certificate(given.certificate).fingerprint256);
    const { certificates } = await world().account.call<{ certificates: object[] }>("GET", "certificates");
    assert.deepEqual(certificates, []);
  });

  it("nginx's log has the client's address, from the PROXY line", async () => {
    const answer = await world().client.get("/who-asks");
    assert.equal(answer.status, 404);
    await waitFor("the line in the log", async () => (await clientsOf("/who-asks")).length > 0, {
      within: 20,
    });
    assert.deepEqual(await clientsOf("/who-asks"), [CLIENT_ADDRESS]);
  });

  it("a client refuses another authority's certificate, another name, and one that has expired", async () => {
    const curl = async (args: readonly string[]) =>
      (await world().client.run("curl", ["-s", "-o", "/dev/null", ...args])).code;
    const trusted = ["--cacert", world().provider.certificates.rootsFile];
    const page = `https://${SITE}/`;
    const other = ["--resolve", `other.test:443:${world().loadBalancerIp}`, "https://other.test/"];
    // curl(1), EXIT CODES: 60, the peer's certificate cannot be authenticated.
    assert.equal(await curl([...trusted, page]), 0);
    assert.equal(await curl([page]), 60, "another authority");
    assert.equal(await curl([...trusted, ...other]), 60, "another name");
    assert.equal(await curl(["--insecure", ...other]), 0, "only the check of the name refuses it");
    const expired = await authority.issue({ names: [SITE], days: -1 });
    await serve(expired);
    try {
      assert.equal(await curl([...trusted, page]), 60, "expired");
      assert.equal(await curl(["--insecure", page]), 0, "only the check of the dates refuses it");
    } finally {
      await serve(given);
    }
    assert.equal(await curl([...trusted, page]), 0);
  });

  it("a forged PROXY line reaches nginx neither by the load balancer nor around it; without firewalls it does", async () => {
    const [first, second] = web();
    assert.ok(first && second);
    const { instance } = world();
    const forge = (namespace: string, address: string, path: string) =>
      runIn(namespace, process.execPath, [FORGE, address, SITE, path, CLAIMED]);
    const outside = clientNamespace(instance);
    const beside = dropletNamespace(instance, second.identity.dropletId);
    // The load balancer's own line comes first, and then the forged one stands where TLS should begin.
    assert.equal(await forge(outside, world().loadBalancerIp, "/forged"), "nothing");
    assert.equal(await forge(outside, first.publicIp, "/forged"), "nothing");
    assert.equal(await forge(beside, first.privateIp, "/forged"), "nothing");
    assert.deepEqual(await clientsOf("/forged"), []);

    const { firewalls } = await world().account.call<{ firewalls: { id: string }[] }>("GET", "firewalls");
    for (const { id } of firewalls) await world().account.call("DELETE", `firewalls/${id}`);
    await first.run("nft delete table inet secured_web");
    assert.match(await forge(beside, first.privateIp, "/forged"), /^HTTP/);
    await waitFor("the line in the log", async () => (await clientsOf("/forged")).length > 0, { within: 20 });
    assert.deepEqual(await clientsOf("/forged"), [CLAIMED]);
  });

  async function serve({ certificate, privateKey }: Issued): Promise<void> {
    for (const host of web()) {
      await host.write("/etc/nginx/tls/server.pem", certificate);
      await host.write("/etc/nginx/tls/server.key", privateKey);
      await host.run("systemctl reload nginx.service");
    }
    const serial = new X509Certificate(certificate).serialNumber;
    const isServed = async () => {
      // nginx expects a PROXY line before TLS: it is asked through the load balancer, often enough to meet each host.
      const answers = await Promise.all(
        [1, 2, 3, 4].map(() =>
          world().client.run("openssl", [
            "s_client",
            "-connect",
            `${world().loadBalancerIp}:443`,
            "-servername",
            SITE,
          ]),
        ),
      );
      return answers.every(({ stdout }) => {
        const [pem] = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(stdout) ?? [];
        return pem !== undefined && new X509Certificate(pem).serialNumber === serial;
      });
    };
    await waitFor("nginx serves the certificate", isServed, { within: 40 });
  }
});
