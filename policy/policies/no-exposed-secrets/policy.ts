/** Secrets are readable only for those who need them. */

import type { FileMode, HostContent } from "../../evidence/content";
import { dropletType, isEvidenceComponent, readEvidence } from "../../evidence/host";
import { parseUserData } from "../../evidence/user-data";
import type { JudgmentContext, PolicyDefinition } from "../../frame/definition";
import { alwaysMandatory } from "../../frame/enforcement";
import { shownPath } from "../../frame/message";
import type { JudgedResource } from "../../frame/resource";
import { autoscaleType } from "../../frame/templates";
import { asText, type Tree } from "../../frame/value";
import { containsKey, findSecret } from "../../parsers/secrets";
import { findToken } from "../../parsers/token-forms";
import { appType, everyType } from "../../resources/types";
import { holdsNamedSecret, isPlainRandomSecret } from "./inputs";

const whyState =
  "a value that is not a Pulumi secret is in plain text in the state and in the log of every preview";
const whyFile =
  "every program on the host can read the file, so a vulnerability in any of them exposes the secret";
const whyPublic =
  "DigitalOcean shows names, tags and descriptions to everyone in the account, in its console, its API and its bills";

export const noExposedSecrets: PolicyDefinition = {
  name: "no-exposed-secrets",
  displayName: "No exposed secrets",
  category: "data",
  description:
    "No secret is in a name, a tag, a description or a plain input, and files in the user data that contain a secret are readable only by their owner.",
  severity: "critical",
  enforcement: alwaysMandatory,
  tags: ["secrets"],
  types: [everyType],
  remediationSteps:
    "Wrap user data and other inputs that contain secrets in pulumi.secret, set permissions of 0600 or 0640 on write_files with secrets, and keep secrets out of names, tags and descriptions.",
  judgeResource(resource, context) {
    if (isEvidenceComponent(resource)) judgeEvidence(resource, context);
    if (isPlainRandomSecret(resource)) {
      context.report(resource, {
        problem: "its name says that it is a secret, and its value is in plain text in the state",
        why: whyState,
        fix: "use RandomPassword or RandomBytes, whose values are secrets, or the resource option additionalSecretOutputs",
      });
    }
    if (!checkedProviders.test(resource.type)) return;
    if (resource.type === dropletType) judgeUserData(resource, context);
    for (const input of resource.inputs.keys()) {
      if (resource.type === dropletType && input === "userData") continue;
      // The policy sees a pool's template as a droplet too.
      if (resource.type === autoscaleType && input === "dropletTemplate") continue;
      judgeInput(resource, input, context);
    }
  },
};

/** Providers whose inputs are checked. Others, and components, mark their own secrets. */
const checkedProviders = /^(?:digitalocean|datadog|random|command|cloudflare|docker|mysql|postgresql):/;

function judgeEvidence(component: JudgedResource, context: JudgmentContext): void {
  for (const { dropletName, content, source } of readEvidence(component).entries) {
    for (const [path, text] of content.files) {
      const kind = findSecret(text);
      if (kind === undefined) continue;
      context.report(component, {
        at: `host "${dropletName}", ${shownPath(path)}`,
        problem: `the ${source === "release" ? "release" : "evidence"} contains ${kind} in clear`,
        why: whyState,
        fix:
          source === "release"
            ? "seal files with secrets for the host (sealed), instead of listing them in files"
            : "remove files with secrets from the evidence",
      });
    }
  }
}

function judgeUserData(droplet: JudgedResource, context: JudgmentContext): void {
  const userData = droplet.inputs.text("userData");
  if (userData.state !== "known") return;
  const parsed = parseUserData(userData.value);
  const content = parsed.kind === "unreadable" ? undefined : parsed.content;
  const files = content === undefined ? [] : filesWithSecrets(content);
  const texts = [userData.value, ...(content?.scripts ?? [])];
  const kind = files[0]?.kind ?? texts.map(findSecret).find((found) => found !== undefined);
  if (kind !== undefined && droplet.isSecret("userData") === false) {
    context.report(droplet, {
      at: "userData",
      problem: `it contains ${kind} and is not a Pulumi secret`,
      why: whyState,
      fix: "wrap the text in pulumi.secret, or build it from outputs that are secrets",
    });
  }
  for (const file of files) {
    if (isPrivate(content?.modes.get(file.path))) continue;
    context.report(droplet, {
      at: `userData, ${shownPath(file.path)}`,
      problem: `the file contains ${file.kind}, and users other than its owner and group can read it`,
      why: whyFile,
      fix: 'set permissions: "0600" (or "0640" with the group of the service)',
    });
  }
  for (const where of content?.passwords ?? []) {
    context.report(droplet, {
      at: "userData",
      problem: `it sets a user's password in plain text (${where})`,
      why: "the metadata service shows it to every program on the host, and the password opens SSH if passwords are allowed",
      fix: "use SSH keys (sshKeys of the Droplet), and remove passwords from the user data",
    });
  }
}

