import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import * as tls from "@pulumi/tls";
import type { Config } from "../config/types";
import type { Host, Topology } from "../topology";
import type { HostSecrets, KeyPair } from "../userdata/types";

/** What a certificate of the internal CA is for: it decides its names and key usages. */
type Service = "web" | "app" | "database";

const caValidityHours = 10 * 365 * 24;
/** A certificate is made anew in its last 90 days, by the first update then. */
const renewalHours = 90 * 24;

/** The site's own key pair, which the settings bring where the client's TLS session ends on the web hosts. */
export function passthroughKeyPair(config: Config): KeyPair | undefined {
  const certificate = config.passthrough.certificate;
  const privateKey = config.passthrough.privateKey;
  return config.tls === "passthrough" && certificate && privateKey ? { certificate, privateKey } : undefined;
}

/** The internal certificate authority, a key and certificate for each host and service, and the passwords. */
export class Identity extends pulumi.ComponentResource {
  readonly caCertificate: pulumi.Output<string>;
  private readonly caKey: tls.PrivateKey;
  private readonly passwords: Readonly<Record<"app" | "replication" | "health", random.RandomPassword>>;

  constructor(
    stack: string,
    private readonly config: Config,
    private readonly topology: Topology,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("secured-web:index:Identity", "identity", {}, opts);
    this.caKey = this.privateKey("ca");
    const ca = new tls.SelfSignedCert(
      "ca",
      {
        privateKeyPem: this.caKey.privateKeyPem,
        isCaCertificate: true,
        setSubjectKeyId: true,
        subject: { commonName: `secured-web ${stack} internal CA`, organization: "secured-web" },
        validityPeriodHours: caValidityHours,
        allowedUses: ["cert_signing", "crl_signing"],
      },
      { parent: this },
    );
    this.caCertificate = ca.certPem;
    const password = (name: string) =>
      // Letters and digits alone: 32 of them hold 190 bits, and no file or query needs to quote them.
      new random.RandomPassword(`${name}-password`, { length: 32, special: false }, { parent: this });
    this.passwords = {
      app: password("app"),
      replication: password("replication"),
      health: password("health"),
    };
    this.registerOutputs({});
  }

  /** Everything secret that a host's user data holds. */
  secretsOf(host: Host): pulumi.Output<HostSecrets> {
    const isWeb = host.roles.includes("web");
    const isDatabase = host.roles.includes("database");
    return pulumi.secret(
      pulumi
        .all([
          this.caCertificate,
          pulumi.all([
            this.passwords.app.result,
            this.passwords.replication.result,
            this.passwords.health.result,
          ]),
          isWeb ? this.webKeyPair(host) : undefined,
          isWeb ? this.keyPair(host, "app") : undefined,
          isDatabase ? this.keyPair(host, "database") : undefined,
        ])
        .apply(
          ([caCertificate, [app, replication, health], webPair, appPair, databasePair]): HostSecrets => ({
            caCertificate,
            passwords: { app, health, ...(isDatabase ? { replication } : {}) },
            ...(webPair ? { web: webPair } : {}),
            ...(appPair ? { app: appPair } : {}),
            ...(databasePair ? { database: databasePair } : {}),
            ...(this.config.datadog.apiKey && this.config.monitoring === "datadog"
              ? { datadogApiKey: this.config.datadog.apiKey }
              : {}),
            ...(this.config.sumologic.url && this.config.monitoring === "sumologic"
              ? { sumologicUrl: this.config.sumologic.url }
              : {}),
          }),
        ),
    );
  }

  /** nginx's key pair: of the internal CA behind a load balancer that re-encrypts, the site's own in passthrough. */
  private webKeyPair(host: Host): pulumi.Output<KeyPair> {
    const given = passthroughKeyPair(this.config);
    return given ? pulumi.secret(given) : this.keyPair(host, "web");
  }

  private keyPair(host: Host, service: Service): pulumi.Output<KeyPair> {
    const name = `${host.name}-${service}`;
    const key = this.privateKey(name);
    const request = new tls.CertRequest(
      name,
      {
        privateKeyPem: key.privateKeyPem,
        subject: { commonName: host.fqdn, organization: "secured-web", organizationalUnit: service },
        dnsNames: this.dnsNames(host, service),
      },
      { parent: this },
    );
    const certificate = new tls.LocallySignedCert(
      name,
      {
        certRequestPem: request.certRequestPem,
        caPrivateKeyPem: this.caKey.privateKeyPem,
        caCertPem: this.caCertificate,
        validityPeriodHours: this.config.certificates.validityDays * 24,
        earlyRenewalHours: renewalHours,
        allowedUses: ["digital_signature", ...this.extendedUses(service)],
      },
      { parent: this },
    );
    return pulumi.all([certificate.certPem, key.privateKeyPem]).apply(([pem, privateKey]) => ({
      certificate: pem,
      privateKey,
    }));
  }

  private dnsNames(host: Host, service: Service): string[] {
    if (service === "web") return [host.fqdn, this.topology.webName];
    if (service === "database") return [host.fqdn, this.topology.databaseName];
    return [host.fqdn];
  }

  /** A group member is server to its clients and client to the other members. */
  private extendedUses(service: Service): string[] {
    if (service === "web") return ["server_auth"];
    return service === "app" ? ["client_auth"] : ["server_auth", "client_auth"];
  }

  private privateKey(name: string): tls.PrivateKey {
    return new tls.PrivateKey(name, { algorithm: "ECDSA", ecdsaCurve: "P256" }, { parent: this });
  }
}
