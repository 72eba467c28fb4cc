/** The stand-in for the digitalocean plugin. */
import { integer, number, optional, string } from "../provider/fields";
import type { Provider } from "../provider/resource";
import { isUnknown, type PropertyMap } from "../provider/values";
import { Client } from "./client";
import { getImage, getRegion, getRegions, getSizes } from "./functions/catalog";
import {
  getAccount,
  getCertificate,
  getDomain,
  getDroplet,
  getDroplets,
  getLoadBalancer,
  getSshKey,
  getSshKeys,
  getVpc,
} from "./functions/resources";
import { text } from "./inputs";
import { certificate } from "./resources/certificate";
import { databaseCluster, databaseFirewall, databaseReplica } from "./resources/database";
import { dnsRecord, domain } from "./resources/domain";
import { droplet } from "./resources/droplet";
import { firewall } from "./resources/firewall";
import { loadBalancer } from "./resources/loadBalancer";
import { monitorAlert, uptimeAlert, uptimeCheck } from "./resources/monitoring";
import { project, projectResources } from "./resources/project";
import { reservedIp, reservedIpAssignment } from "./resources/reservedIp";
import { spacesBucket } from "./resources/spacesBucket";
import { spacesBucketObject } from "./resources/spacesBucketObject";
import { spacesKey } from "./resources/spacesKey";
import { sshKey } from "./resources/sshKey";
import { tag } from "./resources/tag";
import { volume, volumeAttachment } from "./resources/volume";
import { vpc } from "./resources/vpc";
import { vpcNatGateway } from "./resources/vpcNatGateway";
import { SpacesClient, type SpacesOptions } from "./spacesClient";

const publicEndpoint = "https://api.digitalocean.com";
const publicSpaces = "https://{{.Region}}.digitaloceanspaces.com";
/** The official provider's client first waits a second before it retries. For an API on this machine less is enough. */
const loopbackRetryWaitMinMs = 250;

export const digitalocean: Provider<Client> = {
  name: "digitalocean",
  config: {
    apiEndpoint: optional(string, { default: publicEndpoint, validate: [address] }),
    httpRetryMax: optional(integer),
    httpRetryWaitMax: optional(number),
    httpRetryWaitMin: optional(number),
    requestsPerSecond: optional(number),
    spacesAccessId: optional(string),
    spacesEndpoint: optional(string),
    spacesSecretKey: optional(string, { secret: true }),
    token: optional(string, { secret: true }),
  },
  configFromEnv: {
    token: ["DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN"],
    apiEndpoint: ["DIGITALOCEAN_API_URL"],
    spacesEndpoint: ["SPACES_ENDPOINT_URL"],
  },
  configure: (config, signal) =>
    new Client(clientOptions(config, signal), new SpacesClient(spacesOptions(config, signal))),
  resources: [
    certificate,
    databaseCluster,
    databaseFirewall,
    databaseReplica,
    dnsRecord,
    domain,
    droplet,
    firewall,
    loadBalancer,
    monitorAlert,
    project,
    projectResources,
    reservedIp,
    reservedIpAssignment,
    spacesBucket,
    spacesBucketObject,
    spacesKey,
    sshKey,
    tag,
    uptimeAlert,
    uptimeCheck,
    volume,
    volumeAttachment,
    vpc,
    vpcNatGateway,
  ],
  functions: [
    getAccount,
    getCertificate,
    getDomain,
    getDroplet,
    getDroplets,
    getImage,
    getLoadBalancer,
    getRegion,
    getRegions,
    getSizes,
    getSshKey,
    getSshKeys,
    getVpc,
  ],
};

function address(value: unknown): string | undefined {
  const valid = URL.canParse(String(value)) && /^https?:$/.test(new URL(String(value)).protocol);
  return valid ? undefined : "must be an http or https address, such as http://127.0.0.1:4780";
}

function clientOptions(config: PropertyMap, signal: AbortSignal) {
  const endpoint = (text(config, "apiEndpoint") || publicEndpoint).replace(/\/+$/, "");
  const token = isUnknown(config.token) ? "" : text(config, "token");
  if (token === "") {
    throw new Error(
      "no DigitalOcean API token: run `pulumi config set --secret digitalocean:token TOKEN`, or set the environment " +
        "variable DIGITALOCEAN_TOKEN (for the sandbox: the token in the file that it prints at its start)",
    );
  }
  return {
    endpoint,
    token,
    version: process.env.DIGITALOCEAN_SANDBOX_PLUGIN_VERSION ?? "0.0.0",
    retries: config.httpRetryMax === undefined ? 4 : Number(config.httpRetryMax),
    retryWaitMinMs:
      config.httpRetryWaitMin === undefined
        ? defaultWaitMs(endpoint)
        : Number(config.httpRetryWaitMin) * 1000,
    retryWaitMaxMs: Number(config.httpRetryWaitMax ?? 30) * 1000,
    signal,
  };
}

/** The environment counts here only, as in the official provider: it is not recorded in the stack's state. */
function spacesOptions(config: PropertyMap, signal: AbortSignal): SpacesOptions {
  const { SPACES_ACCESS_KEY_ID = "", SPACES_SECRET_ACCESS_KEY = "" } = process.env;
  return {
    endpoint: text(config, "spacesEndpoint") || publicSpaces,
    accessKey: text(config, "spacesAccessId") || SPACES_ACCESS_KEY_ID,
    secretKey: text(config, "spacesSecretKey") || SPACES_SECRET_ACCESS_KEY,
    retries: 3,
    retryWaitMs: 100,
    signal,
  };
}

function defaultWaitMs(endpoint: string): number {
  const host = new URL(endpoint).hostname;
  return /^127\.|^localhost$|^\[::1\]$/.test(host) ? loopbackRetryWaitMinMs : 1000;
}
