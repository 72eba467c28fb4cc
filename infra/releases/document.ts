/** A host's release: the same files as in its user data, those for root only sealed for this host. Pure. */
import { createHash } from "node:crypto";
import { payloadVersion } from "../userdata/files";
import { hostFiles } from "../userdata/hostFiles";
import { type ReleaseFile, releaseFiles } from "../userdata/releaseForm";
import type { HostContext, HostSecrets } from "../userdata/types";
import { ReleaseError } from "./releaseError";
import { seal } from "./seal";
import { partedFiles } from "./sealedPaths";

/** A release without its number. It contains no secret in clear. */
export interface ReleaseDocument {
  /** The site's label. */
  readonly stack: string;
  /** The host's name in the topology ("web-1"). */
  readonly host: string;
  /** Hash of what the host runs of the payload and the application: the tag `version` of metrics. */
  readonly version: string;
  /** The files without secrets, sorted by path. The policies check them. */
  readonly files: readonly ReleaseFile[];
  /** The other files: base64 of a sealed JSON array of the same form. */
  readonly sealed: string;
}

/**
 * The release of a host. The same arguments result in the same document.
 *
 * @throws UserDataError if a secret that the host's roles need is missing or malformed
 * @throws ReleaseError if the secrets have no sealing key, or a malformed one, or a file would be sealed that is not a
 * key or a password
 */
export function releaseDocument(context: HostContext, secrets: HostSecrets): ReleaseDocument {
  const { host, settings } = context;
  if (secrets.release === undefined)
    throw new ReleaseError(`${host.name}: a release requires the secret release, but it is missing`);
  const { stack } = settings;
  const { open, secret } = partedFiles(host.name, hostFiles(context, secrets));
  const secretText = JSON.stringify(releaseFiles(secret));
  return {
    stack,
    host: host.name,
    version: payloadVersion(context),
    files: releaseFiles(open),
    sealed: seal(secretText, secrets.release.sealingKey, { stack, host: host.name, use: "release" }),
  };
}

/**
 * SHA-256 (hex) of a release without its number: a new hash asks for a new number. It is no secret, because the
 * document contains none.
 */
export function contentHash(document: ReleaseDocument): string {
  return createHash("sha256").update(documentText(document)).digest("hex");
}

/** The JSON text of a release, always with the same order of names. */
export function documentText(document: ReleaseDocument, number?: number): string {
  const { stack, host, version, files, sealed } = document;
  const ordered = files.map(({ path, mode, content }) => ({ path, mode, content }));
  return JSON.stringify({
    ...(number === undefined ? {} : { number }),
    stack,
    host,
    version,
    files: ordered,
    sealed,
  });
}
