import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import { siteName } from "../config/siteName";
import type { Config } from "../config/types";
import { roleTag, stackTag } from "../topology";
import type { Network } from "./network";

/** The path that answers 200 where a host can serve a request, database included. */
export const readinessPath = "/readyz";

/** The zone, the site's certificate, the load balancer and the site's name. */
export class Edge extends pulumi.ComponentResource {
  readonly domainName: pulumi.Output<string>;
  /** URN at DigitalOcean of the zone, where the stack has created it. */
  readonly domainUrn: pulumi.Output<string> | undefined;
  readonly loadBalancer: digitalocean.LoadBalancer;
  readonly url: string;

  constructor(stack: string, config: Config, network: Network, opts?: pulumi.ComponentResourceOptions) {
    super("secured-web:index:Edge", "edge", {}, opts);
    const parent = { parent: this };
    if (config.createDomain) {
      const domain = new digitalocean.Domain(
        "domain",
        { name: config.domain },
        { parent: this, protect: config.database.protect },
      );
      this.domainName = domain.name;
      this.domainUrn = domain.domainUrn;
    } else {
      this.domainName = digitalocean.getDomainOutput({ name: config.domain }, parent).name;
    }
    this.loadBalancer = this.createLoadBalancer(stack, config, network);
    this.url = `https://${siteName(config)}`;
    new digitalocean.DnsRecord(
      "site",
      { domain: this.domainName, type: "A", name: config.subdomain, value: this.loadBalancer.ip, ttl: 300 },
      parent,
    );
    this.registerOutputs({ url: this.url });
  }

  private createLoadBalancer(stack: string, config: Config, network: Network): digitalocean.LoadBalancer {
    const certificate = config.tls === "reencrypt" ? this.createCertificate(stack, config) : undefined;
    const asCidr = (network: string) => `cidr:${network}`;
    return new digitalocean.LoadBalancer(
      "load-balancer",
      {
        name: stackTag(stack),
        region: config.region,
        sizeUnit: config.loadBalancer.sizeUnit,
        vpcUuid: network.vpc.id,
        dropletTag: roleTag(stack, "web"),
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
        // In passthrough the client's TLS session ends on the web host, and its nginx decides the ciphers.
        tlsCipherPolicy: "STRONG",
        // The client's address reaches nginx in a header when the load balancer speaks HTTP, else in the PROXY line.
        enableProxyProtocol: config.tls === "passthrough",
        enableBackendKeepalive: config.tls === "reencrypt",
        httpIdleTimeoutSeconds: config.loadBalancer.idleTimeoutSeconds,
        healthcheck: {
          protocol: "https",
          port: 443,
          path: readinessPath,
          checkIntervalSeconds: config.loadBalancer.checkIntervalSeconds,
          responseTimeoutSeconds: config.loadBalancer.checkTimeoutSeconds,
          healthyThreshold: config.loadBalancer.healthyThreshold,
          unhealthyThreshold: config.loadBalancer.unhealthyThreshold,
        },
        firewall: {
          allows: config.loadBalancer.allow.map(asCidr),
          denies: config.loadBalancer.deny.map(asCidr),
        },
        // The site's record is a resource of its own, in both TLS modes.
        disableLetsEncryptDnsRecords: true,
      },
      { parent: this, dependsOn: [...network.tags] },
    );
  }

  private createCertificate(stack: string, config: Config): digitalocean.Certificate {
    const name = siteName(config);
    // Only Let's Encrypt may issue for the zone's names (RFC 8659).
    const authorization = new digitalocean.DnsRecord(
      "certificate-authority",
      {
        domain: this.domainName,
        type: "CAA",
        name: "@",
        flags: 0,
        tag: "issue",
        value: "letsencrypt.org.",
        ttl: 1800,
      },
      { parent: this },
    );
    return new digitalocean.Certificate(
      "certificate",
      // The name holds what the certificate is for: a replacement is created before the old one goes, and two of one
      // name cannot stand in an account.
      { name: `${stackTag(stack)}-${name.replaceAll(".", "-")}`, type: "lets_encrypt", domains: [name] },
      { parent: this, dependsOn: [authorization] },
    );
  }
}
