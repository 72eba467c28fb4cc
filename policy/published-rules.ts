/**
 * Rules that others publish for DigitalOcean, and the policies of this pack that cover them. The ids are from these
 * sources:
 *
 * - Checkov: github.com/bridgecrewio/checkov, checkov/terraform/checks/resource/digitalocean, commit 03d5fda of 2026-08-20
 * - Trivy: github.com/aquasecurity/trivy-checks, checks/cloud/digitalocean, commit 80e5382 of 2026-08-21
 * - Mondoo: github.com/mondoohq/cnspec, content/mondoo-digitalocean-security.mql.yaml, version 2.5.3, commit 62835b1 of
 *   2026-08-22. Its ids start with "mondoo-digitalocean-security-"
 *
 * CIS publishes no section that could be verified in a public source.
 */

export interface PublishedRule {
  readonly source: "Checkov" | "Trivy" | "Mondoo";
  readonly id: string;
  /** Names of policies, or the reason why none covers it. */
  readonly coveredBy: readonly string[] | string;
}

const list = (source: PublishedRule["source"], rules: Readonly<Record<string, PublishedRule["coveredBy"]>>) =>
  Object.entries(rules).map(([id, coveredBy]): PublishedRule => ({ source, id, coveredBy }));

const account = "it is a setting of the account, which no stack contains";
const runtime = "only the running resource shows it, and no input sets it";
const noInput = "the provider has no input for it";
const agents = "the pack does not cover agents and models";

export const publishedRules: readonly PublishedRule[] = [
  ...list("Checkov", {
    CKV_DIO_1: ["versioned-buckets"],
    CKV_DIO_2: ["droplet-ssh-keys"],
    CKV_DIO_3: ["private-spaces-buckets"],
    CKV_DIO_4: ["narrow-firewalls", "no-world-open-database"],
  }),
  ...list("Trivy", {
    "AVD-DIG-0001": ["narrow-firewalls", "no-world-open-database"],
    "AVD-DIG-0002": ["end-to-end-encryption"],
    "AVD-DIG-0003": ["narrow-firewalls"],
    "AVD-DIG-0004": ["droplet-ssh-keys"],
    "AVD-DIG-0005": ["kubernetes-upgrades"],
    "AVD-DIG-0006": ["private-spaces-buckets"],
    "AVD-DIG-0007": ["versioned-buckets"],
    "AVD-DIG-0008": ["kubernetes-upgrades"],
    "AVD-DIG-0009": ["recoverable-databases"],
  }),
  ...list("Mondoo", {
    "account-email-verified": account,
    "app-platform-https": runtime,
    "cdn-has-certificate": ["valid-certificates"],
    "cert-not-expired": ["valid-certificates"],
    "db-ca-certificate-not-expired": runtime,
    "db-connection-ssl-enabled": ["encrypted-database-connections"],
    "db-engine-supported-version": ["supported-databases"],
    "db-firewall-configured": ["no-world-open-database"],
    "db-in-private-network": ["private-network"],
    "db-not-internet-reachable": ["no-world-open-database"],
    "doks-auto-upgrade-enabled": ["kubernetes-upgrades"],
    "doks-control-plane-firewall-enabled": ["kubernetes-control-plane"],
    "doks-in-vpc": ["private-network"],
    "doks-sso-enabled": "SSO needs an identity provider, which few stacks have",
    "doks-sso-required": "SSO needs an identity provider, which few stacks have",
    "doks-supported-version": ["kubernetes-upgrades"],
    "droplet-firewall-coverage": ["droplets-behind-firewall"],
    "droplet-in-vpc": ["private-network"],
    "droplet-not-internet-reachable": ["narrow-firewalls", "private-network"],
    "firewall-no-all-ports-open": ["narrow-firewalls"],
    "firewall-no-unrestricted-db-ports": ["no-world-open-database"],
    "firewall-no-unrestricted-rdp": ["narrow-firewalls"],
    "firewall-no-unrestricted-ssh": ["narrow-firewalls"],
    "function-access-key-not-stale": runtime,
    "function-requires-api-key": noInput,
    "gradientai-agent-has-guardrails": agents,
    "gradientai-agent-not-publicly-deployed": agents,
    "gradientai-knowledge-base-not-public": agents,
    "image-not-public": noInput,
    "lb-firewall-allowlist-not-open":
      "a public site accepts everyone; the load balancer's firewall is for other uses",
    "lb-http-redirected-to-https": ["end-to-end-encryption"],
    "lb-in-vpc": ["private-network"],
    "lb-strong-tls-cipher-policy": ["end-to-end-encryption"],
    "scan-no-critical-findings": account,
    "spaces-bucket-cors-no-wildcard-origin": ["private-spaces-buckets"],
    "spaces-bucket-encryption-enabled": "DigitalOcean encrypts every bucket, and no input sets it",
    "spaces-bucket-mfa-delete-enabled": noInput,
    "spaces-bucket-not-authenticated-readable": ["private-spaces-buckets"],
    "spaces-bucket-not-publicly-readable": ["private-spaces-buckets"],
    "spaces-bucket-not-publicly-writable": ["private-spaces-buckets"],
    "spaces-bucket-policy-not-public": ["private-spaces-buckets"],
    "spaces-bucket-public-access-blocked": noInput,
    "spaces-bucket-versioning-enabled": ["versioned-buckets"],
    "spaces-key-has-scoped-grants": ["narrow-spaces-keys"],
    "ssh-key-no-dsa": ["droplet-ssh-keys"],
  }),
];

/** The published rules that a policy covers. */
export function rulesOf(policy: string): readonly PublishedRule[] {
  return publishedRules.filter(({ coveredBy }) => Array.isArray(coveredBy) && coveredBy.includes(policy));
}
