/** Examples of Apache, Caddy, Traefik and Envoy. */
import { changed, cloudConfig, droplet } from "../../fixtures/texts";
import type { Fixture, InvalidFixture } from "../../frame/fixture";
import {
  apacheLocal,
  apachePath,
  apachePorts,
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
} from "./web-server-texts";

type Files = Readonly<Record<string, string>>;

const sound = (title: string, userData: string): Fixture => ({
  title,
  resources: { "web-1": droplet("web-1", { userData }) },
});

/** One host whose user data has these problems. */
const wrong = (title: string, userData: string, ...says: readonly string[]): InvalidFixture => ({
  ...sound(title, userData),
  violations: says.map((part) => ({ resource: "web-1", says: part, at: "registration" })),
});

const wrongFiles = (title: string, files: Files, ...says: readonly string[]) =>
  wrong(title, cloudConfig(files), ...says);

const wrongApache = (title: string, from: string, to: string, ...says: readonly string[]) =>
  wrongFiles(title, { [apachePath]: changed(apacheSite, from, to) }, ...says);

const wrongCaddy = (title: string, from: string, to: string, ...says: readonly string[]) =>
  wrongFiles(title, { [caddyPath]: changed(caddySite, from, to) }, ...says);

const traefikFiles = { [traefikPath]: traefikStatic, [traefikDynamicPath]: traefikDynamic };

const wrongTraefik = (
  title: string,
  path: keyof typeof traefikFiles,
  from: string,
  to: string,
  says: string,
) => wrongFiles(title, { ...traefikFiles, [path]: changed(traefikFiles[path] ?? "", from, to) }, says);

const wrongTraefikCompose = (title: string, from: string, to: string, says: string) =>
  wrongFiles(title, { [composePath]: changed(traefikCompose, from, to) }, says);

const wrongEnvoy = (title: string, from: string, to: string, says: string) =>
  wrongFiles(title, { [envoyPath]: changed(envoyBootstrap, from, to) }, says);

const downstreamTls = envoyBootstrap.slice(
  envoyBootstrap.indexOf("transport_socket:"),
  envoyBootstrap.indexOf("filters:"),
);
const upstreamTls = envoyBootstrap.slice(envoyBootstrap.lastIndexOf("      transport_socket:"));

export const soundWebServers: readonly Fixture[] = [
  sound(
    "Apache terminates TLS, redirects port 80, and forwards to the host itself",
    cloudConfig(
      { "/etc/apache2/ports.conf": apachePorts, [apachePath]: apacheSite },
      { packages: ["apache2"] },
    ),
  ),
  sound(
    "a script enables a site of Apache, and another site is for the host itself",
    `#!/bin/bash
apt-get install -y apache2
cat > /etc/apache2/sites-available/site.conf <<'EOF'
${apacheSite}EOF
cat > /etc/apache2/ports.conf <<'EOF'
${apacheLocal}EOF
a2enmod ssl proxy_http
a2dissite 000-default
a2ensite site
systemctl reload apache2
`,
  ),
  sound(
    "Caddy serves sites over HTTPS, forwards to the host itself or over TLS, and answers health checks on loopback",
    cloudConfig({ [caddyPath]: caddySite }, { packages: ["caddy"] }),
  ),
  sound(
    "Caddy forwards to another container of the host",
    cloudConfig({
      [composePath]: `services:
  app: { image: acme/app:1 }
  caddy:
    image: caddy:2
    ports: ["80:80", "443:443"]
    command: caddy reverse-proxy --from www.foobar.com --to app:8080
`,
    }),
  ),
  sound(
    "Traefik redirects port 80, sets TLS on port 443, and answers health checks on loopback",
    cloudConfig(traefikFiles),
  ),
  sound(
    "Traefik in a container, whose routers in labels set TLS",
    cloudConfig({ [composePath]: traefikCompose }),
  ),
  sound(
    "Envoy terminates TLS, redirects port 80, and verifies its upstream",
    cloudConfig({ [envoyPath]: envoyBootstrap }, { packages: ["envoy"] }),
  ),
];

