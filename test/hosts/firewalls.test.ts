import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { firewallTable } from "../../sandbox/hosts/network/firewall";
import type { Provider } from "../../sandbox/hosts/provider";
import { attempt } from "../../sandbox/hosts/run";
import type { Firewall, Peers, World } from "../../sandbox/hosts/world";
import { waitFor } from "../waitFor";
import { skipWithoutHosts } from "./requirement";
import { asClient, balancer, droplet, EMPTY, FOREIGN_VPC, openProvider } from "./testWorld";
import { nothingIsLeft } from "./world/leftovers";

const ANYBODY: Peers = { addresses: ["0.0.0.0/0", "::/0"] };
interface Rule {
  readonly protocol: "tcp" | "udp" | "icmp";
  readonly ports: string;
  readonly action?: "allow" | "deny";
  readonly peers: Peers;
}
const rule = (protocol: Rule["protocol"], ports: string, peers: Peers): Rule => ({ protocol, ports, peers });
const firewall = (name: string, on: Partial<Firewall>, inbound: Rule[], outbound: Rule[]): Firewall => ({
  id: name,
  name,
  droplet_ids: [],
  tags: [],
  ...on,
  inbound_rules: inbound.map(({ peers, ...r }) => ({ ...r, sources: peers })),
  outbound_rules: outbound.map(({ peers, ...r }) => ({ ...r, destinations: peers })),
});

