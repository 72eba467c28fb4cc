/** The stand-in for the tls plugin. A change of anything that is part of a key or certificate replaces it. */
import { createHash } from "node:crypto";
import {
  boolean,
  computed,
  type Field,
  type Fields,
  integer,
  list,
  object,
  optional,
  optionalComputed,
  required,
  string,
} from "../provider/fields";
import type { Provider, ResourceType } from "../provider/resource";
import { atLeast, ipAddress, notEmpty, oneOf } from "../provider/validators";
import { isMap, isUnknown, type PropertyMap } from "../provider/values";
import type { CertificateOptions, Names, Subject } from "./certificates";
import { type Algorithm, type Curve, curveNames, makeKey } from "./keys";

type None = Record<string, never>;

const replaces = { replaces: true } as const;
const hourMs = 3_600_000;

/** Loaded on first use, because the certificate library takes longer to load than the rest of the plugin. */
function certificates(): typeof import("./certificates") {
  return require("./certificates") as typeof import("./certificates");
}

/** Keys and certificates exist only in the state. */
const stateOnly: Pick<ResourceType<None>, "settle" | "delete"> = {
  settle: async (_op, _id, prior) => prior,
  delete: async () => {},
};

function noImport(name: string): ResourceType<None>["read"] {
  return async (_op, _id, prior) => {
    if (Object.keys(prior).length === 0)
      throw new Error(`a ${name} cannot be imported: it exists only in the state`);
    return { state: withRenewal(prior) };
  };
}

const secretPem: Field = required(string, { ...replaces, secret: true, validate: [notEmpty] });

const privateKey: ResourceType<None> = {
  ...stateOnly,
  name: "PrivateKey",
  fields: {
    algorithm: required(string, { ...replaces, validate: [oneOf("RSA", "ECDSA", "ED25519")] }),
    rsaBits: optionalComputed(integer, { ...replaces, stateDefault: 2048, validate: [atLeast(1024)] }),
    ecdsaCurve: optionalComputed(string, {
      ...replaces,
      stateDefault: "P224",
      validate: [oneOf(...curveNames)],
    }),
    privateKeyPem: computed(string, { secret: true }),
    privateKeyPemPkcs8: computed(string, { secret: true }),
    privateKeyOpenssh: computed(string, { secret: true }),
    publicKeyPem: computed(string),
    publicKeyOpenssh: computed(string),
    publicKeyFingerprintMd5: computed(string),
    publicKeyFingerprintSha256: computed(string),
  },
  async create(_op, inputs) {
    const forms = await makeKey({
      algorithm: String(inputs.algorithm) as Algorithm,
      rsaBits: Number(inputs.rsaBits ?? 2048),
      ecdsaCurve: String(inputs.ecdsaCurve ?? "P224") as Curve,
    });
    return { id: sha1(forms.publicKeyPem.trim()), state: { ...forms } };
  },
  read: noImport("PrivateKey"),
};

function sha1(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}

function subject(owner: string): Field {
  const line = optional(string, replaces);
  const parts: Fields = {
    commonName: line,
    country: line,
    emailAddress: line,
    locality: line,
    organization: line,
    organizationalUnit: line,
    postalCode: line,
    province: line,
    serialNumber: line,
    streetAddresses: optional(list(string), replaces),
  };
  return optional(object(`${owner}Subject`, parts), replaces);
}

const names: Fields = {
  dnsNames: optional(list(string), replaces),
  ipAddresses: optional(list(string, ipAddress), replaces),
  uris: optional(list(string), replaces),
};

const certRequest: ResourceType<None> = {
  ...stateOnly,
  name: "CertRequest",
  fields: {
    privateKeyPem: secretPem,
    subject: subject("CertRequest"),
    ...names,
    keyAlgorithm: computed(string),
    certRequestPem: computed(string),
  },
  async create(_op, inputs) {
    const { request } = certificates();
    const made = await request(String(inputs.privateKeyPem), subjectOf(inputs), namesOf(inputs));
    return {
      id: sha1(made.pem.trim()),
      state: { certRequestPem: made.pem, keyAlgorithm: made.keyAlgorithm },
    };
  },
  read: noImport("CertRequest"),
};

const flag = optionalComputed(boolean, { ...replaces, stateDefault: false });

function validityFields(uses: Field): Fields {
  return {
    allowedUses: uses,
    validityPeriodHours: required(integer, { ...replaces, validate: [atLeast(0)] }),
    // Does not replace: it is not part of the certificate.
    earlyRenewalHours: optionalComputed(integer, { stateDefault: 0, validate: [atLeast(0)] }),
    isCaCertificate: flag,
    maxPathLength: optionalComputed(integer, { ...replaces, stateDefault: -1, validate: [atLeast(-1)] }),
    setSubjectKeyId: flag,
    certPem: computed(string),
    validityStartTime: computed(string),
    validityEndTime: computed(string),
    readyForRenewal: computed(boolean),
  };
}

const knownUses = oneOf(
  ...["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"],
  ...[
    "cert_signing",
    "crl_signing",
    "encipher_only",
    "decipher_only",
    "any_extended",
    "server_auth",
    "client_auth",
  ],
  ...["code_signing", "email_protection", "ipsec_end_system", "ipsec_tunnel", "ipsec_user", "timestamping"],
  ...["ocsp_signing", "microsoft_server_gated_crypto", "netscape_server_gated_crypto"],
  ...["microsoft_commercial_code_signing", "microsoft_kernel_code_signing"],
);
const allowedUses = required(list(string, knownUses), replaces);

