/** Reads which key a request names and for which region it is signed. The gateway checks the signature. */

export interface Credential {
  readonly accessKey: string;
  /** The region in the signature's scope. Most S3 clients write `us-east-1`, which Spaces accepts for every region. */
  readonly signingRegion: string;
}

/** A request with an ambiguous key: the gateway might verify another key than the one that this module reads. */
export class UnclearCredential extends Error {}

/**
 * The credential of an AWS version 4 signature, from the Authorization header or from the query of a presigned URL;
 * undefined for an anonymous request.
 *
 * @throws UnclearCredential for any other form of authorization, and for more than one credential
 */
export function credentialOf(
  authorization: string | undefined,
  query: URLSearchParams,
): Credential | undefined {
  const presigned = [...query].filter(([name]) => name.toLowerCase() === "x-amz-credential");
  const scopes = presigned.map(([, scope]) => scope);
  if (authorization !== undefined) {
    const given = [...authorization.matchAll(/Credential=([^,\s]*)/gi)].map(([, scope = ""]) => scope);
    if (!authorization.startsWith("AWS4-HMAC-SHA256 ") || given.length === 0)
      throw new UnclearCredential("only AWS Signature Version 4 is supported");
    scopes.push(...given);
  }
  if (scopes.length > 1) throw new UnclearCredential("the request names more than one credential");
  const [scope] = scopes;
  if (scope === undefined) return undefined;
  // KEY/20260801/us-east-1/s3/aws4_request
  const [accessKey, , signingRegion] = scope.split("/");
  if (!accessKey || !signingRegion) throw new UnclearCredential(`"${scope}" is not a credential scope`);
  return { accessKey, signingRegion };
}