const wrongApaches: readonly InvalidFixture[] = [
  wrong(
    "the host installs Apache, and nothing configures it",
    "#cloud-config\npackages: [apache2]\n",
    "installs Apache, but no file contains its configuration",
  ),
  wrong(
    "a script installs httpd, and nothing configures it",
    "#!/bin/sh\ndnf -y install httpd mod_ssl\nsystemctl enable --now httpd\n",
    "installs Apache, but no file contains its configuration",
  ),
  wrongApache(
    "a virtual host of Apache on port 80 serves files",
    "Redirect permanent / https://www.foobar.com/",
    "DocumentRoot /srv/www",
    `${apachePath}:9: Apache serves plain text on port 80`,
  ),
  wrongApache("Apache redirects only one path", "permanent / https", "permanent /login https", "on port 80"),
  wrongApache(
    "Apache redirects only requests that a header calls plain text",
    "  Redirect permanent / https://www.foobar.com/",
    "  RewriteEngine on\n  RewriteCond %{HTTP:X-Forwarded-Proto} !https\n  RewriteRule ^ https://%{HTTP_HOST}%{REQUEST_URI} [R=301,L]",
    "Apache serves plain text on port 80",
  ),
  wrongApache(
    "a virtual host of Apache on port 443 has no SSLEngine and no certificate",
    apacheSite.slice(apacheSite.indexOf("  SSLEngine"), apacheSite.indexOf("  ProxyPass")),
    "",
    "Apache serves plain text on port 443",
  ),
  wrongFiles(
    "Apache listens on port 80 without a virtual host",
    {
      "/etc/httpd/conf/httpd.conf": "ServerRoot /etc/httpd\nListen 80\nIncludeOptional conf.d/*.conf\n",
      "/etc/httpd/conf.d/site.conf": `Listen 443 https\n${apacheSite.slice(0, apacheSite.indexOf("<VirtualHost *:80>"))}`,
    },
    "/etc/httpd/conf/httpd.conf:2: Apache serves plain text on port 80",
  ),
  wrongApache(
    "Apache allows old versions of TLS",
    "-all +TLSv1.2 +TLSv1.3",
    "all -SSLv3 -TLSv1",
    'SSLProtocol allows "TLSv1.1"',
  ),
  wrongApache(
    "Apache leaves the versions of TLS to the default",
    "  SSLProtocol -all +TLSv1.2 +TLSv1.3\n",
    "",
    "the server sets no SSLProtocol",
  ),
  wrongApache(
    "Apache forwards requests to another host in plain text",
    "http://127.0.0.1:3000/",
    "http://app.internal.foobar.com:3000/",
    "Apache sends requests to app.internal.foobar.com in plain text",
  ),
  wrongApache(
    "Apache does not verify the other host",
    "ProxyPass / http://127.0.0.1:3000/",
    "SSLProxyEngine on\n  ProxyPass / https://10.0.0.9/",
    "Apache sends requests to 10.0.0.9 over TLS without SSLProxyVerify require",
  ),
  wrongApache(
    "a variable that no file sets is the port of a virtual host",
    "*:80",
    "*:${" + "PORT}",
    "a variable sets the address or the port",
  ),
  wrongApache("a section of Apache is not closed", "</VirtualHost>\n<", "<", "it cannot be read: a section"),
  wrong(
    "Apache includes a file whose text is unknown, and a script changes another one",
    `#!/bin/bash
apt-get install -y apache2
cat > ${apachePath} <<'EOF'
${changed(apacheSite, "  SSLEngine on\n", "  Include /etc/apache2/tls.conf\n  SSLEngine on\n")}EOF
sed -i s/443/8443/ /etc/apache2/ports.conf
`,
    "it includes a file whose text is unknown",
    "the file's text is unknown: a command in a script changes it",
  ),
  wrongFiles(
    "Apache in a container whose port other hosts can reach",
    { [composePath]: 'services:\n  web: { image: "httpd:2.4", ports: ["80:80"] }\n' },
    "installs Apache, but no file contains its configuration",
  ),
];

