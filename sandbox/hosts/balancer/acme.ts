import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Instance, namespacePath, servicesNamespace } from "../instance";
import { DNS_ADDRESS } from "../network/addresses";
import { run } from "../run";
import type { Authority } from "./authority";
import type { Issuer } from "./certificates";
import { ensurePebble } from "./pebble";

const ISSUE = join(__dirname, "issue.ts");
const ISSUE_LIMIT_MS = 60_000;

/** The input of issue.ts: a JSON file, because every user can read a command line. */
export interface IssueOrder {
  readonly domains: readonly string[];
  readonly pebble: string;
  readonly pebbleConfig: string;
  readonly dnsServer: string;
  readonly directoryUrl: string;
  readonly rootsUrl: string;
  /** The file for TXT records of the challenge, which the sandbox's DNS server reads. */
  readonly challengesFile: string;
  readonly resultFile: string;
}

export interface IssueResult {
  readonly certificates: string;
  readonly privateKey: string;
  readonly roots: string;
}

/**
 * Issues certificates as Let's Encrypt does for DigitalOcean: through ACME, where the account's own name server
 * answers the DNS challenge. The ACME server is Let's Encrypt's test server pebble, which only runs during the
 * request, in the services' namespace. Undefined if it is not available.
 */
export async function acmeIssuer(
  instance: Instance,
  authority: Authority,
  onProgress?: (line: string) => void,
): Promise<Issuer | undefined> {
  const pebble = await ensurePebble(onProgress);
  if (!pebble) return undefined;
  return {
    name: "pebble, Let's Encrypt's test server",
    issue: (domains) => issue(instance, authority, pebble, domains),
  };
}

async function issue(
  instance: Instance,
  authority: Authority,
  pebble: string,
  domains: readonly string[],
): Promise<IssueResult> {
  await mkdir(join(instance.dir, "acme"), { recursive: true, mode: 0o700 });
  const dir = await mkdtemp(join(instance.dir, "acme", "order-"));
  try {
    const file = (name: string) => join(dir, name);
    const own = await authority.issue([DNS_ADDRESS]);
    await writeFile(file("server.pem"), own.certificates);
    await writeFile(file("server.key"), own.privateKey, { mode: 0o600 });
    const settings = {
      listenAddress: `${DNS_ADDRESS}:14000`,
      managementListenAddress: `${DNS_ADDRESS}:15000`,
      certificate: file("server.pem"),
      privateKey: file("server.key"),
      httpPort: 80,
      tlsPort: 443,
      ocspResponderURL: "",
      externalAccountBindingRequired: false,
    };
    await writeFile(file("pebble.json"), JSON.stringify({ pebble: settings }));
    const order: IssueOrder = {
      domains,
      pebble,
      pebbleConfig: file("pebble.json"),
      dnsServer: `${DNS_ADDRESS}:53`,
      directoryUrl: `https://${DNS_ADDRESS}:14000/dir`,
      rootsUrl: `https://${DNS_ADDRESS}:15000/roots/0`,
      challengesFile: join(instance.dir, "services", "challenges.json"),
      resultFile: file("result.json"),
    };
    await writeFile(file("order.json"), JSON.stringify(order));
    const node = [process.execPath, "--import", require.resolve("tsx"), ISSUE, file("order.json")];
    const into = [`--net=${namespacePath(servicesNamespace(instance))}`];
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: authority.certificateFile };
    await run("nsenter", [...into, "setpriv", "--pdeathsig", "KILL", ...node], {
      env,
      timeoutMs: ISSUE_LIMIT_MS,
    });
    return JSON.parse(await readFile(order.resultFile, "utf8")) as IssueResult;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
