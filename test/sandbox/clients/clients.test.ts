import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Finished, runProgram } from "../../../scripts/processes";
import { type Json, TestApi, TOKEN } from "../api/testApi";
import { AcmeServer } from "./acmeServer";
import { ensurePackages, NPM_SET, pythonSet, runOrThrow } from "./packages";
import { startTlsFront } from "./tlsFront";

type Variables = Record<string, string>;

/** What a client's run gets beside the sandbox's address and token. */
interface Ground {
  readonly api: TestApi;
  /** For the client's files; removed after the test. */
  readonly folder: string;
}

interface Client {
  readonly name: string;
  /** Gets the client. Where that fails the test is skipped, with the reason. */
  install(folder: string): Promise<readonly [program: string, ...args: string[]]>;
  /** The account as the client expects it. */
  prepare?(ground: Ground): Promise<{ readonly variables?: Variables; stop?(): Promise<void> }>;
  /** What the client's run has left, beyond the account that is empty again. */
  check?(ground: Ground): Promise<void>;
  /** How the client says that the token is wrong. */
  readonly refused: RegExp;
}

const RUN_LIMIT_MS = 90_000;
const DOMAIN = "example.com";
const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICN9QkdcA4CCpMgKedaRBbhth9HsG1GHJk2+VHQIYKok x";

const python = (file: string) => async () =>
  [join(await ensurePackages(pythonSet("clients")), "bin", "python"), script("python", file)] as const;
const npm = (file: string) => async () =>
  [process.execPath, script("npm", file), await ensurePackages(NPM_SET)] as const;
const go = (name: string) => async (folder: string) => {
  const program = join(folder, name);
  await runOrThrow("go", ["build", "-C", script(name), "-o", program, "."], GO);
  return [program] as const;
};
const script = (...parts: string[]) => join(__dirname, ...parts);

/** The modules' own go.sum hold every checksum, so nobody else is asked for them. */
const GO: Variables = { CGO_ENABLED: "0", GOFLAGS: "-mod=readonly", GOWORK: "off" };

const addDomain = async ({ api }: Ground) => {
  await api.expect(201, "POST", "/v2/domains", { name: DOMAIN });
  return {};
};

/** The zone is as the API made it: the client has removed its records. */
const hasOwnRecordsAlone = async ({ api }: Ground) => {
  const { domain_records } = await api.expect(200, "GET", `/v2/domains/${DOMAIN}/records`);
  assert.deepEqual(
    domain_records.map(({ type }: Json) => type),
    ["SOA", "NS", "NS", "NS"],
  );
  await api.expect(204, "DELETE", `/v2/domains/${DOMAIN}`);
};

const addDomainAndAcmeServer = async (ground: Ground) => {
  await addDomain(ground);
  const server = await AcmeServer.start(ground.api, ground.folder);
  const variables = {
    ACME_DIRECTORY: server.directoryUrl,
    ACME_DOMAIN: DOMAIN,
    ACME_NAME_SERVER: server.nameServer,
    // What certbot's HTTP library and lego read.
    REQUESTS_CA_BUNDLE: server.caFile,
    LEGO_CA_CERTIFICATES: server.caFile,
  };
  return { variables, stop: () => server.stop() };
};

const addTlsFront = async ({ api, folder }: Ground) => {
  const front = await startTlsFront(api.url, folder);
  const variables = { DIGITALOCEAN_API_URL: front.url, REQUESTS_CA_BUNDLE: front.caFile };
  return { variables, stop: front.stop };
};

const certbotIssued = async (ground: Ground) => {
  const file = join(ground.folder, "config", "live", "site", "cert.pem");
  const { subjectAltName } = new X509Certificate(await readFile(file));
  assert.deepEqual(subjectAltName?.split(", ").sort(), [`DNS:*.${DOMAIN}`, `DNS:${DOMAIN}`]);
  await hasOwnRecordsAlone(ground);
};

