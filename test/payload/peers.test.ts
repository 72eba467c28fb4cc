/** secured-web-peers with a name server, an interface, a packet filter and a systemd that are stand-ins on PATH. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configurationFiles } from "../../infra/userdata/files";
import { contextOf } from "./contexts";

const [own, second, third] = ["10.20.0.2", "10.20.0.3", "10.20.0.4"];
const zone = "internal.foobar.test";
const complete = {
  [`node-2.${zone}`]: [second],
  [`node-3.${zone}`]: [third],
  [`database.${zone}`]: [own, second, third],
  [`web.${zone}`]: [own, second, third],
};

/** dig's stand-in: answers from a folder for each server, as `+short` prints it; a server without a folder is silent. */
const dig = `#!/bin/bash
server= name=
for word in "$@"; do
  case $word in +*) ;; @*) server=\${word#@} ;; A | NS) type=$word ;; *) name=$word ;; esac
done
echo "$server $type $name" >>"$LAB/asked"
[[ -d $LAB/dns/$server ]] || { echo ";; connection timed out; no servers could be reached"; exit 9; }
cat "$LAB/dns/$server/$type.$name" 2>/dev/null
exit 0
`;

class Lab {
  readonly folder = mkdtempSync(join(tmpdir(), "secured-web-peers-"));
  readonly state = join(this.folder, "state");

  constructor() {
    for (const name of ["bin", "dns", "state"]) mkdirSync(join(this.folder, name));
    const files = configurationFiles(contextOf({ topology: "converged" }, "node-1"));
    for (const { path, content } of files) {
      if (path === "/usr/local/lib/secured-web/peers") this.program("peers", content);
      if (path === "/etc/secured-web/peers.conf") writeFileSync(join(this.folder, "peers.conf"), content);
    }
    this.program("dig", dig);
    this.program("nft", '#!/bin/bash\ncp "$2" "$LAB/sets"\n');
    this.program("systemctl", '#!/bin/bash\necho "$*" >>"$LAB/systemctl"\n');
    this.program("ip", `#!/bin/bash\necho "2: eth1    inet ${own}/20 brd 10.20.15.255 scope global eth1"\n`);
    writeFileSync(join(this.folder, "hosts"), "127.0.0.1 localhost\n127.0.1.1 dev-node-1\n");
    writeFileSync(join(this.folder, "resolv.conf"), "nameserver 192.0.2.1\n");
  }

  /** What a name server answers: names with their addresses, and the zone's name servers. */
  serve(server: string, names: Record<string, readonly string[]>, nameServers: readonly string[] = []): void {
    const folder = join(this.folder, "dns", server);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    for (const [name, addresses] of Object.entries(names)) {
      writeFileSync(join(folder, `A.${name}`), addresses.map((address) => `${address}\n`).join(""));
    }
    writeFileSync(join(folder, "NS.foobar.test"), nameServers.map((name) => `${name}\n`).join(""));
  }

  silence(server: string): void {
    rmSync(join(this.folder, "dns", server), { recursive: true, force: true });
  }

