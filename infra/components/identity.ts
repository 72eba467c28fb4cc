import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import * as tls from "@pulumi/tls";
import type { Revoked } from "../config/revoked";
import { type Authority, revocationList } from "../releases/revocationList";
import { type Host, ofHost, type Topology } from "../topology";
import { certificateName, type Service } from "../userdata/certificateName";
import type { GivenSecrets, HostSecrets, KeyPair, Password } from "../userdata/types";
import { certificatePhases, generationIn, inTurn, type Rotations, rotationOf, type Slots } from "./rotation";

const caValidityHours = 10 * 365 * 24;
/** The first update within the last 90 days of a certificate renews it. */
const renewalHours = 90 * 24;

export interface IdentityArgs {
  readonly label: string;
  readonly topology: Topology;
  /** Validity of the hosts' certificates. */
  readonly validityDays: number;
  readonly given: GivenSecrets;
  readonly rotations: Rotations;
}

type User = "app" | "replication" | "health";

/** The internal certificate authority, a key and certificate for each host and service, and the passwords. */
export class Identity extends pulumi.ComponentResource {
  /** The CA certificates that hosts trust, PEM. During a rotation there are two. */
  readonly caCertificate: pulumi.Output<string>;
  /** The list of revoked certificates of each of these CAs, PEM. */
  readonly revocationLists: pulumi.Output<string>;
  /** The same lists without any certificate. */
  private readonly emptyLists: pulumi.Output<string>;
  /** The CA that signs. */
  private readonly signer: pulumi.Output<Authority>;
  private readonly passwords: Readonly<Record<User, pulumi.Output<Password>>>;
  private readonly sshHostKeys: ReadonlyMap<string, tls.PrivateKey>;
  private readonly hostSecrets: ReadonlyMap<string, pulumi.Output<HostSecrets>>;

  constructor(
    private readonly name: string,
    private readonly args: IdentityArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("secured-web:index:Identity", name, {}, opts);
    const inUse = pulumi
      .all([args.rotations.ca, ...this.slots((slot) => this.authority(slot))])
      .apply(([step, first, second]) => inTurn(step, [first, second]));
    this.signer = pulumi.secret(inUse.apply(({ used }) => used));
    this.caCertificate = pulumi.unsecret(
      inUse.apply(({ accepted }) => accepted.map(({ certificate }) => `${certificate.trimEnd()}\n`).join("")),
    );
    const lists = (revoked: pulumi.Input<readonly Revoked[]>) =>
      pulumi.unsecret(
        pulumi
          .all([inUse, revoked])
          .apply(([{ accepted }, known]) => accepted.map((one) => revocationList(one, known)).join("")),
      );
    this.revocationLists = lists(args.rotations.revoked);
    this.emptyLists = lists([]);
    this.passwords = {
      app: this.password("app"),
      replication: this.password("replication"),
      health: this.password("health"),
    };
    this.sshHostKeys = new Map(
      args.topology.hosts.map((host) => [
        host.name,
        new tls.PrivateKey(
          `${name}-${host.name}-ssh`,
          { algorithm: "ED25519" },
          { parent: this, replacementTrigger: ofHost(args.rotations.hosts, host.name) },
        ),
      ]),
    );
    this.hostSecrets = new Map(args.topology.hosts.map((host) => [host.name, this.createSecrets(host)]));
    this.registerOutputs({ caCertificate: this.caCertificate });
  }

  /** All secrets in a host's user data. */
  secretsOf({ name }: Host): pulumi.Output<HostSecrets> {
    return ofHost(this.hostSecrets, name);
  }

  /** The public key by which the host's SSH server is known, as in a file of known hosts: type and base64. */
  sshHostKeyOf({ name }: Host): pulumi.Output<string> {
    return ofHost(this.sshHostKeys, name).publicKeyOpenssh.apply((line) => line.trim());
  }

  private createSecrets(host: Host): pulumi.Output<HostSecrets> {
    const { given } = this.args;
    const isWeb = host.roles.includes("web");
    const isDatabase = host.roles.includes("database");
    return pulumi.secret(
      pulumi
        .all([
          pulumi.all([this.caCertificate, this.emptyLists]),
          pulumi.all([this.passwords.app, this.passwords.replication, this.passwords.health]),
          ofHost(this.sshHostKeys, host.name).privateKeyPemPkcs8,
          isWeb ? this.webKeyPair(host) : undefined,
          isWeb ? this.keyPair(host, "app") : undefined,
          isDatabase ? this.keyPair(host, "database") : undefined,
        ])
        .apply(
          ([
            [caCertificate, revocationLists],
            [app, replication, health],
            sshHostKey,
            webPair,
            appPair,
            databasePair,
          ]): HostSecrets => ({
            caCertificate,
            revocationLists,
            sshHostKey,
            passwords: { app, health, ...(isDatabase ? { replication } : {}) },
            ...(webPair ? { web: webPair } : {}),
            ...(appPair ? { app: appPair } : {}),
            ...(databasePair ? { database: databasePair } : {}),
            ...(given.datadogApiKey ? { datadogApiKey: given.datadogApiKey } : {}),
            ...(given.sumologicUrl ? { sumologicUrl: given.sumologicUrl } : {}),
          }),
        ),
    );
  }

