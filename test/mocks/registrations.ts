/**
 * Runs the real program against Pulumi's mocks and records what it registers: the resource graph without an engine, a
 * provider or a cloud. The diagram is drawn from it and the unit tests read it.
 */
import { generateKeyPairSync } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

import program = require("../../infra/index");

type Outputs = Awaited<ReturnType<typeof program>>;

/** One resource that the program registered. */
export interface Registration {
  readonly type: string;
  /** The resource's name in the site: "node-1" for "main-node-1", which the program's one SecuredWeb calls "main". */
  readonly name: string;
  // Inputs are as various as the resource types; each reader looks at what it knows.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly inputs: Record<string, any>;
  readonly protect: boolean;
  readonly ignoreChanges: readonly string[];
  /** Undefined if the program leaves it to the provider. */
  readonly deleteBeforeReplace: boolean | undefined;
  readonly retainOnDelete: boolean;
  readonly replaceOnChanges: readonly string[];
}

export interface Registrations<O = Outputs> {
  readonly resources: readonly Registration[];
  readonly outputs: pulumi.Unwrap<O>;
}

/** Regions, sizes and the image that the mocks offer, with DigitalOcean's prices. */
const offers = {
  sizes: [
    { slug: "s-1vcpu-1gb", priceMonthly: 6 },
    { slug: "s-2vcpu-2gb", priceMonthly: 18 },
    { slug: "s-2vcpu-4gb", priceMonthly: 24 },
    { slug: "s-4vcpu-8gb", priceMonthly: 48 },
  ].map((size) => ({ ...size, available: true, regions: ["nyc3", "fra1"] })),
  regions: [
    { slug: "nyc3", available: true },
    { slug: "fra1", available: true },
    { slug: "sfo2", available: false },
    // It has no Spaces.
    { slug: "nyc1", available: true },
  ],
};

function call({ token, inputs }: pulumi.runtime.MockCallArgs): Record<string, unknown> {
  switch (token) {
    case "digitalocean:index/getSizes:getSizes":
      return { sizes: offers.sizes };
    case "digitalocean:index/getRegions:getRegions":
      return { regions: offers.regions };
    case "digitalocean:index/getImage:getImage": {
      const message = `image not found: ${inputs.slug}`;
      // The SDK shows a gRPC error's details, not its message.
      if (inputs.slug !== "ubuntu-26-04-x64") throw Object.assign(new Error(message), { details: message });
      return { slug: inputs.slug, regions: ["nyc3"] };
    }
    case "digitalocean:index/getAccount:getAccount":
      return { email: "owner@example.com" };
    case "digitalocean:index/getDomain:getDomain":
      return { name: inputs.name };
    default:
      throw new Error(`no mock for ${token}`);
  }
}

/** A block of PEM's form; its body tells where it came from. */
function pem(body: string): string {
  return `-----BEGIN MOCK-----\n${body}\n-----END MOCK-----\n`;
}

