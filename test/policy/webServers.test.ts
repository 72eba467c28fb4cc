/** end-to-end-encryption on ordinary configurations of Apache, Caddy, Traefik and Envoy, and on small changes of them. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { cloudConfig, droplet } from "../../policy/fixtures/texts";
import { parseApache } from "../../policy/parsers/apache";
import { parseCaddyfile } from "../../policy/parsers/caddyfile";
import { endToEndEncryption } from "../../policy/policies/end-to-end-encryption/policy";
import {
  apachePath,
  apacheSite,
  caddyPath,
  caddySite,
  composePath,
  envoyBootstrap,
  envoyPath,
  traefikCompose,
  traefikDynamic,
  traefikDynamicPath,
  traefikPath,
  traefikStatic,
} from "../../policy/policies/end-to-end-encryption/web-server-texts";
import { judgeWebServerFiles } from "../../policy/policies/end-to-end-encryption/web-servers";
import { judgeFixture } from "./harness";

type Files = Readonly<Record<string, string>>;

function messages(files: Files): readonly string[] {
  const resources = { "web-1": droplet("web-1", { userData: cloudConfig(files) }) };
  return judgeFixture(endToEndEncryption, { title: "one host", resources }).map(({ message }) => message);
}

const tls =
  "SSLEngine on\nSSLProtocol -all +TLSv1.2 +TLSv1.3\nSSLCertificateFile /a.pem\nSSLCertificateKeyFile /a.key\n";
const host = (address: string, text: string) => `<VirtualHost ${address}>\n${text}\n</VirtualHost>\n`;
const apache = (text: string): Files => ({ [apachePath]: text });
const redirect = (text: string) => apache(host("*:443", tls) + host("*:80", text));
const caddy = (text: string): Files => ({ [caddyPath]: text });
const caddyInCompose = (text: string, ports: string): Files => ({
  "/srv/app/Caddyfile": text,
  [composePath]: `services:\n  web: { image: "caddy:2", ports: ["${ports}"] }\n  app: { image: acme/app }\n`,
});
const traefik = (text: string): Files => ({ [traefikPath]: text });
const envoyListener = (address: string, chain: string): Files => ({
  [envoyPath]: `static_resources:\n  listeners:\n    - address: { socket_address: { address: "${address}", port_value: 8443 } }\n      filter_chains:\n        - ${chain}\n`,
});
const forwarding = (port: number) =>
  `filters: [{ name: tcp, typed_config: { cluster: app } }]\n  clusters:\n    - name: app\n      load_assignment: { endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 10.0.0.9, port_value: ${port} } } } }] }] }`;
const routes = (virtualHost: string) =>
  `filters: [{ typed_config: { route_config: { virtual_hosts: [${virtualHost}] } } }]`;

const sound: readonly (readonly [string, Files])[] = [
  ["Apache on loopback only", apache(`Listen 127.0.0.1:8080\n${host("*:8080", "DocumentRoot /srv")}`)],
  ["Apache on IPv6 loopback", apache(`Listen [::1]:8080\n${host("[::1]:8080", "DocumentRoot /srv")}`)],
  ["https on another port", apache(`Listen 8443 https\n${host("*:8443", tls)}`)],
  ["lower-case directives", apache(host("_default_:443", tls.toLowerCase().replaceAll("tlsv", "TLSv")))],
  ["settings of the whole server", apache(`${tls}Listen 443\n${host("*:443", "DocumentRoot /srv")}`)],
  [
    "a rewrite unless HTTPS",
    redirect(
      "RewriteEngine On\nRewriteCond %{HTTPS} !=on\nRewriteRule ^/?(.*) https://%{SERVER_NAME}/$1 [R=301,L]",
    ),
  ],
  [
    "a rewrite except for ACME",
    redirect(
      "RewriteEngine On\nRewriteCond %{REQUEST_URI} !^/\\.well-known/acme-challenge/\nRewriteRule ^ https://%{HTTP_HOST}%{REQUEST_URI} [R=308,L]",
    ),
  ],
  ["a redirect of all paths by pattern", redirect('RedirectMatch 301 "^/(.*)$" "https://www.foobar.com/$1"')],
  ["a refusal", redirect('<Location "/">\n  Require all denied\n</Location>')],
  [
    "PHP over a socket",
    apache(
      host(
        "*:443",
        `${tls}<FilesMatch "\\.php$">\nSetHandler "proxy:unix:/run/php.sock|fcgi://localhost"\n</FilesMatch>`,
      ),
    ),
  ],
  [
    "a balancer on the host itself",
    apache(
      host(
        "*:443",
        `${tls}<Proxy balancer://app>\nBalancerMember http://127.0.0.1:1\n</Proxy>\nProxyPass / balancer://app/`,
      ),
    ),
  ],
  [
    "a verified backend",
    apache(host("*:443", `${tls}SSLProxyEngine on\nSSLProxyVerify require\nProxyPass / https://10.0.0.9/`)),
  ],
  [
    "certbot's options",
    apache(host("*:443", "Include /etc/letsencrypt/options-ssl-apache.conf\nSSLCertificateFile /a.pem")),
  ],
  ["a defined port", apache(`Define PORT 443\n${host("*:${" + "PORT}", tls)}`)],
  [
    "an included part",
    { ...apache(host("*:443", "Include snippets/tls.conf")), "/etc/apache2/snippets/tls.conf": tls },
  ],
  ["an agent's file about Apache", { "/etc/telegraf/apache/a.conf": "Listen 80\n" }],
  ["a site without braces", caddy("www.foobar.com\nreverse_proxy localhost:3000\n")],
  ["a site on port 443 without a host", caddy(":443 {\n  tls /a.pem /a.key\n  file_server\n}\n")],
  ["a port with tls internal", caddy(":8443 {\n  tls internal\n  file_server\n}\n")],
  ["a scheme before a variable", caddy("https://{$DOMAIN} {\n  file_server\n}\n")],
  [
    "automatic HTTPS off, with a certificate",
    caddy("{\n auto_https off\n}\nwww.foobar.com {\n tls /a.pem /a.key\n}\n"),
  ],
  ["redirects off", caddy("{\n auto_https disable_redirects\n}\nwww.foobar.com {\n file_server\n}\n")],
  ["a redirect of plain text", caddy("http:// {\n  log\n  redir https://{host}{uri} permanent\n}\n")],
  ["a site for the host itself", caddy("http://localhost:8081 {\n  respond 200\n}\n")],
  ["loopback for all sites", caddy("{\n default_bind 127.0.0.1\n}\n:8080 {\n file_server\n}\n")],
  ["PHP of Caddy over a socket", caddy("www.foobar.com {\n  php_fastcgi unix//run/php.sock\n}\n")],
  [
    "an upstream with TLS options",
    caddy(
      "www.foobar.com {\n  reverse_proxy /api/* 10.0.0.9:8443 {\n    transport http {\n      tls\n    }\n  }\n}\n",
    ),
  ],
  [
    "a container's port that only the host reaches",
    caddyInCompose(":8080 {\n  reverse_proxy app:80\n}\n", "127.0.0.1:8080:8080"),
  ],
  [
    "comments, quotes and here-documents",
    caddy(
      '# http://a\nwww.foobar.com {\n  respond <<TEXT\n    { http://a\n    TEXT 200\n  header X "a { b"\n}\n',
    ),
  ],
  [
    "sites of an imported folder",
    { ...caddy("import sites/*\n"), "/etc/caddy/sites/a": "a.foobar.com {\n  file_server\n}\n" },
  ],
  [
    "an upstream in a container that the host builds",
    {
      "/srv/app/Caddyfile": "www.foobar.com {\n  reverse_proxy api:80\n}\n",
      [composePath]: 'services:\n  api: { build: . }\n  web: { image: "caddy:2", ports: ["443:443"] }\n',
    },
  ],
  ["an entry point for UDP", traefik('entryPoints: { quic: { address: ":1704/udp" } }\n')],
  [
    "a router that redirects by middleware",
    {
      ...traefik('entryPoints: { web: { address: ":80" } }\n'),
      [traefikDynamicPath]:
        "http:\n  routers: { all: { rule: PathPrefix(`/`), middlewares: [toHttps@file], service: noop@internal } }\n  middlewares: { toHttps: { redirectScheme: { scheme: https } } }\n",
    },
  ],
  [
    "a dashboard that no other host reaches",
    { [composePath]: traefikCompose.replace("--providers.docker=true", "--api.insecure=true") },
  ],
  ["a listener of Envoy on loopback", envoyListener("127.0.0.1", "filters: []")],
  ["Envoy forwards MySQL", envoyListener("0.0.0.0", forwarding(3306))],
  ["Envoy requires TLS of every route", envoyListener("0.0.0.0", routes("{ require_tls: ALL }"))],
  [
    "Envoy on a pipe",
    {
      [envoyPath]:
        "static_resources: { listeners: [{ address: { pipe: { path: /run/envoy.sock } }, filter_chains: [{}] }] }\n",
    },
  ],
];

const unsound: readonly (readonly [string, Files])[] = [
  ["a virtual host of every port", apache(`Listen 80\n${host("*", "DocumentRoot /srv")}`)],
  [
    "a listener beside a local virtual host",
    apache(`Listen 8080\n${host("127.0.0.1:8080", "DocumentRoot /srv")}`),
  ],
  ["SSLEngine optional", apache(host("*:443", tls.replace("on", "optional")))],
  ["http on port 443", apache(`Listen 443 http\n${host("*:443", tls.replace("SSLEngine on\n", ""))}`)],
  ["old TLS by a plus sign", apache(host("*:443", tls.replace("-all", "-all +TLSv1")))],
  ["a redirect to plain text", redirect("Redirect / http://www.foobar.com/")],
  ["a redirect and a script", redirect("Redirect / https://www.foobar.com/\nScriptAlias /cgi /srv/cgi")],
  ["a rewrite without RewriteEngine", redirect("RewriteRule ^ https://%{HTTP_HOST}%{REQUEST_URI} [R]")],
  [
    "a rewrite of one host",
    redirect("RewriteEngine on\nRewriteCond %{HTTP_HOST} ^a$\nRewriteRule ^ https://a/ [R]"),
  ],
  [
    "a balancer on another host",
    apache(host("*:443", `${tls}<Proxy balancer://app>\nBalancerMember ajp://10.0.0.9:8009\n</Proxy>`)),
  ],
  [
    "a rewrite by proxy",
    apache(host("*:443", `${tls}RewriteEngine on\nRewriteRule ^/(.*) http://10.0.0.9/$1 [P,L]`)),
  ],
  ["FastCGI on another host", apache(host("*:443", `${tls}SetHandler "proxy:fcgi://10.0.0.9:9000"`))],
  ["a listener that a backslash continues", apache("Listen \\\n80\n")],
  ["a macro", apache("<Macro site $name>\nServerName $name\n</Macro>\nUse site a\n")],
  ["a site on the port of HTTP", caddy("{\n http_port 8080\n}\nwww.foobar.com:8080 {\n file_server\n}\n")],
  ["a listener on a private address", caddy(":8080 {\n  bind 10.0.0.5\n  file_server\n}\n")],
  ["a redirect of one path", caddy(":80 {\n  redir /a https://a\n  respond 404\n  file_server\n}\n")],
  [
    "an upstream in a nested block",
    caddy("www.foobar.com {\n handle /a {\n  route {\n   reverse_proxy 10.0.0.9:80\n  }\n }\n}\n"),
  ],
  [
    "an upstream of to",
    caddy("www.foobar.com {\n reverse_proxy {\n  to localhost:1 h2c://10.0.0.9:80\n }\n}\n"),
  ],
  [
    "upstreams that it looks up",
    caddy("www.foobar.com {\n reverse_proxy {\n  dynamic a app.internal 80\n }\n}\n"),
  ],
  ["FastCGI of Caddy on another host", caddy("www.foobar.com {\n php_fastcgi 10.0.0.9:9000\n}\n")],
  ["a host whose name begins with unix", caddy("www.foobar.com {\n reverse_proxy unixhost:80\n}\n")],
  [
    "a container's port that other hosts reach",
    caddyInCompose(":8080 {\n  reverse_proxy app:80\n}\n", "80:8080"),
  ],
  [
    "a site in an imported file",
    { ...caddy("import sites/*\n"), "/etc/caddy/sites/a": ":80 {\n  file_server\n}\n" },
  ],
  ["Traefik without entry points", traefik("api: { dashboard: true }\n")],
  ["a null for TLS", traefik('entryPoints: { a: { address: ":443", http: { tls: } } }\n')],
  ["an entry point with another case", traefik('entrypoints: { A: { Address: "0.0.0.0:80" } }\n')],
  [
    "a dashboard of the host",
    traefik('api: { insecure: true }\nentryPoints: { a: { address: ":443", http: { tls: {} } } }\n'),
  ],
  [
    "a TCP router without TLS",
    {
      ...traefik('entryPoints: { a: { address: ":25", http: { tls: {} } } }\n'),
      [traefikDynamicPath]: "tcp:\n  routers: { a: { rule: HostSNI(`*`), service: a } }\n",
    },
  ],
  [
    "a container that is enabled without a router",
    {
      [composePath]: `${traefikCompose}  other:\n    image: acme/other\n    labels: { traefik.enable: "true" }\n`,
    },
  ],
  [
    "a label without TLS of a container that the host builds",
    {
      [composePath]: traefikCompose
        .replace("image: acme/app:1", "build: .")
        .replace(/\n.*certresolver=letsencrypt/, ""),
    },
  ],
  [
    "an image of a registry with a port",
    {
      [composePath]: 'services:\n  web: { image: "registry.internal:5000/web/caddy:2", ports: ["80:80"] }\n',
    },
  ],
  ["Envoy forwards HTTP", envoyListener("0.0.0.0", forwarding(8080))],
  [
    "Envoy requires TLS of some routes",
    envoyListener("::", routes("{ require_tls: ALL }, { routes: [{ route: {} }] }")),
  ],
  [
    "an additional address of Envoy",
    envoyListener(
      "127.0.0.1",
      "filters: []\n      additional_addresses: [{ address: { socket_address: { address: 0.0.0.0, port_value: 80 } } }]",
    ),
  ],
];

describe("end-to-end-encryption on web servers", () => {
  for (const [title, files] of sound) it(`passes: ${title}`, () => assert.deepEqual(messages(files), []));

  for (const [title, files] of unsound)
    it(`refuses: ${title}`, () => assert.notDeepEqual(messages(files), []));

  it("passes a script that only creates a user with the name of a server", () => {
    const userData = "#!/bin/sh\nuseradd --system caddy\nadduser envoy\n";
    const resources = { "web-1": droplet("web-1", { userData }) };
    assert.deepEqual(judgeFixture(endToEndEncryption, { title: "one host", resources }), []);
  });

  it("does not print the user and the password of an address", () => {
    const [message = ""] = messages(
      apache(host("*:443", `${tls}ProxyPass / http://marker:marker@10.0.0.9/`)),
    );
    assert.match(message, /10\.0\.0\.9/);
    assert.doesNotMatch(message, /marker/);
  });
});

/** The lines without which a sound configuration is unsound. SSLEngine is on by default on port 443 with a certificate. */
const needed: readonly (readonly [string, string, readonly RegExp[]])[] = [
  ["Apache", apachePath, [/SSLProtocol/, /Redirect/, /<\/?VirtualHost/]],
  ["Caddy", caddyPath, [/^www/, /^admin/, /bind/, /^\S*[{}]$/, /^\(backend/]],
  ["Traefik", traefikPath, [/redirections:|entryPoint:|tls: \{\}/]],
  ["Envoy", envoyPath, [/DownstreamTlsContext|UpstreamTlsContext|trusted_ca|https_redirect/]],
];

const texts: Files = {
  [apachePath]: apacheSite,
  [caddyPath]: caddySite,
  [traefikPath]: traefikStatic,
  [envoyPath]: envoyBootstrap,
};

describe("lines of sound configurations of web servers", () => {
  for (const [name, path, patterns] of needed) {
    it(`${name}: removing a needed line is found`, () => {
      const lines = (texts[path] ?? "").split("\n");
      const others = path === traefikPath ? { [traefikDynamicPath]: traefikDynamic } : {};
      const found = lines.flatMap((line, at) => {
        if (!patterns.some((pattern) => pattern.test(line))) return [];
        const text = lines.filter((_, index) => index !== at).join("\n");
        return [{ line, refused: messages({ ...others, [path]: text }).length > 0 }];
      });
      assert.ok(found.length > 0);
      assert.deepEqual(
        found.filter(({ refused }) => !refused).map(({ line }) => line),
        [],
      );
    });
  }
});

describe("parsers of web servers", () => {
  it("reads sections, quotes, comments and continued lines of Apache", () => {
    const text = '# a\nLISTEN \\\n  80\n<Directory "/srv/a b">\n  Require all granted\n</directory>\n';
    assert.deepEqual(parseApache(text), {
      ok: true,
      directives: [
        { name: "listen", args: ["80"], line: 2 },
        {
          name: "directory",
          args: ["/srv/a b"],
          line: 4,
          block: [{ name: "require", args: ["all", "granted"], line: 5 }],
        },
      ],
    });
  });

  it("says where a file of Apache is wrong", () => {
    for (const [text, line] of [
      ["<A>\n</B>", 2],
      ["</A>", 1],
      ["a\n<A", 2],
      ['a "b', 1],
      ["a\n<A>", 2],
      ["< >", 1],
    ] as const)
      assert.equal((parseApache(text) as { line?: number }).line, line, text);
  });

  it("reads keys, blocks and quotes of a Caddyfile", () => {
    assert.deepEqual(parseCaddyfile('a.com,\n  b.com {\n  respond "x { y" 200 # c\n}\n'), {
      ok: true,
      blocks: [
        {
          keys: ["a.com", "b.com"],
          line: 1,
          directives: [{ name: "respond", args: ["x { y", "200"], line: 3 }],
        },
      ],
    });
  });

  it("says where a Caddyfile is wrong", () => {
    for (const text of ["a {\n", "}\n", 'a {\n  b "c\n}\n', "a {\n  {\n}\n", "a\nb\n}\n"])
      assert.equal(parseCaddyfile(text).ok, false, text);
  });

  const soup = fc
    .array(
      fc.constantFrom(
        ..."{ } \n \\ \" ' ` # < > </ <VirtualHost *:80> </VirtualHost> Listen 80 {$X} import a: [ ] - http: tls: entryPoints: address: :80 <<E http:// , & @ __proto__: constructor: traefik.a.__proto__=1".split(
          / /,
        ),
        "$" + "{X}",
        " ",
        "\n",
      ),
      { maxLength: 40 },
    )
    .map((parts) => parts.join(" "));

  it("never throws on any text", () => {
    const paths = [apachePath, caddyPath, traefikPath, traefikDynamicPath, envoyPath, composePath];
    fc.assert(
      fc.property(fc.oneof(soup, fc.string()), (text) => {
        judgeWebServerFiles(new Map(paths.map((path) => [path, text])));
      }),
      { numRuns: 1_000 },
    );
  });

  it("reads a long file in time", () => {
    const start = Date.now();
    for (const text of [
      '"'.repeat(50_000),
      "<<A\n".repeat(20_000),
      "{ ".repeat(50_000),
      "<A ".repeat(50_000),
      "a \\\n".repeat(50_000),
    ])
      judgeWebServerFiles(new Map([apachePath, caddyPath].map((path) => [path, text])));
    assert.ok(Date.now() - start < 20_000);
  });
});
