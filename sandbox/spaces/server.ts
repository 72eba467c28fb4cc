import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { type AddressInfo, isIP } from "node:net";
import { join } from "node:path";
import type { Grant, SpacesAccount, SpacesBackend, SpacesBucket } from "../api/core/spaces";
import { isAllowed, readRequest, type S3Request, UnclearRequest } from "./access";
import { writeAccounts } from "./accounts";
import { credentialOf, UnclearCredential } from "./credential";
import {
  accessDenied,
  badRequest,
  bucketTaken,
  errorXml,
  noLifecycle,
  type S3Error,
  unavailable,
  unknownKey,
} from "./errors";
import { Gateways } from "./gateways";

/** Regions with Spaces (DigitalOcean's regional availability, Spaces Object Storage). */
export const SPACES_REGIONS = [
  ...["ams3", "atl1", "blr1", "fra1", "lon1", "nyc3"],
  ...["ric1", "sfo2", "sfo3", "sgp1", "syd1", "tor1"],
] as const;

const PARENT_DOMAIN = "digitaloceanspaces.com";
/** Most S3 clients sign for this region, regardless of the bucket's region. */
const COMMON_SIGNING_REGION = "us-east-1";
/** The region of a request that names none: to the loopback address, signed for `us-east-1`. */
const DEFAULT_REGION = "nyc3";

/** The name under which a region's Spaces answer. */
export const spacesDomain = (region: string): string => `${region}.${PARENT_DOMAIN}`;

export interface SpacesOptions {
  /** Holds the buckets; made with mode 0700. One server at a time. */
  readonly dir: string;
  /** Path of the program versitygw (`ensureVersitygw`), or what finds or builds it at the first request. */
  readonly program: string | (() => Promise<string>);
  /** 0 takes any free port of the loopback address. */
  readonly port: number;
}

/**
 * DigitalOcean Spaces on this machine: buckets of every region at one loopback port, told apart by the host name
 * (`REGION.digitaloceanspaces.com`, `BUCKET.REGION.digitaloceanspaces.com`; or the address itself with the bucket in
 * the path). versitygw stores objects and checks signatures; this server holds the grants of keys, which versitygw
 * does not know, and answers what it does not implement.
 */
export class Spaces implements SpacesBackend {
  /**
   * Connections are kept open: Node.js ends each upload with an empty write, which fails if the other end has already
   * answered and closed the connection.
   */
  readonly #agent = new Agent({ keepAlive: true });
  #grants: ReadonlyMap<string, readonly Grant[]> = new Map();

  private constructor(
    private readonly gateways: Gateways,
    private readonly server: Server,
  ) {}

  static async start({ dir, program, port }: SpacesOptions): Promise<Spaces> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const gateways = new Gateways(async () => (typeof program === "string" ? program : program()), dir);
    await gateways.prepare();
    const server = createServer();
    const spaces = new Spaces(gateways, server);
    spaces.setAccounts([]);
    server.on("request", (request, response) => void spaces.#answer(request, response));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(port, "127.0.0.1", () => resolve());
    });
    return spaces;
  }

  /** `http://127.0.0.1:PORT` */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The keys that open buckets from now on; a key that is no longer among them is refused at once. */
  setAccounts(accounts: readonly SpacesAccount[]): void {
    writeAccounts(this.gateways.accountsDir, accounts);
    this.#grants = new Map(accounts.map(({ accessKey, grants }) => [accessKey, grants]));
  }

  buckets(): readonly SpacesBucket[] {
    return this.gateways.buckets();
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
    this.#agent.destroy();
    await this.gateways.stop();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const target = targetOf(request);
      const credential = credentialOf(
        request.headers.authorization,
        new URL(target, "http://x").searchParams,
      );
      const { region, domain } = regionOf(request.headers.host ?? "", credential?.signingRegion);
      const s3 = readRequest(
        request.method ?? "",
        hostName(request.headers.host ?? ""),
        target,
        request.headers["x-amz-copy-source"]?.toString(),
        domain,
      );
      const refusal = this.#refusal(request, s3, credential?.accessKey, region);
      if (refusal !== undefined) return refuse(request, response, refusal);
      const signingRegion = credential?.signingRegion === region ? region : COMMON_SIGNING_REGION;
      const socket = await this.gateways.socket(region, domain, signingRegion);
      const way = { agent: this.#agent, socket, target, hidesLifecycle: s3.query.has("lifecycle") };
      await forward(request, response, way).catch((error: unknown) => {
        this.gateways.forget(region, signingRegion);
        throw error;
      });
    } catch (error) {
      if (error instanceof UnclearRequest || error instanceof UnclearCredential)
        return refuse(request, response, badRequest(error.message));
      refuse(request, response, unavailable(error instanceof Error ? error.message : String(error)));
    }
  }

  #refusal(
    request: IncomingMessage,
    s3: S3Request,
    accessKey: string | undefined,
    region: string,
  ): S3Error | undefined {
    // The form of a browser's upload brings its credential in the body, where no grant could be held against it.
    if (request.headers["content-type"]?.startsWith("multipart/form-data"))
      return badRequest("Uploads by form are not supported here: sign the request itself.");
    const grants = accessKey === undefined ? undefined : this.#grants.get(accessKey);
    if (accessKey !== undefined && grants === undefined) return unknownKey;
    // For an anonymous request the gateway decides, by what the bucket and the object allow everybody.
    if (grants !== undefined && !isAllowed(grants, s3)) return accessDenied;
    if (request.method === "PUT" && s3.bucket !== undefined && s3.key === "" && s3.query.size === 0) {
      const { bucket } = s3;
      const others = SPACES_REGIONS.filter((other) => other !== region);
      if (others.some((other) => existsSync(join(this.gateways.bucketsDir(other), bucket))))
        return bucketTaken;
    }
    return undefined;
  }
}