const selfSignedCert: ResourceType<None> = {
  ...stateOnly,
  name: "SelfSignedCert",
  fields: {
    privateKeyPem: secretPem,
    subject: subject("SelfSignedCert"),
    ...names,
    ...validityFields(allowedUses),
    setAuthorityKeyId: flag,
    keyAlgorithm: computed(string),
  },
  forcedReplacements: dueRenewal,
  async create(_op, inputs) {
    const { selfSigned } = certificates();
    const options = { ...certificateOptions(inputs), setAuthorityKeyId: inputs.setAuthorityKeyId === true };
    const made = await selfSigned(String(inputs.privateKeyPem), subjectOf(inputs), namesOf(inputs), options);
    const state = { ...validityState(options, inputs), certPem: made.pem, keyAlgorithm: made.keyAlgorithm };
    return { id: made.serialNumber, state };
  },
  settle: async (_op, _id, prior) => withRenewal(prior),
  async update() {},
  read: noImport("SelfSignedCert"),
};

const locallySignedCert: ResourceType<None> = {
  ...stateOnly,
  name: "LocallySignedCert",
  fields: {
    certRequestPem: required(string, { ...replaces, validate: [notEmpty] }),
    caCertPem: required(string, { ...replaces, validate: [notEmpty] }),
    caPrivateKeyPem: secretPem,
    ...validityFields(allowedUses),
    caKeyAlgorithm: computed(string),
  },
  forcedReplacements: dueRenewal,
  async create(_op, inputs) {
    const { locallySigned } = certificates();
    const options = certificateOptions(inputs);
    const made = await locallySigned(
      String(inputs.certRequestPem),
      String(inputs.caPrivateKeyPem),
      String(inputs.caCertPem),
      options,
    );
    const state = {
      ...validityState(options, inputs),
      certPem: made.pem,
      caKeyAlgorithm: made.caKeyAlgorithm,
    };
    return { id: made.serialNumber, state };
  },
  settle: async (_op, _id, prior) => withRenewal(prior),
  async update() {},
  read: noImport("LocallySignedCert"),
};

function subjectOf(inputs: PropertyMap): Subject {
  const given = isMap(inputs.subject) ? inputs.subject : {};
  const { __defaults: _, streetAddresses, ...lines } = given;
  return {
    ...(Object.fromEntries(Object.entries(lines).map(([key, value]) => [key, String(value)])) as Subject),
    ...(Array.isArray(streetAddresses) ? { streetAddresses: streetAddresses.map(String) } : {}),
  };
}

function namesOf(inputs: PropertyMap): Names {
  const each = (key: string) => (Array.isArray(inputs[key]) ? inputs[key].map(String) : []);
  return { dnsNames: each("dnsNames"), ipAddresses: each("ipAddresses"), uris: each("uris") };
}

/** Certificates have a resolution of one second. The start is rounded down, so that it is not in the future. */
function certificateOptions(inputs: PropertyMap): CertificateOptions {
  const notBefore = new Date(Math.floor(Date.now() / 1000) * 1000);
  return {
    notBefore,
    notAfter: new Date(notBefore.getTime() + Number(inputs.validityPeriodHours) * hourMs),
    allowedUses: Array.isArray(inputs.allowedUses) ? inputs.allowedUses.map(String) : [],
    isCa: inputs.isCaCertificate === true,
    maxPathLength: Number(inputs.maxPathLength ?? -1),
    setSubjectKeyId: inputs.setSubjectKeyId === true,
  };
}

function validityState(options: CertificateOptions, inputs: PropertyMap): PropertyMap {
  const state = { validityStartTime: rfc3339(options.notBefore), validityEndTime: rfc3339(options.notAfter) };
  return { ...state, readyForRenewal: isReady(state.validityEndTime, Number(inputs.earlyRenewalHours ?? 0)) };
}

function rfc3339(date: Date): string {
  return date.toISOString().replace(/\.\d{3}Z$/, "Z");
}

function isReady(validityEndTime: string, earlyRenewalHours: number): boolean {
  return Date.now() >= Date.parse(validityEndTime) - earlyRenewalHours * hourMs;
}

function withRenewal(state: PropertyMap): PropertyMap {
  if (typeof state.validityEndTime !== "string") return state;
  return { ...state, readyForRenewal: isReady(state.validityEndTime, Number(state.earlyRenewalHours ?? 0)) };
}

/** The next update replaces a certificate that is close to its end. */
function dueRenewal(state: PropertyMap, inputs: PropertyMap): string[] {
  const early = inputs.earlyRenewalHours ?? 0;
  if (typeof state.validityEndTime !== "string" || isUnknown(early)) return [];
  return isReady(state.validityEndTime, Number(early)) ? ["readyForRenewal"] : [];
}

const proxy = object("proxy", {
  fromEnv: optional(boolean),
  password: optional(string, { secret: true }),
  url: optional(string),
  username: optional(string),
});

export const tls: Provider<None> = {
  name: "tls",
  schemaOmitsReplaces: true,
  config: { proxy: optional(proxy) },
  configure: () => ({}),
  resources: [certRequest, locallySignedCert, privateKey, selfSignedCert],
  functions: [],
};