const CLIENTS: readonly Client[] = [
  {
    name: "python-digitalocean",
    install: python("python_digitalocean.py"),
    refused: /Unable to authenticate you/,
  },
  {
    name: "certbot-dns-digitalocean",
    install: python("certbot_authenticator.py"),
    prepare: addDomainAndAcmeServer,
    check: certbotIssued,
    refused: /Unable to authenticate you/,
  },
  {
    name: "pydo",
    install: python("pydo_walk.py"),
    prepare: addTlsFront,
    refused: /ClientAuthenticationError.*Unable to authenticate you/,
  },
  {
    name: "octodns-digitalocean",
    install: python("octodns_sync.py"),
    check: hasOwnRecordsAlone,
    refused: /DigitalOceanClientUnauthorized/,
  },
  { name: "apache-libcloud", install: python("libcloud_walk.py"), refused: /InvalidCredsError/ },
  {
    name: "dns-lexicon",
    install: python("lexicon_records.py"),
    prepare: addDomain,
    check: hasOwnRecordsAlone,
    refused: /401 Client Error/,
  },
  { name: "do-wrapper", install: npm("do-wrapper.mjs"), refused: /401 \(Unauthorized\)/ },
  { name: "@digitalocean/dots", install: npm("dots.mjs"), refused: /responseStatusCode: 401/ },
  { name: "godo", install: go("godo"), refused: /^account: .* 401 /m },
  {
    name: "lego",
    install: go("lego"),
    prepare: addDomainAndAcmeServer,
    check: hasOwnRecordsAlone,
    refused: /digitalocean: .*Unable to authenticate you/,
  },
];

/** Each does its main job in an account of its own; the programs beside this file say what that is. */
describe("sandbox: clients of DigitalOcean's API", () => {
  let ground: Ground;
  beforeEach(async () => {
    ground = { api: await TestApi.start(), folder: await mkdtemp(join(tmpdir(), "sandbox-client-")) };
  });
  afterEach(async () => {
    await ground.api.close();
    await rm(ground.folder, { recursive: true, force: true });
  });

  for (const client of CLIENTS) {
    it(client.name, async function () {
      this.timeout(10 * 60_000);
      const command = await client.install(ground.folder).catch((error: Error) => {
        console.log(`    skipped: could not install ${client.name}: ${error.message}`);
        this.skip();
      });
      const { variables, stop } = (await client.prepare?.(ground)) ?? {};
      try {
        const done = await runClient(command, ground, { ...variables });
        assert.equal(done.exitCode, 0, `${client.name} ended with ${done.exitCode}:\n${outputOf(done)}`);
        assert.match(done.stdout, /^(done|Successfully received certificate)/m);
        // The same run ends with an error where the first answer is a refusal: it can fail.
        const other = {
          ...variables,
          DIGITALOCEAN_TOKEN: "wrong",
          CLIENT_DIR: join(ground.folder, "stranger"),
        };
        await mkdir(other.CLIENT_DIR);
        const stranger = await runClient(command, ground, other);
        assert.notEqual(stranger.exitCode, 0, "a wrong token was taken");
        assert.match(outputOf(stranger), client.refused);
      } finally {
        await stop?.();
      }
      await client.check?.(ground);
      await assertEmpty(ground.api);
    });
  }
});

const outputOf = ({ stdout, stderr }: Finished) => `${stdout}\n${stderr}`.slice(-4000);

function runClient(
  [program, ...args]: readonly [string, ...string[]],
  { api, folder }: Ground,
  variables: Variables,
): Promise<Finished> {
  const own = { DIGITALOCEAN_API_URL: api.url, DIGITALOCEAN_TOKEN: TOKEN, ...variables };
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    CLIENT_DIR: folder,
    SSH_PUBLIC_KEY: KEY,
    PYTHONDONTWRITEBYTECODE: "1",
    // What a client sends to another host than this one goes to a port that nobody listens on.
    ...{ HTTPS_PROXY: "http://127.0.0.1:9", NO_PROXY: "127.0.0.1" },
    ...own,
    // The names that python-digitalocean (and so certbot's plugin) and lego have for the same.
    DIGITALOCEAN_END_POINT: `${own.DIGITALOCEAN_API_URL}/v2/`,
    DO_API_URL: own.DIGITALOCEAN_API_URL,
    DO_AUTH_TOKEN: own.DIGITALOCEAN_TOKEN,
    DO_POLLING_INTERVAL: "1",
  };
  return runProgram(program, args, { cwd: folder, env, timeoutMs: RUN_LIMIT_MS });
}

async function assertEmpty(api: TestApi): Promise<void> {
  for (const list of ["droplets", "domains", "firewalls", "load_balancers", "volumes", "reserved_ips"]) {
    const { meta } = await api.expect(200, "GET", `/v2/${list}`);
    assert.equal(meta.total, 0, `${list} are left`);
  }
}