/** Path and query as the client signed them; a client that goes through a proxy sends the whole address. */
function targetOf({ url = "/" }: IncomingMessage): string {
  return /^https?:\/\/[^/]+(\/.*)?$/.exec(url)?.[1] ?? (url.startsWith("http") ? "/" : url);
}

const hostName = (host: string): string => host.replace(/:\d+$/, "").toLowerCase();

/** @throws UnclearRequest for another site's name, which comes from a client that uses this server as its proxy */
function regionOf(host: string, signingRegion: string | undefined): { region: string; domain: string } {
  const name = hostName(host);
  const known: readonly string[] = SPACES_REGIONS;
  const named = known.find(
    (region) => name === spacesDomain(region) || name.endsWith(`.${spacesDomain(region)}`),
  );
  if (named === undefined && name !== "localhost" && isIP(name.replace(/^\[|\]$/g, "")) === 0) {
    throw new UnclearRequest(
      `${name} is not a name of Spaces: as an HTTP proxy this server only serves *.REGION.${PARENT_DOMAIN}`,
    );
  }
  const region = named ?? known.find((one) => one === signingRegion) ?? DEFAULT_REGION;
  return { region, domain: spacesDomain(region) };
}

const HOP_BY_HOP = ["connection", "proxy-connection", "keep-alive", "expect", "upgrade"];

interface Way {
  readonly agent: Agent;
  readonly socket: string;
  readonly target: string;
  /** The gateway answers 501 to the question for a bucket's lifecycle; Spaces answers that it has none. */
  readonly hidesLifecycle: boolean;
}

function forward(request: IncomingMessage, response: ServerResponse, way: Way): Promise<void> {
  const headers = Object.entries(request.headers).filter(([name]) => !HOP_BY_HOP.includes(name));
  return new Promise((resolve, reject) => {
    const onward = httpRequest({
      socketPath: way.socket,
      method: request.method,
      path: way.target,
      headers: Object.fromEntries(headers),
      setHost: false,
      agent: way.agent,
    });
    onward.once("error", reject);
    onward.once("response", (answer) => {
      if (answer.statusCode === 501 && way.hidesLifecycle && request.method === "GET") {
        answer.resume();
        refuse(request, response, noLifecycle);
        return resolve();
      }
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(response);
      answer.once("error", () => response.destroy());
      response.once("close", () => {
        answer.destroy();
        resolve();
      });
    });
    request.pipe(onward);
    request.once("aborted", () => onward.destroy());
  });
}

function refuse(request: IncomingMessage, response: ServerResponse, error: S3Error): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // A client that is still sending reads the answer only afterwards.
  request.resume();
  const body = request.method === "HEAD" ? "" : errorXml(error);
  response.writeHead(error.status, { "content-type": "application/xml" }).end(body);
}
