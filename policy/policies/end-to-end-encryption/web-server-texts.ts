/** Sound configurations of Apache, Caddy, Traefik and Envoy, which the fixtures change. */

export const composePath = "/srv/app/compose.yaml";
export const apachePath = "/etc/apache2/sites-enabled/site.conf";

export const apacheSite = `<VirtualHost *:443>
  ServerName www.foobar.com
  SSLEngine on
  SSLProtocol -all +TLSv1.2 +TLSv1.3
  SSLCertificateFile /etc/apache2/tls/site.pem
  SSLCertificateKeyFile /etc/apache2/tls/site.key
  ProxyPass / http://127.0.0.1:3000/
</VirtualHost>
<VirtualHost *:80>
  ServerName www.foobar.com
  Redirect permanent / https://www.foobar.com/
</VirtualHost>
`;

/** The file of Debian that decides what Apache listens on. */
export const apachePorts = `Listen 80
<IfModule ssl_module>
  Listen 443
</IfModule>
`;

/** With its own check of health, which only the host itself can reach. */
export const apacheLocal = `Listen 443 https
Listen 127.0.0.1:8081
<VirtualHost *:8081>
  DocumentRoot /srv/health
</VirtualHost>
`;

export const caddyPath = "/etc/caddy/Caddyfile";

export const caddySite = `{
  email ops@foobar.com
}
(backend) {
  reverse_proxy {args[0]}
}
www.foobar.com, foobar.com {
  encode gzip
  import backend localhost:3000
}
admin.foobar.com:8443 {
  tls internal
  reverse_proxy https://10.0.0.9:8443
}
:8081 {
  bind 127.0.0.1
  respond /health 200
}
`;

export const traefikPath = "/etc/traefik/traefik.yml";

export const traefikStatic = `entryPoints:
  web:
    address: ":80"
    http:
      redirections:
        entryPoint: { to: websecure, scheme: https }
  websecure:
    address: ":443"
    http:
      tls: {}
  ping:
    address: "127.0.0.1:8082"
providers:
  file:
    directory: /etc/traefik/dynamic
`;

export const traefikDynamicPath = "/etc/traefik/dynamic/app.yml";

export const traefikDynamic = `http:
  routers:
    app: { rule: "Host(\`www.foobar.com\`)", service: app, entryPoints: [websecure] }
  services:
    app:
      loadBalancer:
        servers:
          - url: "http://127.0.0.1:3000"
          - url: "https://app-2.internal.foobar.com:8443"
tls:
  options:
    default: { minVersion: VersionTLS12 }
`;

export const traefikCompose = `services:
  proxy:
    image: traefik:v3.5
    command:
      - --providers.docker=true
      - --providers.docker.exposedbydefault=false
      - --entrypoints.web.address=:80
      - --entrypoints.web.http.redirections.entrypoint.to=websecure
      - --entrypoints.websecure.address=:443
      - --certificatesresolvers.letsencrypt.acme.tlschallenge=true
    ports: ["80:80", "443:443"]
  app:
    image: acme/app:1
    labels:
      - traefik.enable=true
      - traefik.http.routers.app.rule=Host(\`www.foobar.com\`)
      - traefik.http.routers.app.entrypoints=websecure
      - traefik.http.routers.app.tls.certresolver=letsencrypt
`;

export const envoyPath = "/etc/envoy/envoy.yaml";

export const envoyBootstrap = `admin:
  address: { socket_address: { address: 127.0.0.1, port_value: 9901 } }
static_resources:
  listeners:
    - name: https
      address: { socket_address: { address: 0.0.0.0, port_value: 443 } }
      filter_chains:
        - transport_socket:
            name: envoy.transport_sockets.tls
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
              common_tls_context:
                tls_params: { tls_minimum_protocol_version: TLSv1_2 }
                tls_certificate_sds_secret_configs: [{ name: site }]
          filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                route_config:
                  virtual_hosts:
                    - { name: app, domains: ["*"], routes: [{ match: { prefix: / }, route: { cluster: app } }] }
    - name: redirect
      address: { socket_address: { address: 0.0.0.0, port_value: 80 } }
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                route_config:
                  virtual_hosts:
                    - { name: all, domains: ["*"], routes: [{ match: { prefix: / }, redirect: { https_redirect: true } }] }
  clusters:
    - name: app
      load_assignment:
        endpoints:
          - lb_endpoints:
              - endpoint: { address: { socket_address: { address: app.internal.foobar.com, port_value: 8443 } } }
      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
          common_tls_context:
            validation_context: { trusted_ca: { filename: /etc/ssl/internal.pem } }
`;
