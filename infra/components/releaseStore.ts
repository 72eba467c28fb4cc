import { hkdfSync } from "node:crypto";
import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import * as tls from "@pulumi/tls";
import {
  groupKey,
  noGroupYet,
  noReportYet,
  releaseKey,
  revocationsKey,
  statusKey,
} from "../releases/objectKeys";
import { engineEnvironment } from "../rollout/observer";
import type { ReportAccess, StatusHost, StatusPlace } from "../rollout/reports";
import type { ApiAccess } from "../rollout/shutDown";
import { ofHost, type Replication, siteTag, type Topology } from "../topology";
import type { ReleaseAccess } from "../userdata/types";
import { type Rotations, rotationOf } from "./rotation";

export interface ReleaseStoreArgs {
  readonly label: string;
  readonly region: string;
  readonly topology: Topology;
  readonly rotations: Rotations;
  readonly revocationLists: pulumi.Output<string>;
}

/**
 * Where hosts find their releases and report what became of them: two private Spaces buckets with their keys, and the
 * keys that sign and seal releases. The program makes its own Spaces key from the account's token.
 */
export class ReleaseStore extends pulumi.ComponentResource {
  readonly region: string;
  readonly releases: digitalocean.SpacesBucket;
  readonly status: digitalocean.SpacesBucket;
  /** The provider that reads and writes both buckets. */
  readonly spaces: digitalocean.Provider;
  /** The place of the status objects, with the program's own key. */
  readonly statusPlace: pulumi.Output<StatusPlace>;
  /** Ed25519, PKCS #8 PEM. */
  readonly signingKey: pulumi.Output<string>;
  /** Secret. */
  readonly api: pulumi.Output<ApiAccess>;
  private readonly hostKey: digitalocean.SpacesKey;
  private readonly reports: ReadonlyMap<string, digitalocean.SpacesBucketObject>;
  private readonly group: digitalocean.SpacesBucketObject;
  private readonly revocations: digitalocean.SpacesBucketObject;
  private readonly signingPair: tls.PrivateKey;
  private readonly sealingKeys: ReadonlyMap<string, pulumi.Output<string>>;

  constructor(
    name: string,
    { label, region, topology, rotations, revocationLists }: ReleaseStoreArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("secured-web:index:ReleaseStore", name, {}, opts);
    const parent = { parent: this };
    this.region = region;
    this.api = pulumi.secret(apiAccess());
    const programKey = new digitalocean.SpacesKey(
      `${name}-program`,
      { name: `${siteTag(label)}-program`, grants: [{ bucket: "", permission: "fullaccess" }] },
      parent,
    );
    this.spaces = new digitalocean.Provider(
      `${name}-spaces`,
      {
        ...accountConfig(),
        spacesAccessId: programKey.accessKey,
        spacesSecretKey: programKey.secretKey,
      },
      parent,
    );
    // Bucket names are unique among all customers of a region.
    const suffix = new random.RandomId(`${name}-buckets`, { byteLength: 4 }, parent);
    const bucket = (purpose: string) =>
      new digitalocean.SpacesBucket(
        `${name}-${purpose}`,
        {
          name: pulumi.interpolate`${siteTag(label).toLowerCase()}-${purpose}-${suffix.hex}`,
          region,
          acl: "private",
        },
        { parent: this, provider: this.spaces },
      );
    this.releases = bucket("releases");
    this.status = bucket("status");
    this.statusPlace = pulumi.secret(
      pulumi
        .all([this.status.name, programKey.accessKey, programKey.secretKey])
        .apply(([name, accessKeyId, secretAccessKey]) => ({
          stack: label,
          region,
          bucket: name,
          credentials: { accessKeyId, secretAccessKey },
        })),
    );
    this.hostKey = new digitalocean.SpacesKey(
      `${name}-hosts`,
      {
        name: `${siteTag(label)}-hosts`,
        grants: [
          { bucket: this.releases.name, permission: "read" },
          { bucket: this.status.name, permission: "readwrite" },
        ],
      },
      // The engine deletes the former key when all hosts have the new one.
      { ...parent, replacementTrigger: rotations.passwords.apply((step) => rotationOf(step)) },
    );
    this.reports = new Map(
      topology.hosts.map((host) => [
        host.name,
        this.overwritten(`${name}-${host.name}-report`, statusKey(host.name), noReportYet),
      ]),
    );
    this.group = this.overwritten(`${name}-group`, groupKey, noGroupYet);
    // Releases reach one host after another, which takes minutes. This object reaches all hosts in seconds.
    this.revocations = new digitalocean.SpacesBucketObject(
      `${name}-revocations`,
      {
        bucket: this.releases.name,
        region,
        key: revocationsKey,
        acl: "private",
        contentType: "application/x-pem-file",
        content: revocationLists,
      },
      { parent: this, provider: this.spaces },
    );
    this.signingPair = new tls.PrivateKey(`${name}-release`, { algorithm: "ED25519" }, parent);
    this.signingKey = this.signingPair.privateKeyPemPkcs8;
    this.sealingKeys = new Map(
      topology.hosts.map((host) => {
        const seed = new random.RandomPassword(
          `${name}-${host.name}-sealing`,
          { length: 64, special: false, keepers: { keys: ofHost(rotations.hosts, host.name).apply(String) } },
          parent,
        );
        return [host.name, seed.result.apply(sealingKey)];
      }),
    );
    this.registerOutputs({ releases: this.releases.name, status: this.status.name });
  }

