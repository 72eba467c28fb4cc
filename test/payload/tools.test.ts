/** The rendered files under the tools of their own kind, on the sandbox's base image; each check also refuses a fault. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import type { Host } from "../../infra/topology";
import { renderUserData } from "../../infra/userdata/render";
import type { HostContext, HostSecrets } from "../../infra/userdata/types";
import { skipWithoutImage } from "../hosts/requirement";
import { testCertificate } from "../unit/certificates";
import { contextOf, datadog, fakeSecrets } from "./contexts";
import { parseUserData } from "./parsed";
import { type Answer, RenderedHost } from "./rendered";

const stacks: { readonly name: string; readonly context: HostContext }[] = [
  {
    name: "converged, group, reencrypt, Datadog",
    context: contextOf({ topology: "converged", settings: { monitoring: datadog } }, "node-2"),
  },
  {
    name: "converged, source-replica, passthrough",
    context: contextOf(
      { topology: "converged", settings: { replication: "source-replica", tls: "passthrough" } },
      "node-2",
    ),
  },
  { name: "separated, web host", context: contextOf({ topology: "separated" }, "web-1") },
  { name: "separated, database host", context: contextOf({ topology: "separated" }, "db-1") },
];

async function realSecrets(host: Host): Promise<HostSecrets> {
  const pair = await testCertificate([host.fqdn]);
  const fake = fakeSecrets(host);
  return {
    ...fake,
    caCertificate: pair.certificate,
    sshHostKey: String(generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" })),
    ...(fake.web ? { web: pair, app: pair } : {}),
    ...(fake.database ? { database: pair } : {}),
  };
}

interface Check {
  readonly what: string;
  /** Where it stands, it is there to check. */
  readonly path: string;
  readonly run: (host: RenderedHost) => Answer;
  readonly fault: (text: string) => string;
  readonly says: RegExp;
}

