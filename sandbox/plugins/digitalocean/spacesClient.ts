/**
 * A client of the S3 API of Spaces that makes the official provider's requests: it signs for `us-east-1`, names the
 * bucket in the host name, and follows HTTP_PROXY and NO_PROXY.
 */
import { createHash } from "node:crypto";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import { AwsV4Signer } from "aws4fetch";
import { getProxyForUrl } from "proxy-from-env";

export interface SpacesOptions {
  /** A URL; `{{.Region}}` in it is replaced by the region. */
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly retries: number;
  readonly retryWaitMs: number;
  /** When aborted, ends the waits between retries. */
  readonly signal: AbortSignal;
}

export interface SpacesCall {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  readonly bucket: string;
  /** The key of an object, not encoded. Without it, the request is about the bucket. */
  readonly key?: string;
  /** A subresource with its parameters, such as `versioning`. */
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** Names the bucket in the path, as the official provider does in `?location` only. */
  readonly bucketInPath?: boolean;
}

export interface SpacesAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** An answer of Spaces with an error status. */
export class SpacesError extends Error {
  constructor(
    readonly status: number,
    /** S3's code, such as `BucketNotEmpty`. The answer to a HEAD request has none. */
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

const SIGNING_REGION = "us-east-1";
const REQUEST_TIMEOUT_MS = 60_000;

export class SpacesClient {
  constructor(private readonly options: SpacesOptions) {}

  /** @throws SpacesError for an error status, Error if there is no answer or no key */
  async call(region: string, call: SpacesCall): Promise<SpacesAnswer> {
    const url = this.address(region, call);
    const headers = await this.signedHeaders(url, call);
    const what = `${call.method} ${url.href}`;
    for (let attempt = 0; ; attempt++) {
      const answer = await send(url, call, headers).catch((error: unknown) => error);
      const failed = !isAnswer(answer) || answer.status >= 500;
      if (failed && attempt < this.options.retries && (await this.pause(attempt))) continue;
      if (!isAnswer(answer)) throw unreachable(what, answer);
      if (answer.status >= 300) throw refused(what, answer);
      return answer;
    }
  }

  private async pause(attempt: number): Promise<boolean> {
    const { retryWaitMs, signal } = this.options;
    return delay(retryWaitMs * 2 ** attempt, true, { signal }).catch(() => false);
  }

  private address(region: string, { bucket, key, query, bucketInPath }: SpacesCall): URL {
    const url = new URL(this.options.endpoint.replace(/\{\{\s*\.Region\s*\}\}/g, region.toLowerCase()));
    if (!bucketInPath) url.hostname = `${bucket}.${url.hostname}`;
    // Like the official provider's client: no slash at the beginning of a key, and no two in a row.
    const parts = `${bucketInPath ? `${bucket}/` : ""}${key ?? ""}`.split("/").filter((part) => part !== "");
    url.pathname = `/${parts.map(encodeURIComponent).join("/")}`;
    url.search = query ?? "";
    return url;
  }

  private async signedHeaders(url: URL, { method, headers = {}, body }: SpacesCall) {
    const { accessKey, secretKey } = this.options;
    if (accessKey === "" || secretKey === "") {
      throw new Error(
        "Spaces credentials not configured: set spacesAccessId and spacesSecretKey of the provider (a SpacesKey has " +
          "both), or SPACES_ACCESS_KEY_ID and SPACES_SECRET_ACCESS_KEY",
      );
    }
    const md5 = body && { "content-md5": createHash("md5").update(body).digest("base64") };
    const signed = await new AwsV4Signer({
      url: url.href,
      method,
      headers: {
        ...headers,
        ...md5,
        "x-amz-content-sha256": createHash("sha256")
          .update(body ?? "")
          .digest("hex"),
      },
      accessKeyId: accessKey,
      secretAccessKey: secretKey,
      service: "s3",
      region: SIGNING_REGION,
    }).sign();
    return { ...Object.fromEntries(signed.headers), host: url.host };
  }
}

function isAnswer(value: unknown): value is SpacesAnswer {
  return typeof value === "object" && value !== null && "status" in value && "body" in value;
}

function send(
  url: URL,
  { method, body }: SpacesCall,
  headers: Readonly<Record<string, string>>,
): Promise<SpacesAnswer> {
  // A proxy for https would need a tunnel; Spaces on this machine are served by http.
  const proxy = url.protocol === "http:" ? getProxyForUrl(url.href) : "";
  const { hostname, port } = new URL(proxy === "" ? url : proxy);
  const path = proxy === "" ? `${url.pathname}${url.search}` : url.href;
  const request = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const length = method === "PUT" || method === "POST" ? { "content-length": body?.length ?? 0 } : {};
    const outgoing = request({
      hostname,
      port,
      method,
      path,
      headers: { ...headers, ...length },
      setHost: false,
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    outgoing.once("error", reject);
    outgoing.once("response", (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.once("error", reject);
      answer.once("end", () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }),
      );
    });
    outgoing.end(body);
  });
}

function unreachable(what: string, error: unknown): Error {
  const reason =
    error instanceof Error && "code" in error ? `${String(error.code)}: ${error.message}` : String(error);
  return new Error(
    `${what}: no answer from Spaces (${reason}). Correct digitalocean:spacesEndpoint or SPACES_ENDPOINT_URL; for the ` +
      "sandbox also HTTP_PROXY, which has to be the address of its Spaces",
  );
}

function refused(what: string, { status, body }: SpacesAnswer): SpacesError {
  const text = body.toString();
  const code = elements(text, "Code")[0] ?? "";
  const message = elements(text, "Message")[0] ?? "";
  const details = [code, message].filter((part) => part !== "").join(": ");
  return new SpacesError(status, code, `${what}: ${status}${details === "" ? "" : ` ${details}`}`);
}

/** The contents of every element of this name, in the simple XML of S3's answers. */
export function elements(xml: string, name: string): string[] {
  const pattern = new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, "g");
  return [...xml.matchAll(pattern)].map(([, content = ""]) => content);
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** The text of an element without child elements. */
function textOf(content: string): string {
  return content.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    return ENTITIES[name] ?? whole;
  });
}

/** An XML document for a request. */
export function xml(root: string, content: string): Buffer {
  return Buffer.from(`<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</${root}>`);
}

/** Text for an element of an XML request. */
export function escaped(text: string): string {
  return text.replace(/[&<>"'\r\n\t]/g, (character) => `&#${character.codePointAt(0)};`);
}

export interface ObjectVersion {
  readonly key: string;
  readonly versionId: string;
}

/** The first page of a bucket's versions and delete markers. */
export async function versions(
  client: SpacesClient,
  region: string,
  bucket: string,
  prefix = "",
): Promise<ObjectVersion[]> {
  const query = `versions&prefix=${encodeURIComponent(prefix)}`;
  const { body } = await client.call(region, { method: "GET", bucket, query });
  const list = body.toString();
  return [...elements(list, "Version"), ...elements(list, "DeleteMarker")].map((one) => ({
    key: textOf(elements(one, "Key")[0] ?? ""),
    versionId: textOf(elements(one, "VersionId")[0] ?? ""),
  }));
}
