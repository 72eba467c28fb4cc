/** Runs the real program against Pulumi's mocks: what would be registered, without an engine or a cloud. */
import * as pulumi from "@pulumi/pulumi";
import { type Outputs, program } from "../../infra/program";

export interface Registered {
  readonly type: string;
  readonly name: string;
  // Inputs are as various as the resource types; each test looks at what it knows.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly inputs: Record<string, any>;
  readonly protect: boolean;
  readonly ignoreChanges: readonly string[];
  readonly deleteBeforeReplace: boolean;
}

export interface MockStack {
  readonly resources: readonly Registered[];
  readonly outputs: Awaited<pulumi.UnwrappedObject<Outputs>>;
}

/** Sizes, regions and image that the mocks offer. */
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
    { slug: "nyc2", available: false },
  ],
};

function call({ token, inputs }: pulumi.runtime.MockCallArgs): Record<string, unknown> {
  switch (token) {
    case "digitalocean:index/getSizes:getSizes":
      return { sizes: offers.sizes };
    case "digitalocean:index/getRegions:getRegions":
      return { regions: offers.regions };
    case "digitalocean:index/getImage:getImage":
      if (inputs.slug !== "ubuntu-26-04-x64") throw new Error(`image not found: ${inputs.slug}`);
      return { slug: inputs.slug, regions: ["nyc3"] };
    case "digitalocean:index/getAccount:getAccount":
      return { email: "owner@example.com" };
    case "digitalocean:index/getDomain:getDomain":
      return { name: inputs.name };
    default:
      throw new Error(`no mock for ${token}`);
  }
}

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
    case "digitalocean:index/loadBalancer:LoadBalancer":
      return { ...inputs, ip: "198.51.100.1", loadBalancerUrn: "do:loadbalancer:1" };
    case "digitalocean:index/domain:Domain":
      return { ...inputs, domainUrn: `do:domain:${inputs.name}` };
    case "random:index/randomPassword:RandomPassword":
      return { ...inputs, result: `password-of-${name}` };
    case "tls:index/privateKey:PrivateKey":
      return { ...inputs, privateKeyPem: `key-of-${name}\n` };
    case "tls:index/certRequest:CertRequest":
      return { ...inputs, certRequestPem: `request-of-${name}\n` };
    case "tls:index/selfSignedCert:SelfSignedCert":
    case "tls:index/locallySignedCert:LocallySignedCert":
      return { ...inputs, certPem: `certificate-of-${name}\n` };
    default:
      return inputs;
  }
}

/**
 * Runs the program.
 *
 * @param config settings by path below `secured-web:`, structured ones as JSON
 * @throws what the program throws
 */
export async function mockStack(stack: string, config: Record<string, string>): Promise<MockStack> {
  const resources: Registered[] = [];
  await pulumi.runtime.setMocks(
    {
      call,
      newResource: (args) => {
        const request = args.registerRequest;
        resources.push({
          type: args.type,
          name: args.name,
          inputs: args.inputs,
          protect: request?.getProtect() ?? false,
          ignoreChanges: request?.getIgnorechangesList() ?? [],
          deleteBeforeReplace: request?.getDeletebeforereplace() ?? false,
        });
        return { id: `${args.name}-id`, state: outputsOf(args, resources.length) };
      },
    },
    "secured-web",
    stack,
  );
  const full = Object.entries(config).map(([path, value]) => [`secured-web:${path}`, value]);
  const secret = ["secured-web:datadog", "secured-web:passthrough"];
  pulumi.runtime.setAllConfig(Object.fromEntries(full), secret);
  const outputs = await program();
  const resolved = await new Promise<MockStack["outputs"]>((resolve) => {
    pulumi.output(outputs).apply((values) => resolve(values as MockStack["outputs"]));
  });
  await settled(resources);
  return { resources, outputs: resolved };
}

/** Registrations go on behind outputs: done when a whole turn of all pending work adds none. */
async function settled(resources: readonly Registered[]): Promise<void> {
  for (let before = -1; before !== resources.length; ) {
    before = resources.length;
    await pulumi.runtime.disconnect();
  }
}

/** The registered resources of a type, by the type's last word ("Droplet"). */
export function ofType(stack: MockStack, type: string): readonly Registered[] {
  return stack.resources.filter((resource) => resource.type.endsWith(`:${type}`));
}
