/** The files of a host by which its operators log in. Pure. */
import type { HostContext, HostFile } from "./types";

/** Group of the operators' accounts (setup.d/20-operators). sshd accepts its members only, and sudo knows them by it. */
export const operatorsGroup = "secured-web-operators";
/** One file of public keys for each account. root owns them, so that no account can add a key. */
export const operatorKeyFolder = "/etc/ssh/secured-web-keys";

/** The public keys of each account. They are no secrets, and the policies see them. */
export function operatorFiles({ settings: { operatorUsers = [] } }: HostContext): readonly HostFile[] {
  return operatorUsers.map(({ name, keys }) => ({
    path: `${operatorKeyFolder}/${name}`,
    permissions: "0644",
    content: `${keys.join("\n")}\n`,
  }));
}