  /** One round as the service does it: what is on disk, then what the name servers say. */
  round(commands = 'keep "$self" "$(own_address)"; apply; find_servers; refresh && apply; missing'): string {
    const { stdout, stderr, status } = spawnSync(
      "bash",
      ["--norc", "-c", `source ${this.folder}/bin/peers; ${commands}`],
      {
        encoding: "utf8",
        // With a socket as its standard input bash takes itself for a remote shell.
        stdio: ["ignore", "pipe", "pipe"],
        env: {
          PATH: `${this.folder}/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
          LAB: this.folder,
          STATE_DIRECTORY: this.state,
          HOSTS_FILE: join(this.folder, "hosts"),
          PEERS_CONF: join(this.folder, "peers.conf"),
          RESOLV_CONF: join(this.folder, "resolv.conf"),
        },
      },
    );
    assert.equal(status, 0, stderr);
    assert.equal(stderr, "");
    return stdout.trim();
  }

  read(name: string): string {
    const path = join(this.folder, name);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  forget(name: string): void {
    rmSync(join(this.folder, name), { force: true });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private program(name: string, text: string): void {
    const path = join(this.folder, "bin", name);
    writeFileSync(path, text);
    chmodSync(path, 0o755);
  }
}

const hostsOf = (...lines: string[]) =>
  [
    "# begin: written by secured-web-peers",
    ...lines,
    "# end: written by secured-web-peers",
    "127.0.0.1 localhost",
    "127.0.1.1 dev-node-1",
    "",
  ].join("\n");
const setsOf = (web: string, database: string) =>
  [
    "flush set inet secured_web web",
    ...(web ? [`add element inet secured_web web { ${web} }`] : []),
    "flush set inet secured_web database",
    `add element inet secured_web database { ${database} }`,
    "",
  ].join("\n");

describe("payload: secured-web-peers", () => {
  let lab: Lab;
  beforeEach(() => {
    lab = new Lab();
  });
  afterEach(() => lab.remove());

  it("knows itself before any name server answers, so that mysqld can bind", () => {
    const missing = lab.round();
    assert.equal(lab.read("hosts"), hostsOf(`${own} node-1.${zone}`));
    assert.equal(lab.read("sets"), setsOf("", own));
    assert.equal(missing, `node-2.${zone} node-3.${zone} web.${zone}`);
  });

  it("writes names and sets, and has HAProxy read the names", () => {
    lab.serve("192.0.2.1", complete);
    assert.equal(lab.round(), "");
    assert.equal(
      lab.read("hosts"),
      hostsOf(`${own} node-1.${zone}`, `${second} node-2.${zone}`, `${third} node-3.${zone}`),
    );
    assert.equal(lab.read("sets"), setsOf(`${own},${second},${third}`, `${own},${second},${third}`));
    assert.match(lab.read("systemctl"), /^--no-block try-reload-or-restart haproxy\.service$/m);
  });

  it("does nothing a second time", () => {
    lab.serve("192.0.2.1", complete);
    lab.round();
    lab.forget("systemctl");
    const before = lab.read("hosts");
    lab.round();
    assert.equal(lab.read("hosts"), before);
    assert.equal(lab.read("systemctl"), "");
  });

  it("asks the zone's own name servers first: a resolver in between remembers that a name was not there", () => {
    lab.serve("192.0.2.1", { "ns1.example.test.": ["192.0.2.53"] }, ["ns1.example.test."]);
    lab.serve("192.0.2.53", complete);
    assert.equal(lab.round(), "");
    assert.match(lab.read("asked"), /^192\.0\.2\.53 A node-2/m);
    assert.ok(!lab.read("asked").includes("192.0.2.1 A node-2"));
  });

  it("asks the resolver where the zone's own name servers do not answer", () => {
    lab.serve("192.0.2.1", { ...complete, "ns1.example.test.": ["192.0.2.53"] }, ["ns1.example.test."]);
    assert.equal(lab.round(), "");
  });

  it("keeps the last good answer while DNS is away, also over a reboot", () => {
    lab.serve("192.0.2.1", complete);
    lab.round();
    const [hosts, sets] = [lab.read("hosts"), lab.read("sets")];
    lab.silence("192.0.2.1");
    assert.equal(lab.round(), "");
    assert.equal(lab.read("hosts"), hosts);
    lab.serve("192.0.2.1", {});
    assert.equal(lab.round(), "");
    assert.equal(lab.read("sets"), sets);
  });

  it("follows a host that was replaced, and a web host that is new", () => {
    lab.serve("192.0.2.1", complete);
    lab.round();
    lab.forget("systemctl");
    lab.serve("192.0.2.1", {
      ...complete,
      [`node-3.${zone}`]: ["10.20.0.9"],
      [`database.${zone}`]: [own, second, "10.20.0.9"],
      [`web.${zone}`]: [own, second, "10.20.0.9", "10.20.0.10"],
    });
    lab.round();
    assert.match(lab.read("hosts"), /^10\.20\.0\.9 node-3/m);
    assert.ok(!lab.read("hosts").includes(`${third} `));
    assert.equal(
      lab.read("sets"),
      setsOf(`10.20.0.10,${own},${second},10.20.0.9`, `${own},${second},10.20.0.9`),
    );
    assert.match(lab.read("systemctl"), /haproxy/);
  });

  it("leaves the rest of the hosts file, and takes out other lines for its names", () => {
    writeFileSync(
      join(lab.folder, "hosts"),
      `127.0.0.1 localhost\n127.0.1.1 node-1.${zone} node-1\n# mine\n192.0.2.9 elsewhere.test\n`,
    );
    lab.round();
    const lines = lab.read("hosts").split("\n");
    assert.deepEqual(lines.slice(0, 2), ["# begin: written by secured-web-peers", `${own} node-1.${zone}`]);
    assert.deepEqual(lines.slice(3), ["127.0.0.1 localhost", "# mine", "192.0.2.9 elsewhere.test", ""]);
  });

  it("believes nothing that is not an address", () => {
    lab.serve("192.0.2.1", { ...complete, [`node-2.${zone}`]: ["other.test.", "10.20.0.3; rm -rf /"] });
    assert.equal(lab.round(), `node-2.${zone}`);
    assert.ok(!lab.read("hosts").includes("rm -rf"));
  });
});
