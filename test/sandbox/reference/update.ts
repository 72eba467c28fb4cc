/**
 * Makes the data files of this folder from the full descriptions. The README beside it says where those come from.
 *
 *   node --import tsx test/sandbox/reference/update.ts digitalocean-openapi BUNDLE.json
 *   node --import tsx test/sandbox/reference/update.ts pulumi-digitalocean SCHEMA.json
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

type Node = Record<string, unknown>;

const PATHS =
  /^\/v2\/(account|actions|certificates|domains|droplets|firewalls|floating_ips|images|load_balancers|monitoring\/alerts|projects|regions|reserved_ips|sizes|snapshots|tags|uptime|volumes|vpcs)(\/|$)/;
/** What the sandbox does not have: its README says so. */
const LEFT_OUT = /\/(autoscale|account_transfer)/;

/** The resource types and functions of a package that the stand-in plugins are compared with. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  "pulumi-digitalocean": [
    ...["Certificate", "DatabaseCluster", "DatabaseFirewall", "DatabaseReplica", "DnsRecord", "Domain"],
    ...["Droplet", "Firewall", "LoadBalancer", "MonitorAlert", "Project", "ProjectResources", "ReservedIp"],
    ...["ReservedIpAssignment", "SpacesBucket", "SpacesBucketObject", "SpacesKey", "SshKey", "Tag"],
    ...["UptimeAlert", "UptimeCheck", "Volume", "VolumeAttachment"],
    ...["Vpc", "VpcNatGateway", "getAccount", "getCertificate", "getDomain", "getDroplet", "getDroplets"],
    ...["getImage", "getLoadBalancer", "getRegion", "getRegions", "getSizes", "getSshKey", "getSshKeys"],
    "getVpc",
  ],
  "pulumi-random": ["RandomId", "RandomPassword", "RandomPet", "RandomString", "RandomUuid"],
  "pulumi-tls": ["CertRequest", "LocallySignedCert", "PrivateKey", "SelfSignedCert"],
};

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Keywords whose value is a map of names to descriptions: a field called "title" is no title. */
const MAPS = ["properties", "inputProperties", "responses", "headers", "schemas", "parameters", "types"];

/** A copy without prose, and without the keywords of `dropped`. */
function strip(value: unknown, dropped: readonly string[], areNames = false): unknown {
  if (Array.isArray(value)) return value.map((item) => strip(item, dropped));
  if (!isNode(value)) return value;
  const isDropped = (key: string, item: unknown) =>
    dropped.includes(key) || key.startsWith("x-") || (key === "description" && typeof item === "string");
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, item]) => areNames || !isDropped(key, item))
      .map(([key, item]) => [
        key,
        !areNames && key === "deprecationMessage"
          ? ""
          : strip(item, dropped, !areNames && MAPS.includes(key)),
      ]),
  );
}

/** Every `#/...` that a value refers to, once, with what those refer to. */
function closure(value: unknown, lookUp: (ref: string) => unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const item of value) closure(item, lookUp, found);
  if (!isNode(value)) return found;
  const ref = value.$ref;
  if (typeof ref === "string" && ref.startsWith("#/") && !found.has(ref)) {
    found.add(ref);
    closure(lookUp(ref), lookUp, found);
  }
  for (const item of Object.values(value)) closure(item, lookUp, found);
  return found;
}

function openApi(full: Node): Node {
  // The links of the answers name operations that the description does not have.
  const dropped = ["summary", "title", "example", "examples", "externalDocs", "tags", "links"];
  const isKept = (path: string) => PATHS.test(path) && !LEFT_OUT.test(path);
  const entries = Object.entries(full.paths as Node).filter(([path]) => isKept(path));
  const paths = Object.fromEntries(entries.map(([path, item]) => [path, strip(item, dropped)]));
  const components = strip(full.components, dropped) as Record<string, Node>;
  const part = (ref: string) => ref.split("/").slice(2) as [string, string];
  const refs = closure(paths, (ref) => components[part(ref)[0]]?.[part(ref)[1]]);
  const kept: Record<string, Node> = { securitySchemes: components.securitySchemes ?? {} };
  for (const [kind, name] of [...refs].map(part).sort()) {
    kept[kind] = { ...kept[kind], [name]: components[kind]?.[name] };
  }
  const { title, version } = full.info as Node;
  return {
    openapi: full.openapi,
    info: { title, version },
    security: full.security,
    paths,
    components: kept,
  };
}

function pulumiSchema(full: Node, members: readonly string[]): Node {
  const dropped = ["stateInputs", "language", "aliases", "default", "defaultInfo", "isComponent"];
  const chosen = (kind: string) =>
    Object.fromEntries(
      Object.entries(full[kind] as Node)
        .filter(([token]) => members.includes(token.split(":").at(-1) ?? ""))
        .map(([token, item]) => [token, strip(item, dropped)]),
    );
  const [resources, functions] = [chosen("resources"), chosen("functions")];
  const found = Object.keys({ ...resources, ...functions }).map((token) => token.split(":").at(-1));
  const absent = members.filter((name) => !found.includes(name));
  if (absent.length > 0) throw new Error(`the schema has no ${absent.join(", ")}`);
  const types = strip(full.types ?? {}, dropped, true) as Node;
  const name = (ref: string) => decodeURIComponent(ref.replace("#/types/", ""));
  const refs = [...closure({ resources, functions }, (ref) => types[name(ref)])].map(name).sort();
  return {
    name: full.name,
    resources,
    functions,
    types: Object.fromEntries(refs.map((ref) => [ref, types[ref]])),
  };
}

/** One line for each operation, component, resource or type: a reviewer sees what a new version changes. */
function lines(value: unknown, depth: number): string {
  if (depth === 0 || !isNode(value)) return JSON.stringify(value);
  const entries = Object.entries(value).map(
    ([key, item]) => `${JSON.stringify(key)}:${lines(item, depth - 1)}`,
  );
  return `{\n${entries.join(",\n")}\n}`;
}

function main([name = "", source = ""]: readonly string[]): void {
  const members = MEMBERS[name];
  if ((members === undefined && name !== "digitalocean-openapi") || source === "") {
    throw new Error(
      `expected one of digitalocean-openapi, ${Object.keys(MEMBERS).join(", ")}, and a JSON file`,
    );
  }
  const full = JSON.parse(readFileSync(source, "utf8")) as Node;
  const text = members ? lines(pulumiSchema(full, members), 2) : lines(openApi(full), 3);
  writeFileSync(join(__dirname, `${name}.json`), `${text}\n`);
}

main(process.argv.slice(2));
