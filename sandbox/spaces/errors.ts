/** Errors in S3's form: XML with a code that clients act on. */

export interface S3Error {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

export const accessDenied: S3Error = {
  status: 403,
  code: "AccessDenied",
  message: "The key has no grant for this request.",
};

export const unknownKey: S3Error = {
  status: 403,
  code: "InvalidAccessKeyId",
  message: "The account has no key of this name.",
};

export const noLifecycle: S3Error = {
  status: 404,
  code: "NoSuchLifecycleConfiguration",
  message: "The bucket has no lifecycle configuration.",
};

export const bucketTaken: S3Error = {
  status: 409,
  code: "BucketAlreadyExists",
  message: "A bucket of this name exists in another region.",
};

export const badRequest = (message: string): S3Error => ({ status: 400, code: "InvalidRequest", message });

export const unavailable = (message: string): S3Error => ({
  status: 503,
  code: "ServiceUnavailable",
  message,
});

const ESCAPES: Readonly<Record<string, string>> = { "<": "&lt;", ">": "&gt;", "&": "&amp;" };

export function errorXml({ code, message }: S3Error): string {
  const escaped = message.replace(/[<>&]/g, (character) => ESCAPES[character] ?? character);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${escaped}</Message></Error>`;
}