describe("the nftables text of firewalls", () => {
  const web = droplet(2, { tags: ["web"] });
  const db = droplet(3, { tags: ["db"] });
  const text = (firewalls: Firewall[]) =>
    firewallTable({ droplets: [web, db], firewalls }, new Map([["lb", ["203.0.113.2", "10.10.15.254"]]]));

  it("knows no chain for a droplet without a firewall", () => {
    assert.doesNotMatch(text([]), /_500000002|_500000003/);
  });

  it("drops all for a firewall without rules", () => {
    const table = text([firewall("closed", { droplet_ids: [web.id] }, [], [])]);
    assert.match(table, /chain into_500000002 \{\n\s+drop\n/);
    assert.match(table, /chain from_500000002 \{\n\s+drop\n/);
  });

  it("names both addresses of a tag's droplets and of a load balancer", () => {
    const inbound = [
      rule("tcp", "3306", { tags: ["web"] }),
      rule("tcp", "443", { load_balancer_uids: ["lb"] }),
    ];
    const table = text([firewall("db", { tags: ["db"] }, inbound, [])]);
    assert.match(table, /ip saddr 198\.18\.0\.2 tcp dport 3306 return/);
    assert.match(table, /ip saddr 10\.10\.0\.2 tcp dport 3306 return/);
    assert.match(table, /ip saddr 203\.0\.113\.2 tcp dport 443 return/);
    assert.match(table, /ip saddr 10\.10\.15\.254 tcp dport 443 return/);
  });

  it("takes a rule whose peers are nobody for nobody", () => {
    const table = text([firewall("db", { tags: ["db"] }, [rule("tcp", "22", {})], [])]);
    assert.doesNotMatch(table, /dport 22/);
  });

  it("drops what any firewall denies before it lets through what any allows", () => {
    const from = (address: string, action?: "deny") => ({
      ...rule("tcp", "443", { addresses: [address] }),
      ...(action && { action }),
    });
    const table = text([
      firewall("open", { tags: ["web"] }, [from("0.0.0.0/0")], [from("0.0.0.0/0")]),
      firewall("shut", { droplet_ids: [web.id] }, [from("198.18.0.9", "deny")], [from("10.10.0.9", "deny")]),
    ]);
    assert.match(
      table,
      /chain into_500000002 \{\n\s+ip saddr 198\.18\.0\.9 tcp dport 443 drop\n\s+ip saddr 0\.0\.0\.0\/0 tcp dport 443 return\n\s+drop\n/,
    );
    assert.match(
      table,
      /chain from_500000002 \{\n\s+ip daddr 10\.10\.0\.9 tcp dport 443 drop\n\s+ip daddr 0\.0\.0\.0\/0 tcp dport 443 return\n\s+drop\n/,
    );
  });

  it("writes ranges, all ports and ICMP of both families", () => {
    const inbound = [
      rule("udp", "8000-9000", ANYBODY),
      rule("tcp", "0", ANYBODY),
      rule("icmp", "0", ANYBODY),
    ];
    const table = text([firewall("db", { tags: ["db"] }, inbound, [])]);
    assert.match(table, /ip saddr 0\.0\.0\.0\/0 udp dport 8000-9000 return/);
    assert.match(table, /ip saddr 0\.0\.0\.0\/0 meta l4proto tcp return/);
    assert.match(table, /ip6 saddr ::\/0 meta l4proto icmpv6 return/);
  });
});

describe("firewalls, measured", function () {
  this.timeout(300_000);
  // Echoes on the ports that the matrix asks for; SSH is the host's own.
  const listener = `#cloud-config
write_files:
  - path: /root/listen.py
    content: |
      import socketserver, threading
      class Echo(socketserver.BaseRequestHandler):
          def handle(self):
              while data := self.request.recv(1024):
                  self.request.sendall(data)
      class Server(socketserver.ThreadingTCPServer):
          allow_reuse_address = True
          daemon_threads = True
      for port in (443, 3306, 8500):
          threading.Thread(target=Server(("", port), Echo).serve_forever).start()
runcmd:
  - systemd-run --unit=listen python3 /root/listen.py
`;
  const web = droplet(2, { tags: ["web"], userData: listener });
  const db = droplet(3, { tags: ["db"], userData: listener });
  const foreign = droplet(4, { userData: listener });
  const otherVpc = droplet(5, { vpcId: FOREIGN_VPC.id, userData: listener, tags: ["web"] });
  const edge = balancer({ droplet_ids: [web.id] });
  const webFirewall = firewall(
    "web",
    { tags: ["web"] },
    [rule("tcp", "443", { load_balancer_uids: [edge.id] })],
    [rule("tcp", "3306", { tags: ["db"] }), rule("udp", "53", ANYBODY), rule("tcp", "53", ANYBODY)],
  );
  const dbFirewall = firewall("db", { droplet_ids: [db.id] }, [rule("tcp", "3306", { tags: ["web"] })], []);
  const open: World = { ...EMPTY, droplets: [web, db, foreign, otherVpc], balancers: [edge] };
  const guarded: World = { ...open, firewalls: [webFirewall, dbFirewall] };
  let provider: Provider;

  /** A second for what is dropped without an answer; on a busy machine what is open may take longer, so see `comesTo`. */
  const PROBE = (address: string, port: number) => {
    // Node.js gives it a socket as standard input, and bash takes itself for rshd's and reads ~/.bashrc (bash(1)).
    return ["1", "bash", "--norc", "-c", `: < /dev/tcp/${address}/${port}`];
  };
  type Source = "internet" | "balancer" | "web" | "db" | "foreign" | "otherVpc";
  async function reaches(source: Source, address: string, port: number): Promise<boolean> {
    if (source === "internet") return (await asClient(provider, "timeout", PROBE(address, port))).code === 0;
    if (source === "balancer") {
      const into = [
        "netns",
        "exec",
        `${provider.instance.id}-b${edge.id.slice(0, 8)}`,
        "timeout",
        ...PROBE(address, port),
      ];
      return (await attempt("ip", into)).code === 0;
    }
    const from = { web, db, foreign, otherVpc }[source];
    return (await provider.host(from.id).attempt("timeout", PROBE(address, port))).code === 0;
  }
  async function matrix(address: string, port: number): Promise<string> {
    const sources: Source[] = ["internet", "balancer", "web", "db", "foreign", "otherVpc"];
    const open = await Promise.all(sources.map((source) => reaches(source, address, port)));
    return sources.filter((_source, index) => open[index]).join(" ");
  }

  /** What is open answers in the end; what is wrong stays wrong. */
  async function comesTo(look: () => Promise<unknown>, wanted: unknown): Promise<void> {
    let found: unknown;
    const isThere = async () => {
      found = await look();
      return isDeepStrictEqual(found, wanted);
    };
    await waitFor("the matrix", isThere, { within: 20 }).catch(() => {});
    assert.deepEqual(found, wanted);
  }
  const reachedBy = (address: string, port: number, wanted: string) =>
    comesTo(() => matrix(address, port), wanted);

  before(async function () {
    await skipWithoutHosts(this);
    provider = await openProvider();
    await Promise.all(open.droplets.map((d) => provider.createDroplet(() => open, d)));
    for (const { id } of open.droplets) {
      await waitFor(
        "the listener",
        async () => {
          const { stdout } = await provider.host(id).attempt("ss", ["-Hltn", "sport = :8500"]);
          return stdout !== "";
        },
        { within: 60 },
      );
    }
  });
  after(async () => {
    if (!provider) return;
    await provider.destroy();
    await nothingIsLeft(provider.instance);
  });

  it("are open where there is none, within each VPC and on public addresses alone", async () => {
    await reachedBy("198.18.0.3", 3306, "internet balancer web db foreign otherVpc");
    await reachedBy("10.10.0.3", 3306, "balancer web db foreign");
    // The foreign VPC has the same range: its own 10.10.0.5 answers there, and no other's.
    await reachedBy("10.10.0.5", 3306, "otherVpc");
  });

  it("let through what their rules say and nothing else, however the host itself is set", async () => {
    await provider.updateFirewalls(guarded);
    const expected = async () => {
      const cells: [string, number, string, string?][] = [
        ["10.10.0.2", 443, "balancer web", "web's own traffic to itself never leaves it"],
        ["198.18.0.2", 443, "balancer web"],
        ["10.10.0.2", 22, "web"],
        ["10.10.0.2", 8500, "web"],
        ["10.10.0.3", 3306, "web db"],
        ["198.18.0.3", 3306, "web db otherVpc", "a tag is an account's, not a VPC's"],
        ["198.18.0.3", 22, "db"],
        ["10.10.0.4", 443, "balancer foreign", "web and db may not go there"],
      ];
      await comesTo(
        () =>
          Promise.all(
            cells.map(async ([address, port, , why]) => [address, port, await matrix(address, port), why]),
          ),
        cells.map(([address, port, who, why]) => [address, port, who, why]),
      );
    };
    await expected();
    for (const { id } of open.droplets) await provider.host(id).run("nft", ["flush", "ruleset"]);
    await expected();
  });

  it("leave names and the metadata address to hosts whose rules do", async () => {
    const dns = (id: number) =>
      provider.host(id).attempt("dig", ["+tries=1", "+time=1", "nothing.test", "@192.0.2.53"]);
    assert.equal((await dns(web.id)).code, 0);
    assert.notEqual((await dns(db.id)).code, 0, "the database's firewall has no rule for DNS");
    const metadata = await provider
      .host(db.id)
      .attempt("curl", ["-sf", "-m", "2", "http://169.254.169.254/metadata/v1/id"]);
    assert.equal(metadata.stdout, String(db.id));
  });

  it("take effect in under a second, and end what is no longer allowed and only that", async () => {
    const host = provider.host(web.id);
    const script = `
import socket, sys, time
s = [socket.create_connection(("10.10.0.3", 3306), 2) for _ in range(2)]
t = socket.create_connection(("198.18.0.3", 3306), 2)
print("connected", flush=True)
for line in sys.stdin:
    for name, c in (("private", s[0]), ("public", t)):
        c.settimeout(1)
        try:
            c.sendall(b"x"); print(name, "open" if c.recv(1) == b"x" else "closed", flush=True)
        except OSError:
            print(name, "dead", flush=True)
`;
    const { spawn } = await import("node:child_process");
    const child = spawn("nsenter", [...(await host.enter()), "python3", "-u", "-c", script]);
    let output = "";
    child.stdout.on("data", (text) => {
      output += text;
    });
    try {
      await waitFor("the connections", async () => output.includes("connected"));
      // Only the private address of the web host is allowed from now on.
      const narrowed = firewall(
        "db",
        { droplet_ids: [db.id] },
        [rule("tcp", "3306", { addresses: ["10.10.0.2/32"] })],
        [],
      );
      const began = Date.now();
      await provider.updateFirewalls({ ...guarded, firewalls: [webFirewall, narrowed] });
      assert.ok(Date.now() - began < 1000, `${Date.now() - began} ms`);
      child.stdin.write("\n");
      await waitFor("the answers", async () => /private \w+\npublic \w+/.test(output));
      assert.match(output, /private open\npublic dead/);
    } finally {
      child.kill("SIGKILL");
    }
    await provider.updateFirewalls(guarded);
  });

  it("let a rule that denies win over those that allow, of other firewalls as well", async () => {
    const allows = firewall("allows", { droplet_ids: [db.id] }, [rule("tcp", "3306", ANYBODY)], []);
    const denies = (...peers: Peers[]) =>
      firewall(
        "denies",
        { tags: ["db"] },
        peers.map((one) => ({ ...rule("tcp", "3306", one), action: "deny" })),
        [],
      );
    const look = () => Promise.all([matrix("10.10.0.3", 3306), matrix("198.18.0.3", 3306)]);
    const open = ["balancer web db foreign", "internet balancer web db foreign otherVpc"];
    await provider.updateFirewalls({ ...guarded, firewalls: [allows] });
    await comesTo(look, open);
    await provider.updateFirewalls({ ...guarded, firewalls: [allows, denies({ tags: ["web"] })] });
    await comesTo(look, ["balancer db foreign", "internet balancer db foreign"]);
    await provider.updateFirewalls({ ...guarded, firewalls: [allows, denies(ANYBODY)] });
    // A host's traffic to its own private address never leaves it.
    await comesTo(look, ["db", "db"]);
    await provider.updateFirewalls({ ...guarded, firewalls: [allows] });
    await comesTo(look, open);
    await provider.updateFirewalls(guarded);
  });

  it("follow a droplet's tags", async () => {
    const tagged = { ...foreign, tags: ["web"] };
    await provider.updateFirewalls({ ...guarded, droplets: [web, db, tagged, otherVpc] });
    await reachedBy("10.10.0.3", 3306, "web db foreign"); // a source by its tag
    assert.equal(await reaches("internet", "198.18.0.4", 22), false, "and guarded by its tag");
    await provider.updateFirewalls(guarded);
    assert.equal(await reaches("foreign", "10.10.0.3", 3306), false);
    await comesTo(() => reaches("internet", "198.18.0.4", 22), true);
  });

  it("are what keeps the matrix: without them everything is open again", async () => {
    await provider.updateFirewalls(open);
    await reachedBy("10.10.0.3", 3306, "balancer web db foreign");
    await reachedBy("198.18.0.2", 22, "internet balancer web db foreign otherVpc");
  });

  it("see a droplet behind its reserved IP", async () => {
    const reservedIps = [{ ip: "198.51.100.2", droplet_id: db.id }];
    await provider.updateFirewalls({ ...open, reservedIps });
    await comesTo(() => reaches("internet", "198.51.100.2", 22), true);
    await provider.updateFirewalls({ ...guarded, reservedIps });
    assert.equal(await reaches("internet", "198.51.100.2", 22), false);
    await provider.updateFirewalls(open);
    assert.equal(
      await reaches("internet", "198.51.100.2", 22),
      false,
      "an address that is assigned to nobody answers nobody",
    );
  });
});