const secretsOfContent = new WeakMap<HostContent, readonly { path: string; kind: string }[]>();

function filesWithSecrets(content: HostContent): readonly { path: string; kind: string }[] {
  const known = secretsOfContent.get(content);
  if (known !== undefined) return known;
  const found = [...content.files].flatMap(([path, text]) => {
    const kind = findSecret(text);
    return kind === undefined ? [] : [{ path, kind }];
  });
  secretsOfContent.set(content, found);
  return found;
}

/** True if only owner and group may read a file; cloud-init's default is 0644. */
function isPrivate(mode: FileMode | undefined): boolean {
  return /^(0o?)?[0-7]{0,3}[0-7]{2}0$/.test(mode?.permissions ?? "0644");
}

/** Inputs that DigitalOcean shows to everyone in the account. */
const publicInputs = new Set(["name", "tags", "tag", "description", "purpose", "dropletTag"]);

function judgeInput(resource: JudgedResource, input: string, context: JudgmentContext): void {
  const tree = resource.inputs.raw(input) ?? null;
  if (publicInputs.has(input) && resource.type.startsWith("digitalocean:")) {
    const kind = findInTree(
      tree,
      (text) => findToken(text) ?? (containsKey(text) ? "text that looks like a key" : undefined),
    );
    if (kind === undefined) return;
    context.report(resource, {
      at: input,
      problem: `it contains ${kind}`,
      why: whyPublic,
      fix: "choose a descriptive name, and keep the secret in the stack's configuration (pulumi config set --secret)",
    });
    return;
  }
  if (resource.type === appType) {
    for (const name of plainVariables(tree)) {
      context.report(resource, {
        at: input,
        problem: `${name} contains a secret, and its type is not SECRET`,
        why: "App Platform shows a variable that is not of type SECRET to everyone in the account, and in the app's specification",
        fix: 'set the variable\'s type to "SECRET"',
      });
    }
  }
  if (resource.isSecret(input) !== false) return;
  const kind =
    findInTree(tree, findToken) ??
    // An app's variables are checked above, with their types.
    (resource.type !== appType && holdsNamedSecret(input, tree) ? "a password, key or token" : undefined);
  if (kind === undefined) return;
  context.report(resource, {
    at: input,
    problem: `it contains ${kind} and is not a Pulumi secret`,
    why: whyState,
    fix: "wrap the value in pulumi.secret, or read it with config.requireSecret",
  });
}

function findInTree(tree: Tree, find: (text: string) => string | undefined): string | undefined {
  const text = asText(tree);
  if (text.state === "known") return find(text.value);
  if (typeof tree !== "object" || tree === null) return undefined;
  for (const item of Object.values(tree)) {
    const found = findInTree(item as Tree, find);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The variables of an app that contain secrets in plain text, described so that they can be printed. */
function plainVariables(tree: Tree): readonly string[] {
  if (typeof tree !== "object" || tree === null) return [];
  if (Array.isArray(tree)) return (tree as readonly Tree[]).flatMap(plainVariables);
  const node = tree as Readonly<Record<string, Tree>>;
  const key = asText(node.key);
  const value = asText(node.value);
  const type = asText(node.type);
  const isPlain = key.state === "known" && value.state === "known";
  if (isPlain && !(type.state === "known" && type.value.toUpperCase() === "SECRET")) {
    const shown = /^[A-Z][A-Z0-9_]{0,40}$/.test(key.value) ? `the variable ${key.value}` : "a variable";
    const isSecret = findSecret(value.value) ?? findSecret(`${key.value}=${value.value}`);
    return isSecret === undefined ? [] : [shown];
  }
  return Object.values(node).flatMap(plainVariables);
}