const checks: Check[] = [
  {
    what: "nginx -t",
    path: "/etc/nginx/nginx.conf",
    run: (host) => host.run("nginx", "-t"),
    fault: (text) => text.replace("ssl_session_tickets off;", "ssl_session_tikets off;"),
    says: /unknown directive "ssl_session_tikets"/,
  },
  {
    what: "haproxy -c",
    path: "/etc/haproxy/haproxy.cfg",
    run: (host) => host.run("haproxy", "-c", "-f", "/etc/haproxy/haproxy.cfg"),
    fault: (text) => text.replace("balance leastconn", "balance leastcon"),
    says: /leastcon/,
  },
  {
    what: "mysqld --validate-config",
    path: "/etc/mysql/secured-web.cnf",
    run: (host) =>
      host.run("mysqld", "--defaults-file=/etc/mysql/secured-web.cnf", "--validate-config", "--user=mysql"),
    fault: (text) => text.replace("sync_binlog = 1", "sync_binlogs = 1"),
    says: /unknown variable 'sync_binlogs=1'/,
  },
  {
    what: "mysqld --validate-config (of the packages' maintenance)",
    path: "/etc/mysql/mysql.conf.d/zz-secured-web-maintenance.cnf",
    run: (host) => host.run("mysqld", "--validate-config", "--user=mysql"),
    fault: (text) => text.replace("skip_networking", "skip_networkings"),
    says: /unknown variable 'skip_networkings/,
  },
  {
    what: "nft -c",
    path: "/etc/nftables.conf",
    run: (host) => host.run("nft", "-c", "-f", "/etc/nftables.conf"),
    fault: (text) => text.replace("iif lo accept", "iif lo acept"),
    says: /syntax error/,
  },
  {
    what: "sshd -t",
    path: "/etc/ssh/sshd_config.d/10-secured-web.conf",
    run: (host) => host.run("sh", "-c", "mkdir -p /run/sshd && sshd -t"),
    fault: (text) => text.replace("MaxAuthTries 3", "MaxAuthTrys 3"),
    says: /Bad configuration option: MaxAuthTrys/,
  },
  {
    what: "sshd -t, of the host's key",
    path: "/etc/ssh/secured-web-host.key",
    run: (host) => host.run("sh", "-c", "mkdir -p /run/sshd && sshd -t"),
    fault: (text) => text.replace(/^(.{40})/m, "-----BEGIN PRIVATE KEY-----\n$1"),
    says: /no hostkeys available/,
  },
  {
    what: "visudo -c",
    path: "/etc/sudoers.d/secured-web",
    run: (host) => host.run("visudo", "-c", "-f", "/etc/sudoers.d/secured-web"),
    fault: (text) => text.replace("NOPASSWD:", "NOPASWD:"),
    says: /syntax error/,
  },
  {
    what: "systemd-analyze verify of every unit",
    path: "/etc/systemd/system/secured-web-peers.service",
    run: verifyUnits,
    fault: (text) => text.replace("Restart=always", "Restart=allways"),
    says: /allways/,
  },
  {
    what: "systemd-analyze security of our own units, at or under 3.0",
    path: "/etc/systemd/system/secured-web-.service.d/hardening.conf",
    run: assessUnits,
    fault: () => "[Service]\nNoNewPrivileges=yes\n",
    says: /Overall exposure level for secured-web-\w+\.service: ([4-9]|10)\.?\d?/,
  },
  {
    what: "python3: the supervisor compiles",
    path: "/usr/local/lib/secured-web/group.py",
    run: (host) => host.run("sh", "-c", "cd /tmp && python3 -m py_compile /usr/local/lib/secured-web/*.py"),
    fault: (text) => text.replace("def main():", "def main()"),
    says: /SyntaxError/,
  },
  {
    what: "node: the application compiles",
    path: "/usr/local/lib/secured-web/app/main.js",
    run: (host) => host.run("node", "--check", "/usr/local/lib/secured-web/app/main.js"),
    fault: (text) => text.replace("{", "{{"),
    says: /SyntaxError/,
  },
  {
    what: "bash -n of every program",
    path: "/usr/local/lib/secured-web/setup",
    run: (host) =>
      host.run(
        "sh",
        "-c",
        "cd /usr/local/lib/secured-web && for f in $(grep -rl '^#!/bin/bash' .); do bash -n $f || exit 1; done",
      ),
    fault: (text) => text.replace(/\ndone\n/, "\n"),
    says: /syntax error/,
  },
  {
    what: "sysusers and tmpfiles",
    path: "/etc/tmpfiles.d/secured-web.conf",
    run: (host) =>
      host.run("sh", "-c", "systemd-sysusers && systemd-tmpfiles --create /etc/tmpfiles.d/secured-web*.conf"),
    fault: (text) => text.replace("root root", "nobody-here root"),
    says: /nobody-here/,
  },
  {
    what: "sysctl: every setting is one of the kernel's",
    path: "/etc/sysctl.d/60-secured-web.conf",
    run: (host) =>
      host.run(
        "sh",
        "-c",
        "sed -nE 's/^-?([a-z0-9_.]+) *=.*/\\1/p' /etc/sysctl.d/60-secured-web.conf | tr . / | (r=0; while read -r k; do [ -e /proc/sys/$k ] || { echo no $k; r=1; }; done; exit $r)",
      ),
    fault: (text) => text.replace("tcp_syncookies", "tcp_syncookie"),
    says: /no net\/ipv4\/tcp_syncookie$/m,
  },
  {
    what: "apt-config: the upgrade settings are read",
    path: "/etc/apt/apt.conf.d/52secured-web",
    run: (host) => host.run("apt-config", "dump", "APT::Periodic"),
    fault: (text) => text.replace('"1";', '"1'),
    says: /Syntax error/,
  },
];

/** The units that user data writes: the image's own are links. */
function ownUnits(host: RenderedHost): string[] {
  const listed = host.must("find", "/etc/systemd/system", "-maxdepth", "1", "-type", "f", "-printf", "%f\n");
  return listed.split("\n").filter((name) => name !== "");
}

function verifyUnits(host: RenderedHost): Answer {
  const units = ownUnits(host);
  // The packages' units with our drop-ins, too.
  for (const name of ["nginx", "haproxy", "mysql"]) {
    if (host.run("test", "-d", `/etc/systemd/system/${name}.service.d`).status === 0)
      units.push(`${name}.service`);
  }
  const { status, output } = host.run(
    "systemd-analyze",
    "verify",
    "--man=no",
    "--recursive-errors=no",
    ...units,
  );
  // A setting of a wrong form is a warning to systemd, and a fault here.
  const ours = output.split("\n").filter((line) => /\/etc\/systemd\/system/.test(line));
  return { status: status !== 0 || ours.length > 0 ? 1 : 0, output };
}

/** It installs packages, makes users and writes /etc: it has all of root's rights, and no input from the network. */
const unhardened = "secured-web-apply.service";

