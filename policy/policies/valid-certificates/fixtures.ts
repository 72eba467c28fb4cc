import { loadBalancer } from "../../fixtures/texts";
import type { FixtureResource, PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";
import {
  authorityCertificate,
  earlyCertificate,
  expiredCertificate,
  selfSignedCertificate,
  validCertificate,
  weakCertificate,
} from "./certificates";

const certificate = (properties: Readonly<Record<string, unknown>>): FixtureResource => ({
  type: "digitalocean:index/certificate:Certificate",
  properties: { name: "www-foobar-com", ...properties },
});
const custom = (properties: Readonly<Record<string, unknown>> = {}): FixtureResource => ({
  ...certificate({
    type: "custom",
    leafCertificate: validCertificate,
    certificateChain: authorityCertificate,
    privateKey: unknownValue,
    ...properties,
  }),
  references: { privateKey: ["key"] },
});
const key: FixtureResource = {
  type: "tls:index/privateKey:PrivateKey",
  properties: { algorithm: "ECDSA", ecdsaCurve: "P256" },
};
const letsEncrypt = (domains: unknown) => certificate({ type: "lets_encrypt", domains });
const cdn = (properties: Readonly<Record<string, unknown>>): FixtureResource => ({
  type: "digitalocean:index/cdn:Cdn",
  properties: { origin: "uploads.fra1.digitaloceanspaces.com", ...properties },
});
const global = (domain: Readonly<Record<string, unknown>>) =>
  loadBalancer([], { type: "GLOBAL", domains: [{ name: "www.foobar.com", ...domain }] });

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    {
      path: /^(origin|algorithm|ecdsaCurve|dropletTag|forwardingRules|redirectHttpToHttps|tlsCipherPolicy)$/,
      reason: "not related to certificates",
    },
    { path: /^privateKey$/, change: /unknown/, reason: "it comes from a resource of the stack" },
    {
      path: /^customDomain$/,
      reason: "without its own domain, or with an unknown one, the CDN has a certificate",
    },
    {
      path: /^certificateName$/,
      change: /unknown/,
      reason: "it is the name of a certificate that the stack creates",
    },
    {
      path: /^domains(\[0\])?(\.name)?$/,
      resource: /^edge$/,
      reason: "a domain that is not listed needs no certificate",
    },
  ],
  valid: [
    { title: "Let's Encrypt's certificate", resources: { site: letsEncrypt(["www.foobar.com"]) } },
    { title: "a custom certificate with its chain", resources: { key, site: custom() } },
    {
      title: "a global load balancer and a CDN with certificates for their domains",
      resources: {
        edge: global({ isManaged: true }),
        images: cdn({ customDomain: "images.foobar.com", certificateName: "images-foobar-com" }),
      },
    },
    { title: "a CDN on DigitalOcean's own address", resources: { images: cdn({}) }, leftAlone: true },
  ],
  invalid: [
    {
      title: "an expired certificate",
      resources: { key, site: custom({ leafCertificate: expiredCertificate }) },
      violations: [{ resource: "site", says: "it expired on 2025-01-01", at: "registration" }],
    },
    {
      title: "a certificate that is not valid yet",
      resources: { key, site: custom({ leafCertificate: earlyCertificate }) },
      violations: [{ resource: "site", says: "it is not valid until 2120-01-01", at: "registration" }],
    },
    {
      title: "a self-signed certificate",
      resources: { key, site: custom({ leafCertificate: selfSignedCertificate }) },
      violations: [{ resource: "site", says: "it is self-signed", at: "registration" }],
    },
    {
      title: "a weak key",
      resources: { key, site: custom({ leafCertificate: weakCertificate }) },
      violations: [{ resource: "site", says: "its key has 1024 bits", at: "registration" }],
    },
    {
      title: "a custom certificate with missing parts",
      resources: { site: certificate({ type: "custom" }) },
      violations: [
        { resource: "site", says: "privateKey: it is missing", at: "registration" },
        { resource: "site", says: "leafCertificate: it is missing", at: "registration" },
        { resource: "site", says: "certificateChain: it is missing", at: "registration" },
      ],
    },
    {
      title: "a Let's Encrypt certificate for no domain",
      resources: { site: letsEncrypt([]) },
      violations: [{ resource: "site", says: "it lists no domain", at: "registration" }],
    },
    {
      title: "an unknown certificate that does not come from a resource",
      resources: { key, site: custom({ leafCertificate: unknownValue }) },
      violations: [{ resource: "site", says: "leafCertificate: the value is unknown", at: "stack" }],
    },
    {
      title: "a global load balancer without a certificate for its domain",
      resources: { edge: global({ isManaged: false }) },
      violations: [
        { resource: "edge", says: "domains[0]: the domain has no certificate", at: "registration" },
      ],
    },
    {
      title: "a CDN without a certificate for its domain",
      resources: { images: cdn({ customDomain: "images.foobar.com" }) },
      violations: [{ resource: "images", says: "no certificate for it", at: "registration" }],
    },
  ],
};
