import { request as httpRequest, type OutgoingHttpHeaders } from "node:http";
import { AwsV4Signer } from "aws4fetch";
import { spacesDomain } from "./server";

export interface SpacesCredentials {
  readonly accessKey: string;
  readonly secretKey: string;
}

export interface S3Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface S3Call {
  readonly method: string;
  /** Without one the request is about all buckets. */
  readonly bucket?: string;
  /** Key of an object, not encoded. */
  readonly key?: string;
  /** Query without the question mark, such as `versioning`. */
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  /** The region to sign for; most clients sign for `us-east-1`, the default. */
  readonly signingRegion?: string;
}

/**
 * Makes one signed S3 request to a region's Spaces as they are served on this machine: it connects to the loopback
 * address and names the host that DigitalOcean serves (`BUCKET.REGION.digitaloceanspaces.com`).
 */
export async function callSpaces(
  url: string,
  region: string,
  credentials: SpacesCredentials | undefined,
  call: S3Call,
): Promise<S3Answer> {
  const host = [call.bucket, spacesDomain(region)].filter((part) => part !== undefined).join(".");
  const path = `/${(call.key ?? "").split("/").map(encodeURIComponent).join("/")}`;
  const target = call.query === undefined ? path : `${path}?${call.query}`;
  const headers = { ...call.headers };
  if (credentials !== undefined) {
    const signed = await new AwsV4Signer({
      url: `http://${host}${target}`,
      method: call.method,
      headers,
      ...(call.body === undefined ? {} : { body: new Uint8Array(Buffer.from(call.body)) }),
      accessKeyId: credentials.accessKey,
      secretAccessKey: credentials.secretKey,
      service: "s3",
      region: call.signingRegion ?? "us-east-1",
    }).sign();
    signed.headers.forEach((value, name) => {
      headers[name] = value;
    });
  }
  return send(url, call.method, target, { ...headers, host }, call.body);
}

function send(
  url: string,
  method: string,
  target: string,
  headers: OutgoingHttpHeaders,
  body: Buffer | string | undefined,
): Promise<S3Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { hostname, port, method, path: target, headers, setHost: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("error", reject);
        response.once("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    request.once("error", reject);
    request.end(body);
  });
}
