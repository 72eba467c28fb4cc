/**
 * The resources and evidence that the policies of one pack have seen since the process started. A process covers one
 * preview or one update: the engine starts the pack again for each.
 *
 * The SDK calls each policy of the pack in turn with a separate copy, so thirty policies would read a thousand
 * droplets thirty times. The session keeps the first copy for all policies. If a policy sees the same resource a
 * second time, the engine has registered it again.
 */
import type { PolicyResource, ResourceValidationArgs } from "@pulumi/policy";
import type { EvidenceEntry } from "../evidence/entry";
import { isEvidenceComponent, readEvidence } from "../evidence/host";
import { type EngineResource, type JudgedResource, registeredResource, stackResources } from "./resource";
import { withTemplate } from "./templates";

interface Registration {
  readonly source: EngineResource;
  readonly resource: JudgedResource;
  readonly seenBy: Set<string>;
}

/** A set of resources, with caches of the values derived from all of them. */
export class SeenResources {
  private evidenceRead: readonly EvidenceEntry[] | undefined;

  readonly resources: readonly JudgedResource[];

  constructor(resources: readonly JudgedResource[]) {
    this.resources = resources.flatMap(withTemplate);
  }

  get evidence(): readonly EvidenceEntry[] {
    this.evidenceRead ??= this.resources
      .filter(isEvidenceComponent)
      .flatMap((component) => readEvidence(component).entries);
    return this.evidenceRead;
  }
}

export class Session {
  private readonly registrations = new Map<string, Registration>();
  private registered: SeenResources | undefined;
  private stack: { readonly seen: SeenResources; readonly seenBy: Set<string> } | undefined;

  /** The resource for a policy that the engine runs at its registration. */
  register(policy: string, args: ResourceValidationArgs): JudgedResource {
    if (this.stack !== undefined) this.startAgain();
    const last = this.registrations.get(args.urn);
    if (last !== undefined && !last.seenBy.has(policy)) {
      last.seenBy.add(policy);
      return last.resource;
    }
    const resource = registeredResource(args);
    this.registrations.set(args.urn, { source: args, resource, seenBy: new Set([policy]) });
    this.registered = undefined;
    return resource;
  }

  /** The engine checks the whole stack at the end of a run, so a registration after it belongs to another run. */
  private startAgain(): void {
    this.registrations.clear();
    this.registered = undefined;
    this.stack = undefined;
  }

  /** All resources registered so far. */
  seenSoFar(): SeenResources {
    this.registered ??= new SeenResources([...this.registrations.values()].map(({ resource }) => resource));
    return this.registered;
  }

  /** The whole stack, for a policy that the engine runs at the end. */
  seenStack(policy: string, resources: readonly PolicyResource[]): SeenResources {
    if (this.stack === undefined || this.stack.seenBy.has(policy)) {
      const seen = new SeenResources(stackResources(resources, (urn) => this.registrations.get(urn)?.source));
      this.stack = { seen, seenBy: new Set() };
    }
    this.stack.seenBy.add(policy);
    return this.stack.seen;
  }
}
