/** A host's user data: a cloud-config with all of its files, including those with secrets. Pure. */
import { cloudConfig } from "./cloudConfig";
import { configurationFiles, orderedByPath } from "./files";
import { checkUserDataSize } from "./limits";
import { secretFiles } from "./secretFiles";
import type { HostContext, HostSecrets } from "./types";

/**
 * The user data of a host: the text of a cloud-config.
 *
 * The same arguments result in the same bytes, because a changed byte replaces a droplet. Throws if a secret that the
 * host's roles need is missing or malformed, or if the text is larger than DigitalOcean accepts.
 */
export function renderUserData(context: HostContext, secrets: HostSecrets): string {
  const { host } = context;
  const files = orderedByPath([...configurationFiles(context), ...secretFiles(context, secrets)]);
  const text = cloudConfig(
    {
      hostname: host.dropletName,
      fqdn: host.fqdn,
      // DigitalOcean's vendor data would rewrite /etc/hosts at each boot; secured-web-peers maintains it here.
      manage_etc_hosts: false,
      ssh_pwauth: false,
      disable_root: false,
      // root is the only user; it has the operators' SSH keys.
      users: [],
    },
    files,
  );
  checkUserDataSize(host.dropletName, text);
  return text;
}
