/** Certificates that clients accept now and in the near future. */
import { X509Certificate } from "node:crypto";
import { describeState } from "../../evidence/host";
import { definePolicy, type JudgmentContext } from "../../frame/definition";
import { alwaysMandatory } from "../../frame/enforcement";
import { quoted } from "../../frame/message";
import type { JudgedResource } from "../../frame/resource";
import { type Field, type Inputs, valueOr } from "../../frame/value";
import { cdnType, certificateType, loadBalancerType, ofType } from "../../resources/types";

const whyRefused = "all clients refuse a site whose certificate is invalid";

interface Configuration {
  readonly minimumDays: number;
  readonly requireChain: boolean;
}
type Context = JudgmentContext<Configuration>;

export const validCertificates = definePolicy({
  name: "valid-certificates",
  displayName: "Valid certificates",
  category: "encryption",
  description:
    "Certificates are from Let's Encrypt for named domains, or custom ones that remain valid for some time, with a full chain, signed by an authority, and with a strong key. Global load balancers and CDNs have one for each custom domain.",
  severity: "high",
  enforcement: alwaysMandatory,
  tags: [],
  types: [cdnType, certificateType, loadBalancerType],
  remediationSteps:
    "Use type lets_encrypt, which DigitalOcean renews, or renew the custom certificate and pass it with its chain. Set a certificate for every domain of a global load balancer or CDN.",
  configuration: {
    minimumDays: {
      type: "integer",
      default: 30,
      minimum: 0,
      maximum: 825,
      description: "Days that a custom certificate must remain valid.",
    },
    requireChain: {
      type: "boolean",
      default: true,
      description: "Require the certificates of its authority (certificateChain) with a custom certificate.",
    },
  },
  judgeResource(resource, context) {
    if (resource.type === certificateType) judgeCertificate(resource, context);
    if (resource.type === loadBalancerType) judgeDomains(resource, context);
    if (resource.type === cdnType) judgeCdn(resource, context);
  },
  judgeStack(resources, context) {
    // A value that is unknown in a preview and comes from a resource of the stack is checked when the update
    // registers it.
    for (const certificate of ofType(resources, certificateType)) {
      for (const input of ["type", "leafCertificate", "certificateChain", "privateKey", "domains"]) {
        if (certificate.inputs.raw(input) === undefined || certificate.references(input).length > 0) continue;
        const field = input === "domains" ? certificate.inputs.texts(input) : certificate.inputs.text(input);
        const isUnknown =
          field.state === "unknown" ||
          (field.state === "known" &&
            Array.isArray(field.value) &&
            field.value.some(({ state }) => state === "unknown"));
        if (!isUnknown) continue;
        context.report(certificate, {
          at: input,
          problem: "the value is unknown, and does not come from a resource of the stack",
          why: whyRefused,
          fix: "set the value to a literal, or read it from the configuration",
        });
      }
    }
  },
});

const types = ["custom", "lets_encrypt"];

function judgeCertificate(certificate: JudgedResource, context: Context): void {
  const type = certificate.inputs.text("type");
  if (type.state === "unknown") return;
  const kind = type.state === "absent" ? "custom" : valueOr(type, "");
  if (kind === "lets_encrypt") judgeLetsEncrypt(certificate, context);
  else if (kind === "custom") judgeCustom(certificate, context);
  else {
    const problem =
      type.state === "known" ? `type is ${quoted(kind, types)}` : `the value ${describeState(type)}`;
    report(certificate, context, "type", problem, 'set type to "lets_encrypt" or "custom"');
  }
}

function judgeLetsEncrypt(certificate: JudgedResource, context: Context): void {
  const domains = certificate.inputs.texts("domains");
  const fix = "list the site's domains, which DigitalOcean must manage";
  if (domains.state === "unknown") return;
  if (domains.state === "mistyped") {
    report(certificate, context, "domains", `the value ${describeState(domains)}`, fix);
    return;
  }
  const items = valueOr(domains, []);
  if (items.length === 0 || items.some((item) => item.state === "known" && item.value === "")) {
    report(certificate, context, "domains", "it lists no domain", fix);
  }
  if (items.some(({ state }) => state === "absent" || state === "mistyped")) {
    report(certificate, context, "domains", "a domain is not a string", fix);
  }
}

