/** Releases: each is for one droplet of the stack, at the address that the droplet fetches, and agrees with the evidence. */
import type { EvidenceEntry } from "../../evidence/entry";
import { dropletType, fetchedAddress, readEvidence, releaseContradictions } from "../../evidence/host";
import { isRelease, objectAddress } from "../../evidence/release";
import { releaseAddress } from "../../evidence/release-form";
import type { JudgmentContext } from "../../frame/definition";
import { shownPath } from "../../frame/message";
import type { JudgedResource } from "../../frame/resource";
import { bucketObjectType, ofType } from "../../resources/types";

/** Checks a release at its registration, together with the resources before it. */
export function judgeRelease(object: JudgedResource, context: JudgmentContext): void {
  const [release] = readEvidence(object).entries;
  if (release === undefined) return;
  judgeAddress(object, release, context);
  judgeAgreement(object, release, context);
  const earlier = context.resources.find(
    (other) => isRelease(other) && other.urn !== object.urn && nameIn(other) === release.dropletName,
  );
  if (earlier === undefined) return;
  context.report(object, {
    at: "content",
    problem: `the release is for the droplet "${release.dropletName}", and so is the release ${earlier.name}`,
    why: "a host runs one release, and it is unknown which of the two",
    fix: "create one release object for each host",
  });
}

/** Checks all releases of a stack against its droplets. */
export function judgeReleases(resources: readonly JudgedResource[], context: JudgmentContext): void {
  const droplets = ofType(resources, dropletType);
  const names = droplets.map(({ inputs }) => inputs.text("name"));
  const releases = resources.filter(isRelease);
  const released = new Set(releases.map(nameIn));
  for (const [at, droplet] of droplets.entries()) {
    const name = names[at];
    if (name?.state !== "known" || released.has(name.value)) continue;
    judgeFetched(droplet, ofType(resources, bucketObjectType), context);
  }
  for (const object of releases) {
    const [release] = readEvidence(object).entries;
    if (release === undefined) continue;
    judgeAgreement(object, release, context);
    const at = names.findIndex((name) => name.state === "known" && name.value === release.dropletName);
    const droplet = droplets[at];
    if (droplet !== undefined) judgeDropletAddress(object, droplet, context);
    else if (names.every(({ state }) => state === "known")) reportStray(object, release, context);
  }
}

/** A droplet that changes by releases, and has none that can be read, finds one at the address that it fetches. */
function judgeFetched(
  droplet: JudgedResource,
  objects: readonly JudgedResource[],
  context: JudgmentContext,
): void {
  const fetched = fetchedAddress(droplet);
  if (fetched === undefined || !droplet.ignoresChangesOf("userData")) return;
  const addresses = objects.map(objectAddress);
  const object = objects[addresses.indexOf(fetched)];
  const isUnknown = object?.inputs.text("content").state === "unknown";
  if (object === undefined ? addresses.includes(undefined) : isRelease(object) || isUnknown) return;
  context.report(droplet, {
    at: "userData",
    problem:
      object === undefined
        ? "it tells the host to fetch releases from an address at which the stack has no object"
        : `it tells the host to fetch ${object.name}, which is no release`,
    why: "the host keeps an older configuration than the one that the policies check",
    fix: "create the host's release object at this address, in the form of releases.md",
  });
}

function nameIn(object: JudgedResource): string | undefined {
  return readEvidence(object).entries[0]?.dropletName;
}

function reportStray(object: JudgedResource, release: EvidenceEntry, context: JudgmentContext): void {
  context.report(object, {
    at: "content",
    problem: `the release is for the droplet "${release.dropletName}", and the stack has no such droplet`,
    why: "a release without a droplet is evidence for nothing, and the host that should run it may lack its own",
    fix: "make the release's stack and host the two parts of the droplet's name (STACK-HOST), or remove the release",
  });
}

/** The release itself tells the host where to fetch the next one. */
function judgeAddress(object: JudgedResource, release: EvidenceEntry, context: JudgmentContext): void {
  const told = releaseAddress(release.content.files);
  const own = objectAddress(object);
  if (told === undefined || (own !== undefined && told !== own)) {
    context.report(object, {
      at: "content",
      problem:
        told === undefined
          ? "the release does not tell the host from which address it fetches releases"
          : "the release tells the host to fetch releases from another address than that of this object",
      why: "the host would never fetch this object again, so the policies would check something that no host runs",
      fix: 'add the file /etc/secured-web/release.json to the release, with the object\'s own address as "releases"',
    });
  }
}

function judgeDropletAddress(
  object: JudgedResource,
  droplet: JudgedResource,
  context: JudgmentContext,
): void {
  const fetched = fetchedAddress(droplet);
  const own = objectAddress(object);
  if (own === undefined || fetched === own || droplet.inputs.text("userData").state !== "known") return;
  context.report(object, {
    at: "content",
    problem:
      fetched === undefined
        ? `the user data of ${droplet.name} does not tell the host to fetch releases`
        : `the user data of ${droplet.name} tells the host to fetch releases from another address than that of this object`,
    why: "the host does not fetch this object, so the policies would check something that no host runs",
    fix: 'write the object\'s address into /etc/secured-web/release.json as "releases", and replace the droplet',
  });
}

function judgeAgreement(object: JudgedResource, release: EvidenceEntry, context: JudgmentContext): void {
  for (const { path, entry } of releaseContradictions(release, context.evidence)) {
    context.report(object, {
      at: `host "${release.dropletName}"`,
      problem: `${shownPath(path)} differs from the evidence that ${entry.component.name} passes for this droplet`,
      why: "if the evidence differs from the release, a preview shows a result that the update does not produce",
      fix: "generate the evidence from the same text as the release",
    });
  }
}