const wrongCaddies: readonly InvalidFixture[] = [
  wrong(
    "the host installs Caddy, and nothing configures it",
    "#!/bin/sh\napt-get install -y caddy\n",
    "installs Caddy, but no file contains its configuration",
  ),
  wrongCaddy(
    "a site of Caddy has the scheme http",
    "www.foobar.com, foobar.com {",
    "http://www.foobar.com {",
    `${caddyPath}:7: Caddy serves a site in plain text`,
  ),
  wrongCaddy("a site of Caddy is on port 80", "www.foobar.com, foobar.com {", ":80 {", "in plain text"),
  wrongCaddy(
    "one of two addresses of a site of Caddy is on port 80",
    ", foobar.com {",
    ",\nfoobar.com:80 {",
    "Caddy serves a site in plain text",
  ),
  wrongCaddy(
    "a site of Caddy without a host name listens on all interfaces",
    "  bind 127.0.0.1\n",
    "",
    "in plain text",
  ),
  wrong(
    "a script writes a Caddyfile without braces",
    `#!/bin/bash
apt-get install -y caddy
cat > ${caddyPath} <<'EOF'
:8080
reverse_proxy localhost:3000
EOF
`,
    "Caddy serves a site in plain text",
  ),
  wrongCaddy(
    "Caddy's automatic HTTPS is off",
    "{\n  email",
    "{\n  auto_https off\n  email",
    "auto_https switches off certificates",
    "auto_https switches off certificates",
  ),
  wrongCaddy(
    "Caddy forwards requests to another host in plain text",
    "import backend localhost:3000",
    "import backend app.internal.foobar.com:3000",
    `${caddyPath}:5: Caddy sends requests to app.internal.foobar.com in plain text`,
  ),
  wrongCaddy(
    "Caddy does not verify the other host",
    "reverse_proxy https://10.0.0.9:8443",
    "reverse_proxy https://10.0.0.9:8443 {\n    transport http {\n      tls_insecure_skip_verify\n    }\n  }",
    "Caddy connects to 10.0.0.9 with TLS without verifying its certificate",
  ),
  wrongCaddy(
    "a variable is the address of a site of Caddy",
    "www.foobar.com, foobar.com {",
    "{$SITE} {",
    "a variable sets the scheme or the port",
  ),
  wrongCaddy(
    "Caddy imports a file whose text is unknown",
    "  encode gzip\n",
    "  import /etc/caddy/site.conf\n",
    "it imports a file whose text is unknown",
  ),
  wrongCaddy(
    "Caddy's administration is open to other hosts",
    "email ops@foobar.com",
    "admin :2019",
    "administration serves plain text",
  ),
  wrongCaddy("a block of a Caddyfile is not closed", "respond /health 200\n}", "", "it cannot be read"),
  wrongFiles(
    "Caddy has a configuration in JSON",
    { "/etc/caddy/caddy.json": '{ "apps": { "http": { "servers": { "web": { "listen": [":80"] } } } } }' },
    "does not read Caddy's JSON configuration",
  ),
  wrongFiles(
    "Caddy in a container serves files on port 80",
    {
      [composePath]:
        'services:\n  web:\n    image: caddy:2\n    ports: ["80:80"]\n    command: [caddy, file-server, --listen, ":80"]\n',
    },
    `${composePath}: Caddy serves a site in plain text`,
  ),
];

const wrongTraefiks: readonly InvalidFixture[] = [
  wrongFiles(
    "Traefik in a container without any configuration",
    { [composePath]: 'services:\n  proxy: { image: "traefik:v3.5", ports: ["80:80"] }\n' },
    "installs Traefik, but no file contains its configuration",
  ),
  wrongTraefik(
    "an entry point of Traefik on port 80 does not redirect",
    traefikPath,
    "    http:\n      redirections:\n        entryPoint: { to: websecure, scheme: https }\n",
    "",
    "the entry point on port 80 neither redirects to HTTPS nor sets http.tls",
  ),
  wrongTraefik(
    "Traefik redirects to another entry point over HTTP",
    traefikPath,
    "scheme: https }",
    "scheme: http }",
    "the entry point on port 80 neither redirects",
  ),
  wrongTraefik(
    "a router of Traefik has no TLS",
    traefikPath,
    "    http:\n      tls: {}\n",
    "",
    `${traefikDynamicPath}: a router (http) without tls serves plain text on port 443`,
  ),
  wrongTraefik(
    "an entry point of Traefik for health checks is open to other hosts",
    traefikPath,
    "127.0.0.1:8082",
    ":8082",
    "the entry point on port 8082 neither",
  ),
  wrongTraefik(
    "Traefik forwards requests to another host in plain text",
    traefikDynamicPath,
    "https://app-2.internal",
    "http://app-2.internal",
    "Traefik sends requests to app-2.internal.foobar.com in plain text",
  ),
  wrongTraefik(
    "Traefik does not verify its servers",
    traefikDynamicPath,
    "tls:\n",
    "  serversTransports:\n    app: { insecureSkipVerify: true }\ntls:\n",
    "insecureSkipVerify lets Traefik connect",
  ),
  wrongTraefik(
    "Traefik allows old versions of TLS",
    traefikDynamicPath,
    "VersionTLS12",
    "VersionTLS10",
    "minVersion allows TLS versions before 1.2",
  ),
  wrongTraefik(
    "Traefik takes routers from another place",
    traefikPath,
    "providers:\n",
    'providers:\n  consulCatalog: { endpoint: { address: "10.0.0.2:8500" } }\n',
    "the provider consulcatalog adds routers and servers that are unknown",
  ),
  wrongFiles(
    "the dynamic configuration of Traefik is unknown",
    { [traefikPath]: traefikStatic },
    "it reads a dynamic configuration whose text is unknown",
  ),
  wrongFiles(
    "Traefik has a configuration in TOML",
    { "/etc/traefik/traefik.toml": '[entryPoints.web]\naddress = ":80"\n' },
    "the policy does not read TOML",
  ),
  wrongTraefikCompose(
    "the command of Traefik's container does not redirect port 80",
    "      - --entrypoints.web.http.redirections.entrypoint.to=websecure\n",
    "",
    "the entry point on port 80 neither redirects",
  ),
  wrongTraefikCompose(
    "the command of Traefik's container names no entry point",
    traefikCompose.slice(
      traefikCompose.indexOf("      - --entrypoints"),
      traefikCompose.indexOf("      - --cert"),
    ),
    "",
    "the entry point on port 80 neither redirects",
  ),
  wrongTraefikCompose(
    "Traefik serves its dashboard in plain text",
    "      - --providers.docker=true\n",
    "      - --providers.docker=true\n      - --api.insecure\n      - --entrypoints.traefik.address=:80\n",
    "api.insecure serves Traefik's dashboard and API in plain text",
  ),
  wrongTraefikCompose(
    "a label of a container gives its router no TLS",
    "      - traefik.http.routers.app.tls.certresolver=letsencrypt\n",
    "",
    `${composePath}: a router (http) without tls serves plain text on port 443`,
  ),
  wrongFiles(
    "variables of Traefik's container open port 80",
    {
      [composePath]: `services:
  proxy:
    image: docker.io/library/traefik:v3.5
    network_mode: host
    environment:
      TRAEFIK_ENTRYPOINTS_WEB_ADDRESS: ":80"
`,
    },
    "the entry point on port 80 neither redirects",
  ),
];

