/** Two sites in one program. Each gives its own domain and VPC range; the other settings have defaults. */
import * as pulumi from "@pulumi/pulumi";
import { SecuredWeb } from "@secured-web/infra/components/securedWeb";

const domain = new pulumi.Config().require("domain");

/** https://www.shop.DOMAIN, with web hosts and database hosts apart. */
const shop = new SecuredWeb("shop", {
  domain: `shop.${domain}`,
  vpc: { ipRange: "10.130.0.0/20" },
  topology: "separated",
  web: { count: 3 },
});

/** https://blog.DOMAIN, with every role on three small droplets. */
const blog = new SecuredWeb("blog", {
  domain: `blog.${domain}`,
  subdomain: "@",
  vpc: { ipRange: "10.140.0.0/20" },
});

export const shopUrl = shop.url;
export const blogUrl = blog.url;
export const droplets = pulumi
  .all([shop.droplets, blog.droplets])
  .apply((sites) => sites.flat().map(({ name }) => name));