function assessUnits(host: RenderedHost): Answer {
  const units = ownUnits(host).filter(
    (name) => /^secured-web-.*\.service$/.test(name) && name !== unhardened,
  );
  assert.ok(units.length >= 1);
  const answers = units.map((unit) =>
    host.run("systemd-analyze", "security", "--offline=true", "--threshold=30", "--no-pager", unit),
  );
  return {
    status: Math.max(...answers.map(({ status }) => status)),
    output: answers.map(({ output }) => output).join("\n"),
  };
}

describe("payload: the rendered files under their own tools", function () {
  this.timeout(600_000);
  before(async function () {
    await skipWithoutImage(this);
  });

  for (const { name, context } of stacks) {
    describe(name, () => {
      let host: RenderedHost;
      let userData: string;
      before(async () => {
        userData = renderUserData(context, await realSecrets(context.host));
        host = await RenderedHost.create(userData);
        // What secured-web-peers does first: mysqld binds to this host's own name.
        host.write("/etc/hosts", `127.0.0.1 localhost\n127.0.0.1 ${context.host.fqdn}\n`);
      });
      after(() => host?.remove());

      const paths = new Set(
        parseUserData(renderUserData(context, fakeSecrets(context.host))).files.map(({ path }) => path),
      );
      for (const { what, path, run, fault, says } of checks.filter((check) => paths.has(check.path))) {
        it(what, () => {
          const { status, output } = run(host);
          assert.equal(status, 0, output);
        });
        it(`${what}: refuses a fault`, () => {
          const { status, output } = host.with(path, fault, () => run(host));
          assert.notEqual(status, 0);
          assert.match(output, says);
        });
      }

      it("cloud-init schema", () => {
        host.write("/root/user-data", userData);
        assert.match(host.must("cloud-init", "schema", "--config-file", "/root/user-data"), /Valid schema/);
      });

      it("cloud-init schema: refuses a fault", () => {
        host.write(
          "/root/user-data",
          userData.replace("\nwrite_files:\n", "\nwrite_files:\n-\n content: x\n"),
        );
        const { status, output } = host.run("cloud-init", "schema", "--config-file", "/root/user-data");
        assert.notEqual(status, 0);
        assert.match(output, /'path' is a required property/);
      });

      it("gives every secret file to root, or to the one service that reads it", () => {
        const secretPaths = parseUserData(userData)
          .files.filter(({ text }) => /SECRET|^-----BEGIN [A-Z ]*PRIVATE KEY-----$/m.test(text))
          .map(({ path }) => path);
        assert.ok(secretPaths.length > 2);
        for (const path of secretPaths) {
          const owner = host.must("stat", "-c", "%a %U:%G", path).trim();
          assert.equal(
            owner,
            path === "/etc/mysql/tls/server.key" ? "440 root:mysql" : "600 root:root",
            path,
          );
        }
      });

      it("finds every package installed, so that nothing is fetched", () => {
        host.run("rm", "-rf", "/etc/secured-web/packages.d/datadog");
        assert.match(
          host.must("/usr/local/lib/secured-web/install-packages"),
          /^every package is installed$/m,
        );
      });

      it("lets no package start a service or run mysqld while it is installed, and leaves no stand-in", () => {
        const standIns = ["/usr/local/sbin/mysqld", "/usr/sbin/policy-rc.d"];
        const left = () => standIns.filter((path) => host.run("test", "-e", path).status === 0);
        const script = "/usr/local/lib/secured-web/install-packages";
        // The script is run with this in apt's place.
        const apt = `#!/bin/sh\ncommand -v mysqld\nmysqld --initialize-insecure && /usr/sbin/policy-rc.d || echo $?\n`;
        host.must(
          "sh",
          "-c",
          `printf '%s' '${apt}' > /usr/local/bin/apt-get && chmod 0755 /usr/local/bin/apt-get`,
        );
        host.must("sh", "-c", "echo mysql-server-of-this-test > /etc/secured-web/packages.d/proof");
        try {
          assert.match(
            host.must("env", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", script),
            /\n\/usr\/local\/sbin\/mysqld\n101\n/,
          );
          assert.deepEqual(left(), []);
        } finally {
          host.must("rm", "/usr/local/bin/apt-get", "/etc/secured-web/packages.d/proof");
        }
        host.must("touch", "/usr/local/sbin/mysqld");
        host.must(script);
        assert.deepEqual(left(), [], "what a run that was cut short has left");
      });
    });
  }
});
