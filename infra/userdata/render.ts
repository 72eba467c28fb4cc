/** A host's user data: a cloud-config with its first release, which has all of its files. Pure. */
import { cloudConfig } from "./cloudConfig";
import { firstRelease } from "./firstRelease";
import { hostFiles } from "./hostFiles";
import { checkUserDataSize } from "./limits";
import type { HostContext, HostSecrets } from "./types";

/**
 * The user data of a host: the text of a cloud-config.
 *
 * The same arguments result in the same bytes, because a changed byte replaces a droplet. Throws if a secret that the
 * host's roles need is missing or malformed, or if the text is larger than DigitalOcean accepts.
 */
export function renderUserData(context: HostContext, secrets: HostSecrets): string {
  const { host } = context;
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
    firstRelease(context, hostFiles(context, secrets)),
  );
  checkUserDataSize(host.dropletName, text);
  return text;
}
