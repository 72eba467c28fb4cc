import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import { siteName } from "../config/siteName";
import { projectName } from "../config/table";
import type { Config } from "../config/types";
import { isNotFound } from "../lookups";
import { roleTag, siteTag } from "../topology";
import { refusalHook } from "./refusalHook";

/** The path that answers 200 if a host can serve a request, including the database. */
export const readinessPath = "/readyz";

export interface EdgeArgs
  extends Pick<Config, "createDomain" | "domain" | "loadBalancer" | "region" | "subdomain" | "tls"> {
  readonly label: string;
  readonly vpcId: pulumi.Input<string>;
}

/** The zone, the site's certificate, the load balancer and the site's DNS record. */
export class Edge extends pulumi.ComponentResource {
  readonly domainName: pulumi.Output<string>;
  /** The zone's URN at DigitalOcean, if the stack creates the zone. */
  readonly domainUrn: pulumi.Output<string> | undefined;
  readonly loadBalancer: digitalocean.LoadBalancer;
  readonly url: string;

  constructor(
    private readonly name: string,
    args: EdgeArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("secured-web:index:Edge", name, {}, opts);
    const parent = { parent: this };
    if (args.createDomain) {
      const isNew = refusalHook(`${name}-domain-is-new`, () => refuseExistingZone(args.domain, parent));
      const domain = new digitalocean.Domain(
        `${name}-domain`,
        { name: args.domain },
        // DigitalOcean deletes a zone with all of its records, also those that the stack does not know.
        { parent: this, retainOnDelete: true, hooks: { beforeCreate: [isNew] } },
      );
      this.domainName = domain.name;
      this.domainUrn = domain.domainUrn;
    } else {
      this.domainName = digitalocean.getDomainOutput({ name: args.domain }, parent).name;
    }
    this.loadBalancer = this.createLoadBalancer(args);
    this.url = `https://${siteName(args)}`;
    new digitalocean.DnsRecord(
      `${name}-site`,
      { domain: this.domainName, type: "A", name: args.subdomain, value: this.loadBalancer.ip, ttl: 300 },
      parent,
    );
    this.registerOutputs({ url: this.url, loadBalancerIp: this.loadBalancer.ip });
  }

  private createLoadBalancer(args: EdgeArgs): digitalocean.LoadBalancer {
    const { label, tls, loadBalancer } = args;
    const certificate = tls === "reencrypt" ? this.createCertificate(args) : undefined;
    const asCidr = (network: string) => `cidr:${network}`;
    return new digitalocean.LoadBalancer(
      `${this.name}-load-balancer`,
      {
        name: siteTag(label),
        region: args.region,
        sizeUnit: loadBalancer.sizeUnit,
        vpcUuid: args.vpcId,
        dropletTag: roleTag(label, "web"),
        forwardingRules: [
          {
            entryProtocol: "https",
            entryPort: 443,
            targetProtocol: "https",
            targetPort: 443,
            ...(certificate ? { certificateName: certificate.name } : { tlsPassthrough: true }),
          },
        ],
        redirectHttpToHttps: true,
        // In passthrough, the client's TLS session ends on the web host, so nginx there selects the ciphers.
        tlsCipherPolicy: "STRONG",
        // nginx receives the client's address in a header if the load balancer speaks HTTP, otherwise in the PROXY
        // line.
        enableProxyProtocol: tls === "passthrough",
        enableBackendKeepalive: tls === "reencrypt",
        httpIdleTimeoutSeconds: loadBalancer.idleTimeoutSeconds,
        healthcheck: {
          protocol: "https",
          port: 443,
          path: readinessPath,
          checkIntervalSeconds: loadBalancer.checkIntervalSeconds,
          responseTimeoutSeconds: loadBalancer.checkTimeoutSeconds,
          healthyThreshold: loadBalancer.healthyThreshold,
          unhealthyThreshold: loadBalancer.unhealthyThreshold,
        },
        firewall: {
          allows: loadBalancer.allow.map(asCidr),
          denies: loadBalancer.deny.map(asCidr),
        },
        // The site's record is a separate resource, in both TLS modes.
        disableLetsEncryptDnsRecords: true,
      },
      { parent: this },
    );
  }

  private createCertificate(args: EdgeArgs): digitalocean.Certificate {
    const site = siteName(args);
    // Only Let's Encrypt may issue certificates (RFC 8659): for all names of the stack's own zone, in another zone only
    // for the site's name. An authority asks for the record of the name itself before those of its parents, so a
    // record of others at the apex does not exclude Let's Encrypt either.
    const authorization = new digitalocean.DnsRecord(
      `${this.name}-certificate-authority`,
      {
        domain: this.domainName,
        type: "CAA",
        name: args.createDomain ? "@" : args.subdomain,
        flags: 0,
        tag: "issue",
        value: "letsencrypt.org.",
        ttl: 1800,
      },
      { parent: this },
    );
    return new digitalocean.Certificate(
      `${this.name}-certificate`,
      // An account cannot have two certificates with the same name, so the name depends on the certificate's domains.
      { name: `${siteTag(args.label)}-${site.replaceAll(".", "-")}`, type: "lets_encrypt", domains: [site] },
      // The load balancer needs the new one before the old one is deleted. Without this, the provider deletes a resource
      // with an explicit name first.
      { parent: this, dependsOn: [authorization], deleteBeforeReplace: false },
    );
  }
}

/** Refuses to create a zone that exists. The API would also refuse it, but not in the preview. */
async function refuseExistingZone(domain: string, options: pulumi.InvokeOptions): Promise<void> {
  const exists = await digitalocean.getDomain({ name: domain }, options).then(
    () => true,
    (error) => {
      if (isNotFound(error)) return false;
      throw error;
    },
  );
  if (!exists) return;
  throw new Error(
    `${projectName}:createDomain: expected no zone ${domain}, but the account has one. To add the site's records to it, run: pulumi config set ${projectName}:createDomain false. If it is left from a deleted stack, run: doctl compute domain delete ${domain}`,
  );
}
