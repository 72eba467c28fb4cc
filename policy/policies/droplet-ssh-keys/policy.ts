/** Administrators log in to droplets with SSH keys, not with a password that DigitalOcean sends by email. */

import { parseYaml } from "../../evidence/cloud-config";
import type { HostContent } from "../../evidence/content";
import { contentOf, describeState, dropletType, knowHost } from "../../evidence/host";
import type { JudgmentContext, PolicyDefinition } from "../../frame/definition";
import { mandatoryInProduction } from "../../frame/enforcement";
import type { JudgedResource } from "../../frame/resource";
import { valueOr } from "../../frame/value";
import { ofType, sshKeyType } from "../../resources/types";

const why =
  "DigitalOcean then sends the password of root by email, and SSH accepts passwords, which strangers try all the time";
const fix =
  "set sshKeys to the keys of the administrators, or set ssh_pwauth to false in the cloud-config of the user data";

export const dropletSshKeys: PolicyDefinition = {
  name: "droplet-ssh-keys",
  displayName: "Droplet SSH keys",
  category: "network",
  description:
    "Every droplet is created with SSH keys, or its configuration refuses passwords. No SSH key is of the type DSA.",
  severity: "high",
  enforcement: mandatoryInProduction,
  tags: [],
  types: [dropletType, sshKeyType],
  remediationSteps: "Set sshKeys on every Droplet, or ssh_pwauth to false in its cloud-config.",
  judgeResource(resource, context) {
    if (resource.type === sshKeyType) judgeKey(resource, context);
    if (resource.type !== dropletType || resource.inputs.text("userData").state === "unknown") return;
    judgeDroplet(resource, context);
  },
  judgeStack(resources, context) {
    // The evidence for unknown user data is known now.
    for (const droplet of ofType(resources, dropletType)) judgeDroplet(droplet, context);
  },
};

/** A key of the stack is unknown in a first preview, and so is its type. */
function judgeKey(key: JudgedResource, context: JudgmentContext): void {
  if (!/^\s*ssh-dss\b/.test(valueOr(key.inputs.text("publicKey"), ""))) return;
  context.report(key, {
    at: "publicKey",
    problem: "the key is of the type DSA",
    why: "DSA keys have 1024 bits, which is too short, and OpenSSH has removed them",
    fix: "create a key with ssh-keygen -t ed25519, and set publicKey to it",
  });
}

function judgeDroplet(droplet: JudgedResource, context: JudgmentContext): void {
  const keys = droplet.inputs.texts("sshKeys");
  // Keys that the stack or a lookup gives are unknown in a first preview.
  if (keys.state === "unknown") return;
  if (keys.state === "known" && keys.value.some(isKey)) return;
  if (refusesPasswords(droplet, context)) return;
  const problem =
    keys.state === "mistyped" || (keys.state === "known" && keys.value.length > 0)
      ? `the value ${describeState(keys)}`
      : "it has no SSH keys, and no known configuration refuses passwords";
  context.report(droplet, { at: "sshKeys", problem, why, fix });
}

const isKey = (key: { readonly state: string; readonly value?: string }) =>
  key.state === "unknown" || (key.state === "known" && key.value?.trim() !== "");

function refusesPasswords(droplet: JudgedResource, { evidence }: JudgmentContext): boolean {
  const host = knowHost(droplet, evidence);
  const content = contentOf(host);
  if (content !== undefined && hasKeysOnly(content)) return true;
  const userData = valueOr(droplet.inputs.text("userData"), "");
  if (!userData.startsWith("#cloud-config")) return false;
  const parsed = parseYaml(userData);
  if (!parsed.ok || typeof parsed.value !== "object" || parsed.value === null) return false;
  const { ssh_pwauth: allowed } = parsed.value as { readonly ssh_pwauth?: unknown };
  return allowed === false || /^(false|no|off|0)$/i.test(String(allowed));
}

/** True if a file of the SSH server refuses passwords. The first setting that sshd reads counts. */
function hasKeysOnly({ files }: HostContent): boolean {
  return [...files].some(
    ([path, text]) =>
      /^\/etc\/ssh\/sshd_config(\.d\/[^/]+\.conf)?$/.test(path) &&
      /^\s*PasswordAuthentication\s+(\w+)/im.exec(text)?.[1]?.toLowerCase() === "no",
  );
}
