import {
  changed,
  cloudConfig,
  droplet,
  firewall,
  firstRelease,
  groupMember,
  httpsRule,
  loadBalancer,
  memberFiles,
  memberPath,
  nginxFiles,
  nginxSite,
  passthroughRule,
  release,
  releaseEnvelope,
  tier,
} from "../../fixtures/texts";
import type { InvalidFixture, PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";
import { soundWebServers, wrongWebServers } from "./web-server-fixtures";
import { apachePath, apacheSite } from "./web-server-texts";

const haproxyPath = "/etc/haproxy/haproxy.cfg";

const haproxyToMysql = `defaults
  mode tcp
frontend mysql
  bind 127.0.0.1:3307
  default_backend writers
backend writers
  server db-1 db-1.internal.foobar.com:3306 check
  server db-2 db-2.internal.foobar.com:3306 check
`;

const haproxyToHttps = `defaults
  mode http
frontend web
  bind :443 ssl crt /etc/haproxy/site.pem ssl-min-ver TLSv1.2
  default_backend app
frontend redirect
  bind :80
  http-request redirect scheme https code 301 unless { ssl_fc }
backend app
  server app-1 app-1.internal.foobar.com:8443 ssl verify required ca-file /etc/ssl/internal.pem
`;

const redirectSite = `server {
  listen 80;
  return 301 https://$host$request_uri;
}
`;

const replicaSql = `CHANGE REPLICATION SOURCE TO SOURCE_HOST='db-1.internal.foobar.com', SOURCE_USER='replica',
  SOURCE_AUTO_POSITION=1, SOURCE_SSL=1, SOURCE_SSL_CA='/etc/mysql/tls/ca.pem', SOURCE_SSL_VERIFY_SERVER_CERT=1;
`;

const plainSite = changed(nginxSite, "443 ssl", "8080");
const plainFiles = { ...nginxFiles, "/etc/nginx/conf.d/site.conf": plainSite };

/** A droplet that keeps its first user data, which serves plain text, and changes by releases. */
const oldDroplet = {
  ...droplet("dev-web-1", { userData: firstRelease("web-1", plainFiles) }),
  ignoreChanges: ["userData"],
};

/** A release that cannot be read, for a droplet that the evidence of a component covers. */
const unreadableRelease = (title: string, content: unknown, says: string): InvalidFixture => ({
  title,
  resources: {
    web: tier({ "dev-web-1": { roles: ["web"], files: nginxFiles } }),
    "dev-web-1": oldDroplet,
    release: release("web-1", nginxFiles, { content }),
  },
  violations: [{ resource: "release", says, at: "registration" }],
});

const port80Rule = { entryProtocol: "http", entryPort: 80, targetProtocol: "http", targetPort: 80 };

/** One droplet whose user data is known and wrong in one place of one file. */
function wrongFile(
  title: string,
  path: string,
  text: string,
  says: string | readonly string[],
): InvalidFixture {
  const expected = typeof says === "string" ? [says] : says;
  return {
    title,
    resources: { "host-1": droplet("host-1", { userData: cloudConfig({ [path]: text }) }) },
    violations: expected.map((part) => ({ resource: "host-1", says: part, at: "registration" })),
  };
}

/** One droplet whose user data is known and contains something other than files. */
const wrongUserData = (
  title: string,
  userData: string,
  says: string,
  at: "registration" | "stack",
): InvalidFixture => ({
  title,
  resources: { "host-1": droplet("host-1", { userData }) },
  violations: [{ resource: "host-1", says, at }],
});

const mimeOfConfig = (config: string) => `MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="part"

--part
Content-Type: text/cloud-config; charset="us-ascii"

${config}--part--
`;

const wrongMember = (title: string, from: string, to: string, says: string) =>
  wrongFile(title, memberPath, changed(groupMember, from, to), says);

const wrongSite = (title: string, from: string, to: string, says: string) =>
  wrongFile(
    title,
    "/etc/nginx/conf.d/site.conf",
    changed(`ssl_protocols TLSv1.2 TLSv1.3;\n${nginxSite}`, from, to),
    says,
  );

const wrongHaproxy = (title: string, text: string, from: string, to: string, says: string) =>
  wrongFile(title, haproxyPath, changed(text, from, to), says);

const wrongRule = (title: string, rule: Readonly<Record<string, unknown>>, says: string): InvalidFixture => ({
  title,
  resources: { edge: loadBalancer([rule]) },
  violations: [{ resource: "edge", says, at: "registration" }],
});

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    {
      path: /^healthcheck(\.port)?$/,
      reason: "DigitalOcean's own check is not configured here; its protocol is checked where it is set",
    },
    {
      path: /^inboundRules/,
      reason: "a rule matters if it lets a load balancer reach port 80, which is found there",
    },
    {
      path: /^dropletTag$|^tags(\[\d+\])?$/,
      reason: "the receivers do not change the encryption; unknown receivers are all checked",
    },
    {
      path: /^redirectHttpToHttps$/,
      reason: "matters next to a rule that only accepts HTTP, which is found there",
    },
    {
      path: /^tlsCipherPolicy$/,
      reason: "matters if the load balancer terminates TLS, which is found there",
    },
    {
      path: /^forwardingRules(\[\d+\])?$/,
      change: /removed|emptied/,
      reason: "without a rule nothing is forwarded",
    },
    { path: /\.(targetPort|entryPort)$/, reason: "the protocol decides; port 80 of a redirect is found" },
    {
      path: /\.certificateName$/,
      change: /unknown/,
      reason: "a new certificate's name is an output; the API rejects a missing one",
    },
    {
      path: /\.targetProtocol$/,
      change: /emptied/,
      reason: "a redirected rule reaches no target; other rules are found",
    },
    { path: /^userData$/, change: /unknown|mistyped/, reason: "evidence covers the host" },
    {
      path: /^(bucket|key)$/,
      change: /removed|unknown|mistyped/,
      resource: /^release$/,
      reason: "a new bucket's name is an output; the API rejects a missing name",
    },
    {
      path: /^contentType$/,
      resource: /^release$/,
      reason: "the content shows that it is a release; evidence covers unknown content",
    },
    {
      path: /^content$/,
      change: /unknown/,
      resource: /^release$/,
      reason: "evidence covers unknown content",
    },
    {
      path: /\.roles(\[\d+\])?$/,
      change: /removed|emptied/,
      reason: "roles add requirements; the files are checked in any case",
    },
    {
      path: /^configurationEvidence(\.[\w-]+)?$/,
      change: /removed|emptied/,
      reason: "the host's user data is known and checked itself",
    },
    {
      path: /\.files\..*$/,
      change: /removed|emptied/,
      reason: "a file that is not written configures nothing; a role without files is found",
    },
  ],
  valid: [
    {
      title: "the load balancer terminates TLS and sends HTTPS to the droplets",
      resources: { edge: loadBalancer([httpsRule]) },
    },
    {
      title: "the load balancer passes TLS through to the droplets",
      resources: {
        edge: loadBalancer([passthroughRule], { tlsCipherPolicy: "DEFAULT", redirectHttpToHttps: false }),
      },
    },
    {
      title: "the load balancer redirects plain HTTP",
      resources: { edge: loadBalancer([httpsRule, port80Rule]) },
    },
    {
      title: "plain HTTP is forwarded to droplets that only redirect it",
      resources: {
        web: tier({
          "web-1": {
            roles: ["web"],
            files: { ...nginxFiles, "/etc/nginx/conf.d/redirect.conf": redirectSite },
          },
        }),
        "web-1": droplet("web-1", { tags: ["web"], userData: unknownValue }),
        edge: loadBalancer([passthroughRule, port80Rule], { redirectHttpToHttps: false }),
      },
    },
    {
      title: "evidence covers unknown user data",
      resources: {
        tier: tier({ "host-1": { roles: ["web", "database"], files: { ...nginxFiles, ...memberFiles } } }),
        "host-1": droplet("host-1", { userData: unknownValue }),
      },
    },
    {
      title: "a release supersedes the old user data of a droplet that ignores changes of it",
      resources: {
        "dev-web-1": oldDroplet,
        release: release("web-1", nginxFiles),
      },
    },
    {
      title: "evidence covers a release that is still unknown",
      resources: {
        web: tier({ "dev-web-1": { roles: ["web"], files: nginxFiles } }),
        "dev-web-1": oldDroplet,
        release: release("web-1", nginxFiles, { content: unknownValue }),
      },
    },
    {
      title: "known user data with nginx, HAProxy and a member of a replication group",
      resources: {
        "host-1": droplet("host-1", {
          userData: cloudConfig(
            { ...nginxFiles, ...memberFiles, [haproxyPath]: haproxyToMysql },
            { packages: ["nginx", "haproxy", "mysql-server"] },
          ),
        }),
      },
    },
    {
      title: "MySQL and nginx in containers without ports for other hosts",
      leftAlone: true,
      resources: {
        "app-1": droplet("app-1", {
          userData: cloudConfig({
            "/srv/compose.yaml": `services:
  db: { image: "mysql:8.4", ports: ["127.0.0.1:3306:3306"] }
  assets: { image: "nginx:1.29" }
  proxy: { image: "caddy:2", ports: ["443:443"] }
`,
            "/srv/Caddyfile": "www.foobar.com {\n  reverse_proxy assets:80\n}\n",
          }),
        }),
      },
    },
    {
      title: "a shell script that writes nginx's files from its own text",
      resources: {
        "host-1": droplet("host-1", {
          userData: `#!/bin/bash
apt-get update && apt-get install -y nginx
rm -f /etc/nginx/sites-enabled/default
cat > /etc/nginx/conf.d/site.conf <<'EOF'
ssl_protocols TLSv1.2 TLSv1.3;
${nginxSite}EOF
systemctl reload nginx
`,
        }),
      },
    },
    {
      title: "HAProxy terminates TLS, redirects port 80 and verifies its servers",
      resources: {
        "host-1": droplet("host-1", { userData: cloudConfig({ [haproxyPath]: haproxyToHttps }) }),
      },
    },
    {
      title: "a maintenance server without network, next to the real one",
      resources: {
        "db-1": droplet("db-1", {
          userData: cloudConfig({
            "/etc/mysql/mysql.conf.d/maintenance.cnf": "[mysqld]\nskip_networking = ON\n",
            "/etc/mysql/real.cnf": groupMember,
          }),
        }),
      },
    },
    {
      title: "a replica reads from its source over verified TLS",
      resources: {
        "db-2": droplet("db-2", {
          userData: cloudConfig({
            [memberPath]: "[mysqld]\nrequire_secure_transport = ON\n",
            "/root/replica.sql": replicaSql,
          }),
        }),
      },
    },
    {
      title: "an nginx stream forwards MySQL's own TLS",
      resources: {
        "host-1": droplet("host-1", {
          userData: cloudConfig({
            "/etc/nginx/nginx.conf":
              "stream { upstream db { server db-1.internal.foobar.com:3306; } server { listen 3306; proxy_pass db; } }\n",
          }),
        }),
      },
    },
    {
      title: "MySQL that only its own host can reach",
      resources: {
        "host-1": droplet("host-1", {
          userData: cloudConfig({ [memberPath]: "[mysqld]\nbind-address = 127.0.0.1\n" }),
        }),
      },
    },
    {
      title: "droplets without user data, and with user data that affects neither web server nor database",
      leftAlone: true,
      resources: {
        bastion: droplet("bastion"),
        worker: droplet("worker", { userData: "#cloud-config\npackages: [htop]\n" }),
        cleaner: droplet("cleaner", {
          userData:
            "#!/bin/sh\n# nginx runs on other hosts\napt-get remove nginx mysql-server\necho 'no mysql here'\n",
        }),
      },
    },
    {
      title: "a firewall that denies the load balancer port 80",
      resources: {
        edge: loadBalancer([httpsRule]),
        guard: firewall(
          [{ protocol: "tcp", portRange: "80", sourceLoadBalancerUids: ["balancer-id"], action: "deny" }],
          { tags: ["web"] },
        ),
      },
      leftAlone: true,
    },
    {
      title: "a network load balancer that forwards TLS and QUIC",
      resources: {
        edge: loadBalancer(
          [
            { entryProtocol: "tcp", entryPort: 443, targetProtocol: "tcp", targetPort: 443 },
            { entryProtocol: "udp", entryPort: 443, targetProtocol: "udp", targetPort: 443 },
          ],
          { type: "REGIONAL_NETWORK", healthcheck: { protocol: "https", port: 443 } },
        ),
        guard: firewall([{ protocol: "tcp", portRange: "443", sourceLoadBalancerUids: ["balancer-id"] }], {
          tags: ["web"],
        }),
      },
    },
    ...soundWebServers,
    {
      title: "plain HTTP is forwarded to an Apache that only redirects it",
      resources: {
        web: tier({ "web-1": { roles: ["web"], files: { [apachePath]: apacheSite } } }),
        "web-1": droplet("web-1", { tags: ["web"], userData: unknownValue }),
        edge: loadBalancer([passthroughRule, port80Rule], { redirectHttpToHttps: false }),
      },
    },
    {
      title: "a database host that keeps its old user data on purpose",
      resources: {
        tier: tier({
          "db-1": { roles: ["database"], files: { [memberPath]: `${groupMember}max_connections = 500\n` } },
        }),
        "db-1": { ...droplet("db-1", { userData: cloudConfig(memberFiles) }), ignoreChanges: ["userData"] },
      },
    },
  ],
  invalid: [
    wrongRule(
      "HTTPS is sent to the droplets as plain HTTP",
      { ...httpsRule, targetProtocol: "http", targetPort: 80 },
      'accepts "https" and sends "http" to the droplets',
    ),
    wrongRule(
      "HTTP/2 is sent to the droplets without TLS",
      { ...httpsRule, entryProtocol: "http2", targetProtocol: "http2" },
      'accepts "http2" and sends "http2" to the droplets',
    ),
    wrongRule(
      "TCP is forwarded without inspection",
      { ...httpsRule, entryProtocol: "tcp", targetProtocol: "tcp" },
      'entryProtocol is "tcp"',
    ),
    wrongRule(
      "HTTPS is sent to the droplets as TCP",
      { ...httpsRule, targetProtocol: "tcp" },
      'sends "tcp" to the droplets',
    ),
    wrongRule(
      "a rule terminates TLS without a certificate",
      { ...httpsRule, certificateName: "" },
      "names no certificate",
    ),
    wrongRule(
      "the target protocol is unknown",
      { ...httpsRule, targetProtocol: unknownValue },
      "targetProtocol: the value is unknown",
    ),
    {
      title: "a network load balancer forwards bytes to a port that may be plain text",
      resources: {
        edge: loadBalancer(
          [{ entryProtocol: "tcp", entryPort: 8080, targetProtocol: "tcp", targetPort: 8080 }],
          {
            type: "REGIONAL_NETWORK",
          },
        ),
      },
      violations: [{ resource: "edge", says: 'entryProtocol is "tcp"', at: "registration" }],
    },
    {
      title: "a health check over plain HTTP",
      resources: {
        edge: loadBalancer([httpsRule], { healthcheck: { protocol: "http", port: 80, path: "/" } }),
      },
      violations: [
        { resource: "edge", says: 'the health check asks the droplets over "http"', at: "registration" },
      ],
    },
    {
      title: "a firewall lets the load balancer reach port 80",
      resources: {
        edge: loadBalancer([httpsRule]),
        guard: firewall([{ protocol: "tcp", portRange: "80", sourceLoadBalancerUids: ["balancer-id"] }]),
      },
      violations: [{ resource: "guard", says: "it lets the load balancer reach port 80", at: "stack" }],
    },
    {
      title: "a global load balancer that does not set its targets' protocol",
      resources: { edge: loadBalancer([], { type: "GLOBAL" }) },
      violations: [{ resource: "edge", says: "glbSettings: the value is missing", at: "registration" }],
    },
    {
      title: "plain HTTP is accepted and not redirected",
      resources: { edge: loadBalancer([httpsRule, port80Rule], { redirectHttpToHttps: false }) },
      violations: [{ resource: "edge", says: 'accepts "http" and does not redirect it', at: "registration" }],
    },
    {
      title: "the load balancer allows weak ciphers",
      resources: { edge: loadBalancer([httpsRule], { tlsCipherPolicy: "DEFAULT" }) },
      violations: [{ resource: "edge", says: 'tlsCipherPolicy is "DEFAULT"', at: "registration" }],
    },
    {
      title: "the forwarding rules are unknown",
      resources: { edge: loadBalancer(unknownValue) },
      violations: [{ resource: "edge", says: "forwardingRules: the value is unknown", at: "registration" }],
    },
    {
      title: "a global load balancer sends plain HTTP to its targets",
      resources: {
        edge: {
          type: "digitalocean:index/loadBalancer:LoadBalancer",
          properties: {
            name: "edge",
            type: "GLOBAL",
            glbSettings: { targetProtocol: "http", targetPort: 80 },
          },
        },
      },
      violations: [{ resource: "edge", says: 'sends "http" to its targets', at: "registration" }],
    },
    {
      title: "plain HTTP is forwarded to droplets that serve it",
      resources: {
        "web-1": droplet("web-1", {
          tags: ["web"],
          userData: cloudConfig({
            ...nginxFiles,
            "/etc/nginx/conf.d/plain.conf": changed(
              redirectSite,
              "return 301 https://$host$request_uri",
              "root /srv/www",
            ),
          }),
        }),
        edge: loadBalancer([passthroughRule, port80Rule], { redirectHttpToHttps: false }),
      },
      violations: [
        { resource: "web-1", says: "plain.conf:2: nginx serves plain text on port 80", at: "registration" },
        {
          resource: "edge",
          says: "it is unknown whether the droplets behind it only redirect it",
          at: "stack",
        },
      ],
    },
    wrongSite(
      "nginx listens without TLS",
      "listen 443 ssl;",
      "listen 80;",
      "nginx serves plain text on port 80",
    ),
    wrongSite("nginx allows TLS 1.0", "TLSv1.2 TLSv1.3", "TLSv1 TLSv1.2", 'ssl_protocols allows "TLSv1"'),
    wrongSite(
      "nginx uses its default TLS versions",
      "ssl_protocols TLSv1.2 TLSv1.3;",
      "",
      "the server sets no ssl_protocols",
    ),
    wrongSite(
      "nginx sends requests to another host in plain text",
      "unix:/run/app/app.sock",
      "10.0.0.5:8080",
      "proxy_pass sends requests to 10.0.0.5 in plain text",
    ),
    wrongSite(
      "nginx connects to another host with TLS and does not verify it",
      "http://app",
      "https://api.internal.foobar.com",
      "over TLS without proxy_ssl_verify on",
    ),
    wrongSite(
      "a variable sets the target of nginx's requests",
      "http://app",
      "http://$backend",
      "a target that a variable sets",
    ),
    wrongSite(
      "nginx includes an unknown file",
      "server {",
      "include /etc/nginx/extra.conf;\nserver {",
      "includes a file whose text is unknown",
    ),
    wrongSite("nginx's configuration cannot be read", "location / {", "location / ", "it cannot be read"),
    wrongHaproxy(
      "HAProxy sends HTTP to another host in plain text",
      haproxyToHttps,
      " ssl verify required ca-file /etc/ssl/internal.pem",
      "",
      "HAProxy sends traffic to app-1.internal.foobar.com in plain text",
    ),
    wrongHaproxy(
      "HAProxy does not verify its servers",
      haproxyToHttps,
      "verify required ca-file /etc/ssl/internal.pem",
      "verify none",
      "without verifying its certificate",
    ),
    wrongHaproxy(
      "HAProxy listens without TLS",
      haproxyToHttps,
      "bind :443 ssl crt /etc/haproxy/site.pem ssl-min-ver TLSv1.2",
      "bind :8080",
      "HAProxy serves plain text on port 8080",
    ),
    wrongHaproxy(
      "HAProxy forwards bytes to a port without encryption",
      haproxyToMysql,
      "db-2.internal.foobar.com:3306",
      "cache.internal.foobar.com:6379",
      "HAProxy sends traffic to cache.internal.foobar.com in plain text",
    ),
    wrongHaproxy(
      "HAProxy accepts bytes in plain text and adds TLS to them",
      changed(haproxyToMysql, "bind 127.0.0.1:3307", "bind :3307"),
      ":3306 check\n  server db-2",
      ":3306 ssl verify required ca-file /etc/ssl/internal.pem\n  server db-2",
      "HAProxy serves plain text on port 3307",
    ),
    wrongFile(
      "an nginx stream exposes a port of the host in plain text",
      "/etc/nginx/nginx.conf",
      "stream { server { listen 6380; proxy_pass 127.0.0.1:6379; } }\n",
      "a stream listens in plain text",
    ),
    wrongFile(
      "an nginx stream sends bytes to another host in plain text",
      "/etc/nginx/nginx.conf",
      "stream { server { listen 127.0.0.1:6380; proxy_pass 10.0.0.5:6379; } }\n",
      "sends bytes to another host without verified TLS",
    ),
    wrongUserData(
      "user data that includes other addresses",
      "#include\nhttps://example.com/cloud-config.yaml\n",
      "its userData is user data that includes other addresses, which cannot be read",
      "stack",
    ),
    wrongUserData(
      "a script that runs code from another address",
      "#!/bin/sh\ncurl -fsSL https://example.com/install.sh | sh\n",
      "it runs a command that runs code from another address",
      "registration",
    ),
    wrongUserData(
      "a script that changes a configuration file in an unknown way",
      "#!/bin/sh\nsed -i 's/^mode http/mode tcp/' /etc/haproxy/haproxy.cfg\n",
      "the file's text is unknown: a command in a script changes it",
      "registration",
    ),
    {
      title: "the template of a pool of droplets serves plain text",
      resources: {
        pool: {
          type: "digitalocean:index/dropletAutoscale:DropletAutoscale",
          properties: {
            name: "web",
            config: { minInstances: 2, maxInstances: 4 },
            dropletTemplate: {
              image: "ubuntu-26-04-x64",
              size: "s-1vcpu-2gb",
              region: "fra1",
              sshKeys: ["3b:16:bf:e4:8b:00:8b:b8:59:8c:a9:d3:f0:19:45:fa"],
              userData: cloudConfig({ "/etc/nginx/conf.d/p.conf": "server { listen 80; root /srv/www; }" }),
            },
          },
        },
      },
      violations: [
        {
          resource: "pool",
          says: "dropletTemplate.userData, /etc/nginx/conf.d/p.conf:1: nginx serves plain text on port 80",
          at: "registration",
        },
      ],
    },
    wrongUserData(
      "a deferred file that is written last, although it is listed first",
      `#cloud-config\n${JSON.stringify({
        write_files: [
          {
            path: "/etc/nginx/conf.d/site.conf",
            content: "server { listen 80; root /srv/www; }",
            defer: true,
          },
          { path: "/etc/nginx/conf.d/site.conf", content: nginxSite },
        ],
      })}\n`,
      "nginx serves plain text on port 80",
      "registration",
    ),
    wrongUserData(
      "a script that runs a file of a repository",
      "#!/bin/sh\ngit clone https://github.com/acme/setup && bash setup/setup.sh\n",
      "it runs a command that runs code from another address",
      "registration",
    ),
    wrongUserData(
      "a script that writes a plain text listener, with its path in a variable",
      '#!/bin/sh\nCONF=/etc/nginx/conf.d/p.conf\ncat > "$CONF" <<EOF\nserver { listen 80; root /srv/www; }\nEOF\n',
      "/etc/nginx/conf.d/p.conf:1: nginx serves plain text on port 80",
      "registration",
    ),
    wrongUserData(
      "a command that lets clients connect without TLS while MySQL runs",
      cloudConfig(memberFiles, { runcmd: ['mysql -e "SET GLOBAL require_secure_transport=OFF"'] }),
      'script, line 1: a statement sets require_secure_transport to "OFF" while the server runs',
      "registration",
    ),
    wrongUserData(
      "a command that makes a replica read from its source without TLS",
      cloudConfig(memberFiles, {
        runcmd: ["mysql -e \"CHANGE REPLICATION SOURCE TO SOURCE_HOST='10.0.0.2', SOURCE_USER='replica'\""],
      }),
      "the replica reads from its source without SOURCE_SSL=1",
      "registration",
    ),
    wrongUserData(
      "a part of a multi-part message serves plain text",
      mimeOfConfig(cloudConfig({ "/etc/nginx/conf.d/plain.conf": "server { listen 80; root /srv/www; }\n" })),
      "nginx serves plain text on port 80",
      "registration",
    ),
    wrongMember(
      "MySQL accepts connections without TLS",
      "require_secure_transport = ON",
      "require_secure_transport = OFF",
      'require_secure_transport is "OFF"',
    ),
    wrongMember(
      "MySQL does not require its clients to use TLS",
      "require_secure_transport = ON\n",
      "",
      "no option file sets require_secure_transport",
    ),
    wrongMember("MySQL allows TLS 1.1", "TLSv1.2,TLSv1.3", "TLSv1.1,TLSv1.2", 'tls_version allows "TLSv1.1"'),
    wrongMember(
      "the group's own traffic is plain text",
      "VERIFY_IDENTITY",
      "DISABLED",
      'group_replication_ssl_mode is "DISABLED"',
    ),
    wrongMember(
      "the group does not verify its members",
      "VERIFY_IDENTITY",
      "REQUIRED",
      'group_replication_ssl_mode is "REQUIRED"',
    ),
    wrongMember(
      "a joining member receives its data in plain text",
      "recovery_use_ssl = ON",
      "recovery_use_ssl = OFF",
      'group_replication_recovery_use_ssl is "OFF"',
    ),
    wrongMember(
      "a joining member does not verify its donor",
      "loose-group_replication_recovery_ssl_verify_server_cert = ON\n",
      "",
      "no option file sets group_replication_recovery_ssl_verify_server_cert",
    ),
    wrongMember(
      "an option file includes an unknown file",
      "[mysqld]",
      "!include /etc/mysql/extra.cnf\n[mysqld]",
      "includes a file whose text is unknown",
    ),
    wrongFile(
      "a replica reads from its source in plain text",
      "/root/replica.sql",
      changed(replicaSql, "SOURCE_SSL=1", "SOURCE_SSL=0"),
      "without SOURCE_SSL=1",
    ),
    wrongFile(
      "a replica does not verify its source",
      "/root/replica.sql",
      changed(replicaSql, "VERIFY_SERVER_CERT=1", "VERIFY_SERVER_CERT=0"),
      "does not verify its source",
    ),
    {
      title: "a maintenance server without network hides the real one",
      resources: {
        "db-1": droplet("db-1", {
          userData: cloudConfig({
            "/etc/mysql/mysql.conf.d/maintenance.cnf":
              "[mysqld]\nskip_networking = ON\nrequire_secure_transport = ON\n",
            "/etc/mysql/real.cnf": changed(groupMember, "require_secure_transport = ON\n", ""),
          }),
        }),
      },
      violations: [
        { resource: "db-1", says: "no option file sets require_secure_transport", at: "registration" },
      ],
    },
    {
      title: "the host installs nginx and MySQL, and nothing configures them",
      resources: {
        "host-1": droplet("host-1", { userData: "#cloud-config\npackages: [nginx, mysql-server]\n" }),
      },
      violations: [
        {
          resource: "host-1",
          says: "installs nginx, but no file contains its configuration",
          at: "registration",
        },
        { resource: "host-1", says: "no option file sets require_secure_transport", at: "registration" },
      ],
    },
    {
      title: "nginx and MySQL in containers whose ports other hosts can reach",
      resources: {
        "app-1": droplet("app-1", {
          userData: cloudConfig({
            "/srv/docker-compose.yml": `services:
  db: { image: "mysql:8.4", ports: ["3306:3306"] }
  web: { image: "nginx:1.29", ports: [{ target: 80, published: 80 }] }
`,
          }),
        }),
      },
      violations: [
        { resource: "app-1", says: "no option file sets require_secure_transport", at: "registration" },
        { resource: "app-1", says: "the host installs nginx", at: "registration" },
      ],
    },
    {
      title: "a configuration file comes from another address",
      resources: {
        "host-1": droplet("host-1", {
          userData:
            "#cloud-config\nwrite_files:\n  - path: /etc/nginx/conf.d/site.conf\n    source: { uri: https://example.com/site.conf }\n",
        }),
      },
      violations: [{ resource: "host-1", says: "it comes from another address", at: "registration" }],
    },
    {
      title: "nothing covers unknown user data",
      resources: { "host-1": droplet("host-1", { userData: unknownValue }) },
      violations: [
        { resource: "host-1", says: "no component passes evidence for this droplet's name", at: "stack" },
      ],
    },
    {
      title: "nothing covers user data that cannot be read",
      resources: { "host-1": droplet("host-1", { userData: "#include\nhttps://example.com/user-data\n" }) },
      violations: [
        {
          resource: "host-1",
          says: "user data that includes other addresses, which cannot be read",
          at: "stack",
        },
      ],
    },
    {
      title: "the evidence contradicts the user data",
      resources: {
        tier: tier({ "host-1": { roles: ["web"], files: nginxFiles } }),
        "host-1": droplet("host-1", {
          userData: cloudConfig({ ...nginxFiles, "/etc/nginx/conf.d/site.conf": `${nginxSite}# changed\n` }),
        }),
      },
      violations: [{ resource: "host-1", says: "differs from the evidence", at: "registration" }],
    },
    {
      title: "a release serves plain text, and lets MySQL's clients connect without TLS",
      resources: {
        "dev-web-1": oldDroplet,
        release: release("web-1", {
          ...plainFiles,
          [memberPath]: changed(
            groupMember,
            "require_secure_transport = ON",
            "require_secure_transport = OFF",
          ),
        }),
      },
      violations: [
        {
          resource: "release",
          says: 'host "dev-web-1", /etc/nginx/conf.d/site.conf:3: nginx serves plain text',
          at: "registration",
        },
        { resource: "release", says: "require_secure_transport", at: "registration" },
      ],
    },
    {
      title: "a release contradicts the evidence",
      resources: {
        web: tier({ "dev-web-1": { roles: ["web"], files: nginxFiles } }),
        "dev-web-1": oldDroplet,
        release: release("web-1", {
          ...nginxFiles,
          "/etc/nginx/conf.d/site.conf": `${nginxSite}# changed\n`,
        }),
      },
      violations: [
        {
          resource: "release",
          says: "/etc/nginx/conf.d/site.conf differs from the evidence that web passes",
          at: "registration",
        },
      ],
    },
    {
      title: "two releases are for one host",
      resources: {
        "dev-web-1": oldDroplet,
        release: release("web-1", nginxFiles),
        again: release("web-1", nginxFiles),
      },
      violations: [
        {
          resource: "again",
          says: 'for the droplet "dev-web-1", and so is the release release',
          at: "registration",
        },
      ],
    },
    {
      title: "a release is for a droplet that does not exist",
      resources: {
        "dev-web-1": oldDroplet,
        "release-1": release("web-1", nginxFiles),
        "release-2": release("web-2", nginxFiles),
      },
      violations: [
        {
          resource: "release-2",
          says: 'for the droplet "dev-web-2", and the stack has no such droplet',
          at: "stack",
        },
      ],
    },
    {
      title: "a release names another address than its own",
      resources: {
        "dev-web-1": oldDroplet,
        release: release("web-1", {
          ...nginxFiles,
          "/etc/secured-web/release.json":
            '{"releases":"https://other.fra1.digitaloceanspaces.com/hosts/web-1.json"}',
        }),
      },
      violations: [
        {
          resource: "release",
          says: "the release tells the host to fetch releases from another address",
          at: "registration",
        },
      ],
    },
    {
      title: "a release names no address",
      resources: {
        "dev-web-1": oldDroplet,
        release: release("web-1", { ...nginxFiles, "/etc/secured-web/release.json": "{}" }),
      },
      violations: [
        {
          resource: "release",
          says: "the release does not tell the host from which address",
          at: "registration",
        },
      ],
    },
    {
      title: "the user data of a host does not tell it to fetch releases",
      resources: {
        "dev-web-1": droplet("dev-web-1", { userData: cloudConfig(nginxFiles) }),
        release: release("web-1", nginxFiles),
      },
      violations: [
        {
          resource: "release",
          says: "the user data of dev-web-1 does not tell the host to fetch releases",
          at: "stack",
        },
      ],
    },
    {
      title: "a host fetches its releases from another address",
      resources: {
        "dev-web-1": {
          ...droplet("dev-web-1", {
            userData: firstRelease("web-1", {
              "/etc/secured-web/release.json":
                '{"releases":"https://other.fra1.digitaloceanspaces.com/hosts/web-1.json"}',
            }),
          }),
          ignoreChanges: ["userData"],
        },
        release: release("web-1", nginxFiles),
      },
      violations: [
        {
          resource: "release",
          says: "the user data of dev-web-1 tells the host to fetch releases from another address",
          at: "stack",
        },
      ],
    },
    {
      title: "a host fetches an object that is no release",
      resources: {
        web: tier({ "dev-web-1": { roles: ["web"], files: nginxFiles } }),
        "dev-web-1": oldDroplet,
        object: release("web-1", {}, { contentType: "application/json", content: "{}" }),
      },
      violations: [
        {
          resource: "dev-web-1",
          says: "it tells the host to fetch object, which is no release",
          at: "stack",
        },
      ],
    },
    {
      title: "a droplet changes by releases, and has none",
      resources: { "dev-web-1": oldDroplet },
      violations: [
        {
          resource: "dev-web-1",
          says: "from an address at which the stack has no object",
          at: "stack",
        },
        {
          resource: "dev-web-1",
          says: "it ignores changes of its userData, and the stack has no release for it",
          at: "stack",
        },
      ],
    },
    unreadableRelease("a release is not JSON", "SECRET", "it is a release that is not JSON"),
    unreadableRelease(
      "a release has no signature",
      releaseEnvelope("{}", { signatures: [] }),
      "it is a release without a signature",
    ),
    unreadableRelease(
      "a release is of another version",
      releaseEnvelope("{}", { payloadType: "application/vnd.secured-web.release.v2+gzip" }),
      "it is a release of another version",
    ),
    unreadableRelease(
      "the payload of a release is not compressed",
      releaseEnvelope("{}", { payload: "e30=" }),
      "it is a release whose payload is not compressed with gzip",
    ),
    unreadableRelease(
      "a release names no host",
      releaseEnvelope('{"stack":"dev","files":[]}'),
      "it is a release without the name of its stack or host",
    ),
    unreadableRelease(
      "the content of a release is missing",
      undefined,
      "the release has no content that can be read",
    ),
    {
      title: "the evidence itself shows plain text",
      resources: {
        tier: tier({
          "host-1": {
            roles: ["web"],
            files: { "/etc/nginx/conf.d/site.conf": changed(nginxSite, "443 ssl", "8080") },
          },
        }),
        "host-1": droplet("host-1", { userData: unknownValue }),
      },
      violations: [
        {
          resource: "tier",
          says: 'host "host-1", /etc/nginx/conf.d/site.conf:3: nginx serves plain text',
          at: "registration",
        },
      ],
    },
    {
      title: "the evidence is unknown, or lacks the host's role",
      resources: {
        tier: tier({
          "host-1": { roles: ["web"], files: {} },
          "host-2": { roles: ["database"], files: { [memberPath]: unknownValue } },
        }),
      },
      violations: [
        { resource: "tier", says: "has the role web, but contains no server", at: "registration" },
        {
          resource: "tier",
          says: 'configurationEvidence["host-2"].files: the evidence is unknown',
          at: "registration",
        },
        {
          resource: "tier",
          says: 'host "host-2": no option file sets require_secure_transport',
          at: "registration",
        },
      ],
    },
    ...wrongWebServers,
  ],
};
