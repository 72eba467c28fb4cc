/**
 * The known content of each host of a stack, from its droplet's user data and from the evidence that components pass.
 *
 * If the droplet's user data is known, it decides. If it is unknown or cannot be read, the evidence for the droplet's
 * name replaces it. If there is neither, the host is uncovered, and each policy that must check it reports that.
 */
import type { JudgedResource } from "../frame/resource";
import { asObject, asText, type Field, type Inputs, knownItems } from "../frame/value";
import { emptyContent, type HostContent } from "./content";
import { evidenceInput } from "./form";
import { parseUserData, type UserData } from "./user-data";

export const dropletType = "digitalocean:index/droplet:Droplet";

/** Evidence for one droplet name, from one component. */
export interface EvidenceEntry {
  readonly dropletName: string;
  readonly component: JudgedResource;
  readonly roles: readonly string[];
  readonly content: HostContent;
  /** False if a part of it cannot be read; it then covers nothing. */
  readonly complete: boolean;
}

/** Evidence as found in a component's input. `faults` lists the parts that cannot be read. */
export interface Evidence {
  readonly entries: readonly EvidenceEntry[];
  readonly faults: readonly { readonly at: string; readonly problem: string }[];
}

export const isEvidenceComponent = (resource: JudgedResource): boolean =>
  resource.inputs.raw(evidenceInput) !== undefined && resource.inputs.raw(evidenceInput) !== null;

const knownRoles = new Set(["web", "database"]);

const evidenceOf = new WeakMap<JudgedResource, Evidence>();

/** The evidence that a component passes, read once. */
export function readEvidence(component: JudgedResource): Evidence {
  const read = evidenceOf.get(component) ?? readEvidenceInput(component);
  evidenceOf.set(component, read);
  return read;
}

/** Droplet names are keys that the program chose, and Pulumi prints them anyway, so a message can contain them. */
function readEvidenceInput(component: JudgedResource): Evidence {
  const entries: EvidenceEntry[] = [];
  const faults: { at: string; problem: string }[] = [];
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
  if (userData.state === "known") {
    if (userData.value.trim() === "") return { state: "bare" };
    const parsed = userDataOf(droplet, userData.value);
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
  return host.evidence.flatMap((entry) =>
    [...entry.content.files]
      .filter(([path, text]) => !unreadableFiles.has(path) && files.get(path) !== text)
      .map(([path]) => ({ entry, path })),
  );
}
