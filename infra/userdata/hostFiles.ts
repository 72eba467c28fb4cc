/** All files of a host, with and without secrets. Pure. */
import { configurationFiles, orderedByPath } from "./files";
import { secretFiles } from "./secretFiles";
import type { HostContext, HostFile, HostSecrets } from "./types";

/**
 * The files of a host, sorted by path. Those that contain a secret have the mode "0600".
 *
 * @throws UserDataError if a secret that the host's roles need is missing or malformed
 */
export function hostFiles(context: HostContext, secrets: HostSecrets): readonly HostFile[] {
  return orderedByPath([...configurationFiles(context), ...secretFiles(context, secrets)]);
}
