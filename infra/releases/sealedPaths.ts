import { secretMode } from "../userdata/secretFiles";
import type { HostFile } from "../userdata/types";
import { ReleaseError } from "./releaseError";

/**
 * Paths of files that a release seals: keys and passwords. The policies do not see sealed files, so no other file may
 * be one. A host enforces the same (SEALED in release/envelope.py).
 */
const sealedPaths =
  /^(\/etc\/secured-web\/secrets\/[^/]+|\/etc\/(nginx|mysql)\/tls\/[^/]+\.key|\/etc\/ssh\/secured-web-host\.key)$/;

/**
 * The files of a host, separated into those without secrets and those with the mode of secrets.
 *
 * @throws ReleaseError if a path occurs twice, or a file with the mode of secrets is not a key or a password
 */
export function partedFiles(
  hostName: string,
  files: readonly HostFile[],
): { readonly open: readonly HostFile[]; readonly secret: readonly HostFile[] } {
  const paths = files.map(({ path }) => path);
  const twice = paths.find((path, i) => paths.indexOf(path) !== i);
  if (twice !== undefined) throw new ReleaseError(`the release of ${hostName} contains ${twice} twice`);
  const secret = files.filter(({ permissions }) => permissions === secretMode);
  const misplaced = secret.find(({ path }) => !sealedPaths.test(path));
  if (misplaced !== undefined) {
    throw new ReleaseError(
      `the release of ${hostName} would seal ${misplaced.path}, and no policy would see it. Expected a file of mode ${secretMode} to be in /etc/secured-web/secrets, or a key in /etc/nginx/tls or /etc/mysql/tls, or /etc/ssh/secured-web-host.key`,
    );
  }
  return { open: files.filter((file) => !secret.includes(file)), secret };
}