function judgeCustom(certificate: JudgedResource, context: Context): void {
  const key = certificate.inputs.text("privateKey");
  if (isMissing(key)) {
    report(certificate, context, "privateKey", missing(key), "pass the key in PEM form, as a secret");
  }
  const leaf = certificate.inputs.text("leafCertificate");
  const leafFix = "pass the site's own certificate in PEM form";
  if (isMissing(leaf)) report(certificate, context, "leafCertificate", missing(leaf), leafFix);
  if (leaf.state === "known" && leaf.value !== "") {
    const parsed = parse(leaf.value);
    if (parsed === undefined)
      report(certificate, context, "leafCertificate", "it is not a certificate in PEM form", leafFix);
    else judgeLeaf(certificate, parsed, context);
  }
  if (!context.configuration.requireChain) return;
  const chain = certificate.inputs.text("certificateChain");
  const chainFix = "pass the authority's intermediate certificates in PEM form, the leaf's issuer first";
  if (isMissing(chain)) report(certificate, context, "certificateChain", missing(chain), chainFix);
  else if (chain.state === "known" && parse(chain.value) === undefined) {
    report(certificate, context, "certificateChain", "it is not a certificate in PEM form", chainFix);
  }
}

function judgeLeaf(resource: JudgedResource, leaf: X509Certificate, context: Context): void {
  const at = "leafCertificate";
  const days = (date: string) => Math.floor((Date.parse(date) - Date.now()) / 86_400_000);
  const left = days(leaf.validTo);
  const renew = "renew the certificate, or use type lets_encrypt, which DigitalOcean renews";
  const day = (date: string) => new Date(date).toISOString().slice(0, 10);
  if (left < 0) report(resource, context, at, `it expired on ${day(leaf.validTo)}`, renew);
  else if (left < context.configuration.minimumDays) {
    report(resource, context, at, `it expires in ${left} days, on ${day(leaf.validTo)}`, renew);
  }
  if (days(leaf.validFrom) >= 0) {
    report(
      resource,
      context,
      at,
      `it is not valid until ${day(leaf.validFrom)}`,
      "use a certificate that is valid today",
    );
  }
  if (leaf.checkIssued(leaf)) {
    report(
      resource,
      context,
      at,
      "it is self-signed",
      "use a certificate that an authority signed, or type lets_encrypt",
    );
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = leaf.publicKey;
  const bits = details?.modulusLength;
  if ((type === "rsa" || type === "dsa") && (bits ?? 0) < 2048) {
    report(
      resource,
      context,
      at,
      `its key has ${bits ?? 0} bits`,
      "create a key of 2,048 bits or more, or an ECDSA key",
    );
  }
}

/** The first certificate of a PEM text. */
function parse(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(text);
  } catch {
    return undefined;
  }
}

/** Unknown values are checked when the update registers them. */
function isMissing(field: Field<string>): boolean {
  return (
    field.state === "absent" || field.state === "mistyped" || (field.state === "known" && field.value === "")
  );
}

function missing(field: Field<string>): string {
  return field.state === "mistyped" ? `the value ${describeState(field)}` : "it is missing";
}

function report(resource: JudgedResource, context: Context, at: string, problem: string, fix: string): void {
  context.report(resource, { at, problem, why: whyRefused, fix });
}

/** A global load balancer terminates TLS for each of its domains. */
function judgeDomains(balancer: JudgedResource, context: Context): void {
  const domains = balancer.inputs.objects("domains");
  if (domains.state === "absent") return;
  const fix =
    "set isManaged to true if DigitalOcean manages the domain, or set a Certificate in certificateName";
  if (domains.state !== "known") {
    report(balancer, context, "domains", `the value ${describeState(domains)}`, fix);
    return;
  }
  for (const [index, domain] of domains.value.entries()) {
    const at = `domains[${index}]`;
    if (domain.state !== "known") report(balancer, context, at, `the value ${describeState(domain)}`, fix);
    else if (!hasCertificate(domain.value))
      report(balancer, context, at, "the domain has no certificate", fix);
  }
}

function hasCertificate(domain: Inputs): boolean {
  if (valueOr(domain.flag("isManaged"), false)) return true;
  return ["certificateName", "certificateId"].some((input) => names(domain.text(input)));
}

/** An unknown name is the output of a certificate. */
const names = (field: Field<string>) =>
  field.state === "unknown" || (field.state === "known" && field.value !== "");

/** DigitalOcean's own address of a CDN has a certificate. Your own domain needs one. */
function judgeCdn(cdn: JudgedResource, context: Context): void {
  const domain = cdn.inputs.text("customDomain");
  if (domain.state === "absent" || (domain.state === "known" && domain.value === "")) return;
  if (["certificateName", "certificateId"].some((input) => names(cdn.inputs.text(input)))) return;
  report(
    cdn,
    context,
    "certificateName",
    "the CDN has its own domain and no certificate for it",
    "set a Certificate in certificateName",
  );
}