  /** nginx's key pair: from the internal CA if the load balancer re-encrypts, the site's own in passthrough. */
  private webKeyPair(host: Host): pulumi.Output<KeyPair> {
    const { web } = this.args.given;
    return web ? pulumi.secret(web) : this.keyPair(host, "web");
  }

  private keyPair(host: Host, service: Service): pulumi.Output<KeyPair> {
    const name = `${host.name}-${service}`;
    const { certificates, hosts } = this.args.rotations;
    const key = this.privateKey(
      name,
      pulumi
        .all([certificates.apply((step) => rotationOf(step, certificatePhases)), ofHost(hosts, host.name)])
        .apply((counts) => counts.join(".")),
    );
    const request = new tls.CertRequest(
      `${this.name}-${name}`,
      {
        privateKeyPem: key.privateKeyPem,
        // The host's names are in the extension for them; clients verify those, and MySQL's accounts this one.
        subject: { commonName: certificateName(service) },
        dnsNames: this.dnsNames(host, service),
      },
      { parent: this },
    );
    const certificate = new tls.LocallySignedCert(
      `${this.name}-${name}`,
      {
        certRequestPem: request.certRequestPem,
        caPrivateKeyPem: this.signer.key,
        caCertPem: pulumi.unsecret(this.signer.certificate),
        validityPeriodHours: this.args.validityDays * 24,
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
    if (service === "web") return [host.fqdn, this.args.topology.webName];
    if (service === "database") return [host.fqdn, this.args.topology.databaseName];
    return [host.fqdn];
  }

  /** A group member is a server for its clients and a client of the other members. */
  private extendedUses(service: Service): string[] {
    if (service === "web") return ["server_auth"];
    return service === "app" ? ["client_auth"] : ["server_auth", "client_auth"];
  }

  /** @param trigger a new value replaces the key */
  private privateKey(
    name: string,
    trigger: pulumi.Output<number | string>,
    kind: tls.PrivateKeyArgs = { algorithm: "ECDSA", ecdsaCurve: "P256" },
  ): tls.PrivateKey {
    return new tls.PrivateKey(`${this.name}-${name}`, kind, { parent: this, replacementTrigger: trigger });
  }

  private slots<T>(create: (slot: 0 | 1) => T): Slots<T> {
    return [create(0), create(1)];
  }

  private authority(slot: 0 | 1): pulumi.Output<Authority> {
    const { label, rotations } = this.args;
    const generation = rotations.ca.apply((step) => generationIn(slot, step));
    // Its signatures contain nothing random, so the lists of revoked certificates stay the same between updates.
    const key = this.privateKey(`ca-${slot}`, generation, { algorithm: "ED25519" });
    const certificate = new tls.SelfSignedCert(
      `${this.name}-ca-${slot}`,
      {
        privateKeyPem: key.privateKeyPem,
        isCaCertificate: true,
        setSubjectKeyId: true,
        subject: { commonName: `secured-web ${label} internal CA`, organization: "secured-web" },
        validityPeriodHours: caValidityHours,
        allowedUses: ["cert_signing", "crl_signing"],
      },
      { parent: this },
    );
    return pulumi
      .all([key.privateKeyPemPkcs8, certificate.certPem])
      .apply(([keyPem, certPem]) => ({ key: keyPem, certificate: certPem }));
  }

  /** Only letters and digits, so that no file or query has to quote them. 32 of them have 190 bits. */
  private password(user: User): pulumi.Output<Password> {
    const step = this.args.rotations.passwords;
    const results = this.slots(
      (slot) =>
        new random.RandomPassword(
          `${this.name}-${user}-password-${slot}`,
          {
            length: 32,
            special: false,
            keepers: { generation: step.apply((at) => String(generationIn(slot, at))) },
          },
          { parent: this },
        ).result,
    );
    return pulumi.all([step, ...results]).apply(([at, first, second]) => inTurn(at, [first, second]));
  }
}
