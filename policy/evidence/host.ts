/**
 * The known content of each host of a stack, from its droplet's user data, from its release, and from the evidence that
 * components pass.
 *
 * If the droplet's user data is known, it decides. If it is unknown or cannot be read, the evidence for the droplet's
 * name replaces it. If there is neither, the host is uncovered, and each policy that must check it reports that.
 *
 * A droplet that ignores changes of its user data keeps the old text. If it fetches releases, its release decides; while
 * the release is unknown, the evidence of a component does.
 */
import type { JudgedResource } from "../frame/resource";
import { asObject, asText, type Field, type Inputs, knownItems } from "../frame/value";
import { emptyContent, type HostContent } from "./content";
import type { Evidence, EvidenceEntry, EvidenceFault } from "./entry";
import { evidenceInput } from "./form";
import { isRelease, readRelease } from "./release";
import { releaseAddress } from "./release-form";
import { parseUserData, type UserData } from "./user-data";

export const dropletType = "digitalocean:index/droplet:Droplet";

export const isEvidenceComponent = (resource: JudgedResource): boolean =>
  (resource.inputs.raw(evidenceInput) !== undefined && resource.inputs.raw(evidenceInput) !== null) ||
  isRelease(resource);

const knownRoles = new Set(["web", "database"]);

const evidenceOf = new WeakMap<JudgedResource, Evidence>();

/** The evidence that a component passes, or that a release is; read once. */
export function readEvidence(component: JudgedResource): Evidence {
  const read =
    evidenceOf.get(component) ??
    (isRelease(component) ? readRelease(component) : readEvidenceInput(component));
  evidenceOf.set(component, read);
  return read;
}

/** Droplet names are keys that the program chose, and Pulumi prints them anyway, so a message can contain them. */
function readEvidenceInput(component: JudgedResource): Evidence {
  const entries: EvidenceEntry[] = [];
  const faults: EvidenceFault[] = [];
  const fault = (at: string, field: Field<unknown>) => {
    faults.push({ at, problem: `the evidence ${describeState(field)}` });
  };
  const all = component.inputs.object(evidenceInput);
  if (all.state !== "known") {
    if (all.state !== "absent") fault(evidenceInput, all);
    return { entries, faults };
  }
  for (const dropletName of all.value.keys()) {
    const at = `${evidenceInput}["${dropletName}"]`;
    const entry = asObject(all.value.raw(dropletName));
    if (entry.state !== "known") {
      fault(at, entry);
      continue;
    }
    const faultsBefore = faults.length;
    const roles = entry.value.texts("roles");
    const isRole = (role: Field<string>) => role.state === "known" && knownRoles.has(role.value);
    if (roles.state !== "known") fault(`${at}.roles`, roles);
    else if (!roles.value.every(isRole)) {
      faults.push({ at: `${at}.roles`, problem: "a role is neither web nor database" });
    }
    const files = readEvidenceFiles(entry.value, `${at}.files`, fault);
    const complete = faults.length === faultsBefore;
    entries.push({
      dropletName,
      component,
      source: "component",
      roles: knownItems(roles),
      content: { ...emptyContent, files },
      complete,
    });
  }
  return { entries, faults };
}

function readEvidenceFiles(
  entry: Inputs,
  at: string,
  fault: (at: string, field: Field<unknown>) => void,
): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const all = entry.object("files");
  if (all.state !== "known") {
    fault(at, all);
    return files;
  }
  for (const path of all.value.keys()) {
    const text = asText(all.value.raw(path));
    if (text.state === "known") files.set(path, text.value);
    else fault(at, text);
  }
  return files;
}

export function describeState(field: Field<unknown>): string {
  if (field.state === "unknown") return "is unknown";
  if (field.state === "absent") return "is missing";
  return field.state === "mistyped"
    ? `is not ${field.expected}`
    : "contains a part that is unknown or has the wrong type";
}

/** The content of a droplet that a policy can check. */
export type HostKnowledge =
  /** No user data: the host runs only its image. */
  | { readonly state: "bare" }
  /** The droplet's own user data. */
  | { readonly state: "known"; readonly content: HostContent; readonly script: boolean }
  /** The user data is unknown or cannot be read, and evidence covers it. */
  | { readonly state: "evidence"; readonly entry: EvidenceEntry }
  | { readonly state: "uncovered"; readonly reason: string };

export interface Host {
  readonly droplet: JudgedResource;
  readonly name: Field<string>;
  readonly knowledge: HostKnowledge;
  /** Evidence for the droplet's name, even if the user data is known. */
  readonly evidence: readonly EvidenceEntry[];
}

