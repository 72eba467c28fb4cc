/** Evidence for the content of a host: what a component passes, or a release. */
import type { JudgedResource } from "../frame/resource";
import type { HostContent } from "./content";

/** Evidence for one droplet name, from one component or release. */
export interface EvidenceEntry {
  readonly dropletName: string;
  readonly component: JudgedResource;
  readonly source: "component" | "release";
  readonly roles: readonly string[];
  readonly content: HostContent;
  /** False if a part of it cannot be read; it then covers nothing. */
  readonly complete: boolean;
}

/** A part of evidence that cannot be read. */
export interface EvidenceFault {
  readonly at: string;
  readonly problem: string;
  /** The change that fixes it, if that is not a text that is known at preview. */
  readonly fix?: string;
}

/** Evidence as found in a component's input, or in a release. */
export interface Evidence {
  readonly entries: readonly EvidenceEntry[];
  readonly faults: readonly EvidenceFault[];
}
