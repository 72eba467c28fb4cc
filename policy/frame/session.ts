/**
 * What the policies of one pack have seen since their process began, which is one preview or one update: the engine
 * starts the pack anew for each.
 *
 * The SDK asks each policy of the pack in turn and hands each one a copy of its own, so that thirty policies would read
 * a thousand droplets thirty times. The session keeps the first copy for all: a policy that asks again for a resource
 * that it has already seen shows that the engine has registered it again.
 */
import type { PolicyResource, ResourceValidationArgs } from "@pulumi/policy";
import { type EvidenceEntry, isEvidenceComponent, readEvidence } from "../evidence/host";
import { type EngineResource, type JudgedResource, registeredResource, stackResources } from "./resource";

interface Registration {
  readonly source: EngineResource;
  readonly resource: JudgedResource;
  readonly seenBy: Set<string>;
}

/** Resources as one judgment sees them, with what is derived from all of them made once. */
export class SeenResources {
  private evidenceRead: readonly EvidenceEntry[] | undefined;

  constructor(readonly resources: readonly JudgedResource[]) {}

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

  /** The resource as the policies see it, for a policy that the engine asks at its registration. */
  register(policy: string, args: ResourceValidationArgs): JudgedResource {
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

  /** All that has been registered so far. */
  seenSoFar(): SeenResources {
    this.registered ??= new SeenResources([...this.registrations.values()].map(({ resource }) => resource));
    return this.registered;
  }

  /** The whole stack, for a policy that the engine asks at its end. */
  seenStack(policy: string, resources: readonly PolicyResource[]): SeenResources {
    if (this.stack === undefined || this.stack.seenBy.has(policy)) {
      const seen = new SeenResources(stackResources(resources, (urn) => this.registrations.get(urn)?.source));
      this.stack = { seen, seenBy: new Set() };
    }
    this.stack.seenBy.add(policy);
    return this.stack.seen;
  }
}