/** The known content of a droplet, given the evidence seen so far. */
export function knowHost(droplet: JudgedResource, evidence: readonly EvidenceEntry[]): Host {
  const name = droplet.inputs.text("name");
  const own = evidence.filter((entry) => name.state === "known" && entry.dropletName === name.value);
  return { droplet, name, knowledge: knowledgeOf(droplet, own), evidence: own };
}

const userDataOfDroplet = new WeakMap<JudgedResource, UserData>();

/** Each policy asks for it, so it is looked up once. */
function userDataOf(droplet: JudgedResource, text: string): UserData {
  const read = userDataOfDroplet.get(droplet) ?? parseUserData(text);
  userDataOfDroplet.set(droplet, read);
  return read;
}

function knowledgeOf(droplet: JudgedResource, evidence: readonly EvidenceEntry[]): HostKnowledge {
  const userData = droplet.inputs.text("userData");
  if (userData.state === "absent") return { state: "bare" };
  const release = releaseOf(evidence);
  if (release !== undefined && droplet.ignoresChangesOf("userData"))
    return { state: "evidence", entry: release };
  if (userData.state === "known") {
    if (userData.value.trim() === "") return { state: "bare" };
    const parsed = userDataOf(droplet, userData.value);
    if (parsed.kind !== "unreadable" && fetchesReleases(droplet, parsed.content))
      return covered(evidence, "it ignores changes of its userData, and the stack has no release for it");
    if (parsed.kind === "cloud-config") return { state: "known", content: parsed.content, script: false };
    if (parsed.kind === "script") {
      const entry = evidence.find(({ complete }) => complete);
      // A script shows which programs it installs, but not their configuration, so evidence is more complete.
      return entry === undefined
        ? { state: "known", content: parsed.content, script: true }
        : { state: "evidence", entry };
    }
    return covered(evidence, `its userData is ${parsed.reason}, which cannot be read`);
  }
  return covered(evidence, `its userData ${describeState(userData)}`);
}

/** The release among the evidence for a droplet. */
export function releaseOf(evidence: readonly EvidenceEntry[]): EvidenceEntry | undefined {
  return evidence.find(({ source }) => source === "release");
}

/** True if the droplet keeps the text of its user data, and changes by releases. */
function fetchesReleases(droplet: JudgedResource, { files }: HostContent): boolean {
  return droplet.ignoresChangesOf("userData") && releaseAddress(files) !== undefined;
}

/** The address from which a droplet fetches its releases, from its known user data. */
export function fetchedAddress(droplet: JudgedResource): string | undefined {
  const userData = droplet.inputs.text("userData");
  if (userData.state !== "known") return undefined;
  const parsed = userDataOf(droplet, userData.value);
  return parsed.kind === "unreadable" ? undefined : releaseAddress(parsed.content.files);
}

function covered(evidence: readonly EvidenceEntry[], reason: string): HostKnowledge {
  const entry = evidence.find(({ complete }) => complete);
  return entry === undefined ? { state: "uncovered", reason } : { state: "evidence", entry };
}

/** The content to check, from the source that decides; undefined for bare and uncovered hosts. */
export function contentOf(host: Host): HostContent | undefined {
  if (host.knowledge.state === "known") return host.knowledge.content;
  return host.knowledge.state === "evidence" ? host.knowledge.entry.content : undefined;
}

/**
 * Paths whose text in the evidence differs from the text in the droplet's known user data, or that the user data does
 * not write. A droplet that ignores changes of its user data keeps the old text on purpose, so there is nothing to
 * compare.
 */
export function contradictions(
  host: Host,
): readonly { readonly entry: EvidenceEntry; readonly path: string }[] {
  if (host.knowledge.state !== "known" || host.knowledge.script) return [];
  if (host.droplet.ignoresChangesOf("userData")) return [];
  const { files, unreadableFiles } = host.knowledge.content;
  return host.evidence
    .filter(({ source }) => source === "component")
    .flatMap((entry) =>
      [...entry.content.files]
        .filter(([path, text]) => !unreadableFiles.has(path) && files.get(path) !== text)
        .map(([path]) => ({ entry, path })),
    );
}

/** Paths whose text in the evidence of components differs from the text in a release for the same droplet. */
export function releaseContradictions(
  release: EvidenceEntry,
  evidence: readonly EvidenceEntry[],
): readonly { readonly entry: EvidenceEntry; readonly path: string }[] {
  return evidence
    .filter(({ source, dropletName }) => source === "component" && dropletName === release.dropletName)
    .flatMap((entry) =>
      [...entry.content.files]
        .filter(([path, text]) => release.content.files.get(path) !== text)
        .map(([path]) => ({ entry, path })),
    );
}