/** The key that signs releases is used, so it must be one. */
const signing = generateKeyPairSync("ed25519", {
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

/** The program makes lists of revoked certificates, so the CA's certificate must be one: Ed25519, ends in 2126. */
const caCertificate = `-----BEGIN CERTIFICATE-----
MIIBZzCCARmgAwIBAgIUFcc+FgyQk/jh6fFfw6c2UddsBH0wBQYDK2VwMCgxFDAS
BgNVBAoMC3NlY3VyZWQtd2ViMRAwDgYDVQQDDAdtb2NrIENBMCAXDTI2MTEyOTE3
MDUzMloYDzIxMjYxMTA1MTcwNTMyWjAoMRQwEgYDVQQKDAtzZWN1cmVkLXdlYjEQ
MA4GA1UEAwwHbW9jayBDQTAqMAUGAytlcAMhAJpkAa2u/uZlOfGrrgzKRn+xiONb
RMZZ/5JKKw4JdVTIo1MwUTAdBgNVHQ4EFgQUXxnpZOORumsWTap4N7olxLLaUO4w
HwYDVR0jBBgwFoAUXxnpZOORumsWTap4N7olxLLaUO4wDwYDVR0TAQH/BAUwAwEB
/zAFBgMrZXADQQBpJ5Xi5/X7H5m3IAaAg807+gciuDSj1vW8CTOc/TBSEOiWbEXY
5rfaqSu/JwOnfxjm+9WKkh1IyCVMXNozqQoB
-----END CERTIFICATE-----
`;

/** What the cloud adds to a resource's inputs. The values tell where they came from. */
function outputsOf(
  { type, name, inputs }: pulumi.runtime.MockResourceArgs,
  index: number,
): Record<string, unknown> {
  switch (type) {
    case "digitalocean:index/droplet:Droplet":
      return {
        ...inputs,
        ipv4Address: `203.0.113.${index}`,
        ipv4AddressPrivate: `10.0.0.${index}`,
        dropletUrn: `do:droplet:${name}`,
      };
    case "digitalocean:index/volume:Volume":
      return { ...inputs, volumeUrn: `do:volume:${name}` };
    case "digitalocean:index/loadBalancer:LoadBalancer":
      return { ...inputs, ip: "198.51.100.1", loadBalancerUrn: "do:loadbalancer:1" };
    case "digitalocean:index/spacesBucket:SpacesBucket":
      return { ...inputs, bucketUrn: `do:space:${inputs.name}` };
    case "digitalocean:index/domain:Domain":
      return { ...inputs, domainUrn: `do:domain:${inputs.name}` };
    case "random:index/randomPassword:RandomPassword":
      return { ...inputs, result: `passwordOf${name.replaceAll("-", "")}` };
    case "tls:index/privateKey:PrivateKey":
      return {
        ...inputs,
        privateKeyPem: pem(`key-of-${name}`),
        publicKeyPem: signing.publicKey,
        privateKeyPemPkcs8: signing.privateKey,
        publicKeyOpenssh: `ssh-ed25519 ${Buffer.from(name).toString("base64")}\n`,
      };
    case "random:index/randomId:RandomId":
      return { ...inputs, hex: "0a1b2c3d" };
    case "digitalocean:index/spacesKey:SpacesKey":
      return { ...inputs, accessKey: `DO00${name.replaceAll("-", "")}`, secretKey: `secretOf${name}` };
    case "pulumi:index:Stash":
      return { ...inputs, output: inputs.input };
    case "tls:index/certRequest:CertRequest":
      return { ...inputs, certRequestPem: pem(`request-of-${name}`) };
    case "tls:index/selfSignedCert:SelfSignedCert":
      return { ...inputs, certPem: caCertificate + pem(`certificate-of-${name}`) };
    case "tls:index/locallySignedCert:LocallySignedCert":
      return { ...inputs, certPem: pem(`certificate-of-${name}`) };
    default:
      return inputs;
  }
}

/** The names of a component's children begin with its own name. */
function nameInSite(name: string): string {
  return name.replace(/^main-/, "");
}

/** The engine's request behind a registration; the SDK's mocks pass on the inputs alone. */
interface RegisterRequest {
  getType(): string;
  getName(): string;
  getProtect(): boolean;
  getIgnorechangesList(): string[];
  getDeletebeforereplace(): boolean;
  getDeletebeforereplacedefined(): boolean;
  getRetainondelete(): boolean;
  getReplaceonchangesList(): string[];
}

interface Monitor {
  registerResource(request: RegisterRequest, callback: unknown): unknown;
  /** The SDK's mocks lack it. Hooks do not run in a test: an engine calls them. */
  registerResourceHook?(request: unknown, callback: (error: null, response: object) => void): void;
}

/**
 * Runs the project's own program.
 *
 * @param config settings by path below `secured-web:`, structured ones as JSON
 * @throws what the program throws
 */
export function registrations(stack: string, config: Record<string, string>): Promise<Registrations> {
  const raw = Object.entries(config).map(([path, value]) => [`secured-web:${path}`, value]);
  return registrationsOf(program, stack, Object.fromEntries(raw));
}

/**
 * Runs any program.
 *
 * @param config raw settings by full key
 * @throws what the program throws
 */
export async function registrationsOf<O>(
  run: () => Promise<O>,
  stack: string,
  config: Record<string, string> = {},
): Promise<Registrations<O>> {
  const inputs = new Map<string, pulumi.runtime.MockResourceArgs["inputs"]>();
  const requests: RegisterRequest[] = [];
  const key = (type: string, name: string) => `${type}::${name}`;
  await pulumi.runtime.setMocks(
    {
      call,
      newResource: (args) => {
        const name = nameInSite(args.name);
        inputs.set(key(args.type, name), args.inputs);
        return { id: `${name}-id`, state: outputsOf({ ...args, name }, inputs.size) };
      },
    },
    "secured-web",
    stack,
  );
  const { getMonitor } = pulumi.runtime as unknown as { getMonitor(): Monitor };
  const monitor = getMonitor();
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) => {
    requests.push(request);
    return register(request, callback);
  };
  monitor.registerResourceHook = (_request, callback) => callback(null, {});
  pulumi.runtime.setAllConfig(config, ["secured-web:datadog", "secured-web:passthrough"]);
  const outputs = await run();
  const values = await resolved(outputs);
  // Registrations go on behind outputs: this waits for them all.
  await pulumi.runtime.disconnect();
  const resources = requests.map((request) => ({
    type: request.getType(),
    name: nameInSite(request.getName()),
    inputs: inputs.get(key(request.getType(), nameInSite(request.getName()))) ?? {},
    protect: request.getProtect(),
    ignoreChanges: request.getIgnorechangesList(),
    deleteBeforeReplace: request.getDeletebeforereplacedefined()
      ? request.getDeletebeforereplace()
      : undefined,
    retainOnDelete: request.getRetainondelete(),
    replaceOnChanges: request.getReplaceonchangesList(),
  }));
  return { resources, outputs: values };
}

/** The outputs' values. What fails behind an output leaves it pending for ever, and shows as an unhandled rejection. */
function resolved<O>(outputs: O): Promise<pulumi.Unwrap<O>> {
  return new Promise((resolve, reject) => {
    process.once("unhandledRejection", reject);
    pulumi.output(outputs).apply((values) => {
      process.off("unhandledRejection", reject);
      resolve(values as pulumi.Unwrap<O>);
    });
  });
}

/** The registered resources of a type, by the type's last word ("Droplet"). */
export function ofType(
  { resources }: Pick<Registrations, "resources">,
  type: string,
): readonly Registration[] {
  return resources.filter((resource) => resource.type.endsWith(`:${type}`));
}
