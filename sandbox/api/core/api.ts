import type { Actions } from "./actions";
import type { HostChange } from "./host";
import type { Handler, Method, RouteOptions } from "./http";
import type { Observer } from "./observer";
import type { SpacesBackend } from "./spaces";
import type { Store } from "./store";

/** The interface of a kind of resource for tags, VPC members and projects. */
export interface ResourceKind {
  /**
   * As in a URN: `do:<urnType>:<id>`. Images and volume snapshots are also kinds, for tags, although they have no URNs.
   */
  readonly urnType: string;
  /** Every resource of the kind, in the order of creation. */
  list(): readonly ResourceSummary[];
  find(id: string): ResourceSummary | undefined;
  /** Only kinds that can be tagged have this. `resourceType` is the word of the tags API (`droplet`, `volume`, ...). */
  readonly taggable?: { readonly resourceType: string; setTags(id: string, tags: readonly string[]): void };
}

export interface ResourceSummary {
  readonly id: string;
  readonly name: string;
  readonly created_at: string;
  readonly vpc_uuid?: string | undefined;
  readonly tags?: readonly string[];
}

/** The stored form of a URN: clients use both `reservedip` and its old name, `floatingip`. */
export const canonicalUrn = (urn: string): string => urn.replace(/^do:reservedip:/, "do:floatingip:");

/** `use(value)`, or undefined if there is no value. */
export const optionally = <T, R>(value: T | undefined, use: (value: T) => R): R | undefined =>
  value === undefined ? undefined : use(value);

/** Registers the routes and relations of each resource family. */
export class Api {
  readonly routes: { method: Method; path: string; handler: Handler; options: RouteOptions }[] = [];
  readonly kinds = new Map<string, ResourceKind>();
  readonly #deletionListeners: ((urnType: string, id: string) => void)[] = [];
  readonly #hostListeners: ((change: HostChange) => void)[] = [];

  constructor(
    readonly store: Store,
    readonly actions: Actions,
    /** Applies a droplet action to the host; resolves at once if droplets are only records. */
    readonly applyToHost: (change: HostChange) => Promise<void>,
    readonly observer?: Observer | undefined,
    readonly spaces?: SpacesBackend | undefined,
    /** How long a VPC keeps a member that was deleted. */
    readonly vpcLingerMs = 0,
  ) {}

  get(path: string, handler: Handler): void {
    this.#route("GET", path, handler);
  }

  post(path: string, handler: Handler, options?: RouteOptions): void {
    this.#route("POST", path, handler, options);
  }

  put(path: string, handler: Handler): void {
    this.#route("PUT", path, handler);
  }

  patch(path: string, handler: Handler): void {
    this.#route("PATCH", path, handler);
  }

  delete(path: string, handler: Handler): void {
    this.#route("DELETE", path, handler);
  }

  addKind(kind: ResourceKind): void {
    this.kinds.set(kind.urnType, kind);
  }

  /** The resource of a URN (`do:droplet:1`), or undefined. */
  resolveUrn(urn: string): ResourceSummary | undefined {
    const [, urnType = "", id = ""] = /^do:(\w+):(.+)$/.exec(canonicalUrn(urn)) ?? [];
    return this.kinds.get(urnType)?.find(id);
  }

  /** `listener` is called in the transaction that deletes a resource, and removes references to it. */
  onDeleted(listener: (urnType: string, id: string) => void): void {
    this.#deletionListeners.push(listener);
  }

  /** The handler that deletes a resource calls this after it has removed the record. */
  deleted(urnType: string, id: string | number): void {
    for (const listener of this.#deletionListeners) listener(urnType, String(id));
  }

  /** Sends a change to the host driver when the open transaction is on disk. */
  changed(change: HostChange): void {
    const key = "dropletId" in change ? `${change.kind} ${change.dropletId}` : change.kind;
    this.store.afterCommit(() => {
      for (const listener of this.#hostListeners) listener(change);
    }, key);
  }

  onChange(listener: (change: HostChange) => void): void {
    this.#hostListeners.push(listener);
  }

  #route(method: Method, path: string, handler: Handler, options: RouteOptions = {}): void {
    this.routes.push({ method, path, handler, options });
  }
}
