/** Reads one object from Spaces, with the address and the proxy that the provider's plugin uses. */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { AwsV4Signer } from "aws4fetch";
import { engineEnvironment, requestSignal } from "./observer";

/** A Spaces key. */
export interface SpacesKeyPair {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface SpacesObject {
  readonly text: string;
  /** When the object was written, by the server's clock. */
  readonly written: Date;
}

export interface SpacesAnswer {
  /** Undefined if there is no such object. */
  readonly object?: SpacesObject;
  /** The server's clock. */
  readonly now: Date;
}

const TIMEOUT_MS = 10_000;

/**
 * Gets an object.
 *
 * The address is https://BUCKET.REGION.digitaloceanspaces.com/KEY. SPACES_ENDPOINT_URL names another endpoint in the
 * form of the provider's `spacesEndpoint` ("https://{{.Region}}.digitaloceanspaces.com"), and HTTP_PROXY a proxy for
 * an http endpoint; both are what DigitalOcean's plugin reads.
 *
 * @throws Error if Spaces cannot be reached within 10 s or its answer is neither the object nor 404
 */
export async function getObject(
  place: { bucket: string; region: string; key: string },
  credentials: SpacesKeyPair,
): Promise<SpacesAnswer> {
  const url = objectUrl(place);
  const { headers } = await new AwsV4Signer({
    url: url.href,
    method: "GET",
    ...credentials,
    service: "s3",
    region: "us-east-1",
  }).sign();
  const { status, date, written, text } = await send(url, Object.fromEntries(headers));
  const now = new Date(date ?? Date.now());
  if (status === 404) return { now };
  if (status !== 200) {
    const code = /<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? "no code";
    throw new Error(`Spaces answered ${status} (${code}) for ${place.key} in ${place.bucket}`);
  }
  return { now, object: { text, written: new Date(written ?? now) } };
}

function objectUrl({ bucket, region, key }: { bucket: string; region: string; key: string }): URL {
  const template = engineEnvironment().SPACES_ENDPOINT_URL ?? "https://{{.Region}}.digitaloceanspaces.com";
  const endpoint = new URL(template.replace(/\{\{\s*\.Region\s*\}\}/, region));
  const url = new URL(`/${key.split("/").map(encodeURIComponent).join("/")}`, endpoint);
  url.hostname = `${bucket}.${endpoint.hostname}`;
  return url;
}

interface Answer {
  readonly status: number;
  readonly date: string | undefined;
  readonly written: string | undefined;
  readonly text: string;
}

function send(url: URL, headers: Record<string, string>): Promise<Answer> {
  const { HTTP_PROXY, http_proxy } = engineEnvironment();
  const proxy = url.protocol === "http:" ? (HTTP_PROXY ?? http_proxy) : undefined;
  const options = {
    headers: { ...headers, host: url.host },
    signal: requestSignal(TIMEOUT_MS),
    agent: false as const,
  };
  return new Promise((resolve, reject) => {
    const request = proxy
      ? httpRequest(new URL(proxy), { ...options, path: url.href })
      : (url.protocol === "http:" ? httpRequest : httpsRequest)(url, options);
    request.once("error", reject);
    request.once("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          date: response.headers.date,
          written: response.headers["last-modified"],
          text: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    request.end();
  });
}