  /** A host with the key that only it and the program have. */
  statusHost(hostName: string): pulumi.Output<StatusHost> {
    return this.sealingKeyOf(hostName).apply((sealingKey) => ({ name: hostName, sealingKey }));
  }

  /** The hosts with their keys, and the bucket, by which the gates of a rollout read reports. */
  reportsOf(hostNames: readonly string[]): pulumi.Output<[StatusHost[], StatusPlace]> {
    return pulumi.all([pulumi.all(hostNames.map((name) => this.statusHost(name))), this.statusPlace]);
  }

  /** The addresses and keys with which a host fetches its releases and reports. */
  accessOf(hostName: string): pulumi.Output<ReleaseAccess> {
    return pulumi.secret(
      pulumi
        .all([
          this.releases.name,
          this.status.name,
          this.hostKey.accessKey,
          this.hostKey.secretKey,
          this.signingPair.publicKeyPem,
          this.sealingKeyOf(hostName),
          // The host depends on its objects by this, and is deleted before them.
          pulumi.all([ofHost(this.reports, hostName).key, this.group.key, this.revocations.key]),
        ])
        .apply(([releases, status, accessKeyId, secretAccessKey, publicKey, sealingKey, [reportKey]]) => ({
          releasesUrl: `${this.addressOf(releases)}/${releaseKey(hostName)}`,
          statusUrl: `${this.addressOf(status)}/${reportKey}`,
          region: this.region,
          accessKeyId,
          secretAccessKey,
          publicKey,
          sealingKey,
        })),
    );
  }

  /** The keys that read the reports of all hosts. */
  reportAccess(topology: Topology, replication: Replication): pulumi.Output<ReportAccess> {
    const withRoles = topology.hosts.map(({ name, roles }) =>
      this.statusHost(name).apply((host) => ({ ...host, roles: [...roles] })),
    );
    return pulumi.secret(
      pulumi
        .all([this.statusPlace, pulumi.all(withRoles)])
        .apply(([place, hosts]) => ({ ...place, replication, hosts })),
    );
  }

  /** Base64 of 64 bytes. */
  private sealingKeyOf(hostName: string): pulumi.Output<string> {
    return ofHost(this.sealingKeys, hostName);
  }

  /**
   * An object of the status bucket that hosts overwrite. The program creates it, so that the engine deletes it before
   * the bucket: no bucket that contains objects can be deleted.
   */
  private overwritten(name: string, key: string, content: string): digitalocean.SpacesBucketObject {
    return new digitalocean.SpacesBucketObject(
      name,
      { bucket: this.status.name, region: this.region, key, acl: "private", content },
      { parent: this, provider: this.spaces, ignoreChanges: ["content", "contentType"] },
    );
  }

  private addressOf(bucket: string): string {
    return `https://${bucket}.${this.region}.digitaloceanspaces.com`;
  }
}

/** HKDF (RFC 5869) from 64 letters and digits, which have 380 bits. */
function sealingKey(seed: string): string {
  return Buffer.from(hkdfSync("sha512", seed, "", "secured-web release", 64)).toString("base64");
}

/** DigitalOcean's API, as the provider finds it: from the configuration, else from the environment. */
function apiAccess(): pulumi.Output<ApiAccess> {
  const { token, apiEndpoint } = accountConfig();
  const { DIGITALOCEAN_TOKEN, DIGITALOCEAN_ACCESS_TOKEN, DIGITALOCEAN_API_URL } = engineEnvironment();
  return pulumi.output(token ?? DIGITALOCEAN_TOKEN ?? DIGITALOCEAN_ACCESS_TOKEN ?? "").apply((known) => ({
    url: apiEndpoint ?? (DIGITALOCEAN_API_URL || "https://api.digitalocean.com"),
    token: known,
  }));
}

/** An explicit provider does not get the stack's configuration for DigitalOcean; the environment it does. */
function accountConfig(): { token?: pulumi.Output<string>; apiEndpoint?: string } {
  const config = new pulumi.Config("digitalocean");
  const token = config.getSecret("token");
  const apiEndpoint = config.get("apiEndpoint");
  return {
    ...(token === undefined ? {} : { token }),
    ...(apiEndpoint === undefined ? {} : { apiEndpoint }),
  };
}
