/** Releases in a stack: objects in Spaces that running hosts fetch. Each is evidence for the droplet of its host. */
import type { JudgedResource } from "../frame/resource";
import { bucketObjectType } from "../resources/types";
import { emptyContent } from "./content";
import { contentOfDraft, emptyDraft } from "./draft";
import type { Evidence, EvidenceFault } from "./entry";
import {
  addReleaseFiles,
  isReleaseEnvelope,
  parseReleaseEnvelope,
  type ReleaseDocument,
  releaseContentType,
} from "./release-form";
import { Unreadable } from "./unreadable";

/** True if a resource is a release: by its content type, or by its content. */
export function isRelease({ type, inputs }: JudgedResource): boolean {
  if (type !== bucketObjectType) return false;
  const contentType = inputs.text("contentType");
  if (contentType.state === "known" && contentType.value === releaseContentType) return true;
  const content = inputs.text("content");
  return content.state === "known" && isReleaseEnvelope(content.value);
}

/** The name of the droplet that a release is for. */
export function releasedDroplet({ stack, host }: ReleaseDocument): string {
  return `${stack}-${host}`;
}

/** The evidence in a release. If its content is unknown, it is no evidence yet. */
export function readRelease(object: JudgedResource): Evidence {
  const content = object.inputs.text("content");
  if (content.state === "unknown") return { entries: [], faults: [] };
  const fault = (problem: string): EvidenceFault => ({
    at: "content",
    problem,
    fix: "set content to a release in the form of releases.md: a DSSE envelope with the compressed document and a signature",
  });
  if (content.state !== "known")
    return { entries: [], faults: [fault("the release has no content that can be read")] };
  try {
    const document = parseReleaseEnvelope(content.value);
    const draft = emptyDraft();
    addReleaseFiles(draft, document);
    return {
      entries: [
        {
          dropletName: releasedDroplet(document),
          component: object,
          source: "release",
          roles: [],
          content: { ...emptyContent, ...contentOfDraft(draft) },
          complete: true,
        },
      ],
      faults: [],
    };
  } catch (error) {
    if (error instanceof Unreadable)
      return { entries: [], faults: [fault(`it is ${error.message}, so no host can run it`)] };
    throw error;
  }
}

/** The address of an object in Spaces; undefined if a part of it is unknown. */
export function objectAddress({ inputs }: JudgedResource): string | undefined {
  const [bucket, region, key] = (["bucket", "region", "key"] as const).map((name) => inputs.text(name));
  if (bucket?.state !== "known" || region?.state !== "known" || key?.state !== "known") return undefined;
  return `https://${bucket.value}.${region.value}.digitaloceanspaces.com/${key.value}`;
}