const wrongEnvoys: readonly InvalidFixture[] = [
  wrong(
    "the host installs Envoy, and nothing configures it",
    "#cloud-config\npackages: [envoy]\n",
    "installs Envoy, but no file contains its configuration",
  ),
  wrongEnvoy(
    "a listener of Envoy has no transport_socket",
    downstreamTls,
    "",
    "listeners[0]: Envoy serves plain text on port 443",
  ),
  wrongEnvoy(
    "a listener of Envoy has a socket for plain text",
    "transport_sockets.tls.v3.DownstreamTlsContext",
    "transport_sockets.raw_buffer.v3.RawBuffer",
    "Envoy serves plain text on port 443",
  ),
  wrongEnvoy(
    "a listener of Envoy on port 80 forwards requests",
    "redirect: { https_redirect: true }",
    "route: { cluster: app }",
    "listeners[1]: Envoy serves plain text on port 80",
  ),
  wrongFiles(
    "a second filter chain of a listener of Envoy, in JSON, has no TLS",
    {
      "/etc/envoy/envoy.json": JSON.stringify({
        staticResources: {
          listeners: [
            {
              address: { socketAddress: { address: "::", portValue: 8443 } },
              filterChains: [
                {
                  transportSocket: {
                    name: "tls",
                    typedConfig: {
                      "@type":
                        "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                    },
                  },
                },
                {},
              ],
            },
          ],
        },
      }),
    },
    "Envoy serves plain text on port 8443",
  ),
  wrongEnvoy(
    "a listener of Envoy allows old versions of TLS",
    "TLSv1_2",
    "TLSv1_0",
    "allows TLS versions before 1.2",
  ),
  wrongEnvoy(
    "a cluster of Envoy is reached in plain text",
    upstreamTls,
    "",
    "Envoy sends requests to app.internal.foobar.com in plain text",
  ),
  wrongEnvoy(
    "a cluster of Envoy is not verified",
    "            validation_context: { trusted_ca: { filename: /etc/ssl/internal.pem } }\n",
    "            alpn_protocols: [h2]\n",
    "with TLS without verifying its certificate",
  ),
  wrongEnvoy(
    "Envoy's administration is open to other hosts",
    "127.0.0.1, port_value: 9901",
    "0.0.0.0, port_value: 9901",
    "Envoy's administration serves plain text",
  ),
  wrongEnvoy(
    "Envoy reads its listeners from another place",
    "static_resources:\n",
    "dynamic_resources: { lds_config: { api_config_source: { api_type: GRPC } } }\nstatic_resources:\n",
    "Envoy reads listeners or clusters from another place",
  ),
  wrongEnvoy(
    "Envoy has a transport socket that the policy does not know",
    "transport_sockets.tls.v3.DownstreamTlsContext",
    "transport_sockets.starttls.v3.StartTlsConfig",
    "a transport_socket that the policy does not know",
  ),
  wrongFiles(
    "the configuration of Envoy is a template",
    { [envoyPath]: "static_resources:\n  listeners: [ {{ listeners }\n" },
    "it is not valid YAML or JSON",
  ),
];

export const wrongWebServers: readonly InvalidFixture[] = [
  ...wrongApaches,
  ...wrongCaddies,
  ...wrongTraefiks,
  ...wrongEnvoys,
];
