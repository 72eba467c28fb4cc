import { timestamp } from "./clock";
import { notFound } from "./errors";
import { regionObject } from "./regions";
import type { Store, Table } from "./store";

/** A stored action. `parameters` are for the code that completes it, and are never shown. */
export interface ActionRecord {
  readonly id: number;
  readonly status: "in-progress" | "completed" | "errored";
  readonly type: string;
  readonly started_at: string;
  readonly completed_at: string | null;
  readonly resource_id: number | string;
  readonly resource_type: string;
  readonly region_slug: string | null;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** The work of an action when it is due. */
export interface ActionKind {
  /**
   * For work that takes time but is not an action for DigitalOcean's users (such as a load balancer that becomes
   * active). It is never listed, and is deleted when it ends.
   */
  readonly unlisted?: boolean;
  /**
   * Runs before completion and outside any transaction: work that takes time and can fail. An error makes the action
   * `errored`.
   */
  perform?(action: ActionRecord): Promise<void>;
  /** Changes the records, in one transaction with the action's completion. */
  complete?(action: ActionRecord): void;
  /** Changes the records if `perform` failed. */
  fail?(action: ActionRecord): void;
}

export interface NewAction {
  type: string;
  resource_id: number | string;
  resource_type: string;
  region_slug: string | null;
  parameters?: Record<string, unknown>;
}

const RETRY_MS = 1000;

/**
 * The account's asynchronous actions: each stays in-progress for `delayMs`, then does its work. The next start
 * continues actions that a stopped or killed server left unfinished.
 */
export class Actions {
  readonly #table: Table<ActionRecord>;
  /** The ids of actions that are in-progress, so that finished ones need not be searched. */
  readonly #unfinished: Table<{ id: number }>;
  readonly #kinds = new Map<string, ActionKind>();
  readonly #timers = new Map<number, NodeJS.Timeout>();
  readonly #running = new Set<Promise<void>>();
  #stopped = false;

  constructor(
    private readonly store: Store,
    private readonly delayMs: number,
  ) {
    this.#table = store.table<ActionRecord>("actions");
    this.#unfinished = store.table<{ id: number }>("unfinished_actions");
  }

  /** Registers the work of actions of this resource type; `kind` is called for each action. */
  define(resourceType: string, kind: ActionKind): void {
    this.#kinds.set(resourceType, kind);
  }

  /** Starts an action, inside a transaction. With `completed: true` it completes at once. */
  start(action: NewAction, completed = false): ActionRecord {
    const id = this.store.nextId("action", 2_000_000_001);
    const record: ActionRecord = {
      id,
      status: completed ? "completed" : "in-progress",
      type: action.type,
      started_at: timestamp(),
      completed_at: completed ? timestamp() : null,
      resource_id: action.resource_id,
      resource_type: action.resource_type,
      region_slug: action.region_slug,
      parameters: action.parameters ?? {},
    };
    this.#table.put(id, record);
    if (!completed) {
      this.#unfinished.put(id, { id });
      this.store.afterCommit(() => this.#schedule(id, this.delayMs));
    }
    return record;
  }

  /** Newest first, as DigitalOcean lists them. */
  list(filter: (action: ActionRecord) => boolean = () => true): ActionRecord[] {
    const listed = (action: ActionRecord) => !this.#isUnlisted(action) && filter(action);
    return this.#table.values().filter(listed).reverse();
  }

  /** Throws 404 for an unknown id, or one that does not belong to the resource that `filter` describes. */
  get(id: string, filter: (action: ActionRecord) => boolean = () => true): ActionRecord {
    const action = this.#table.get(id);
    if (!action || this.#isUnlisted(action) || !filter(action)) throw notFound();
    return action;
  }

  /** The unfinished action of a resource, if there is one. */
  inProgress(resourceType: string, resourceId: number | string): ActionRecord | undefined {
    return this.#open().find((one) => one.resource_type === resourceType && one.resource_id === resourceId);
  }

  /** Ends the unfinished actions of a resource that is being deleted, inside a transaction. */
  abandon(resourceType: string, resourceId: number | string): void {
    const action = this.inProgress(resourceType, resourceId);
    if (action) this.#finish(action, "errored");
  }

  /** Continues the actions that were unfinished when the last server ended. */
  resume(): void {
    for (const action of this.#open()) this.#schedule(action.id, this.delayMs);
  }

  /** Stops all timers and waits for running work. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    await Promise.all(this.#running);
  }

  #schedule(id: number, delayMs: number): void {
    if (this.#stopped) return;
    const timer = setTimeout(() => {
      const run = this.#run(id).finally(() => this.#running.delete(run));
      this.#running.add(run);
    }, delayMs);
    this.#timers.set(id, timer);
  }

  async #run(id: number): Promise<void> {
    const action = this.#table.get(id);
    if (action?.status !== "in-progress") {
      this.#timers.delete(id);
      return;
    }
    const kind = this.#kinds.get(action.resource_type) ?? {};
    const failure = await performed(kind, action);
    if (failure) console.error(`sandbox: action ${id} (${action.type}): ${failure}`);
    try {
      await this.store.transaction(() => this.#conclude(id, kind, failure !== undefined)).durable;
      this.#timers.delete(id);
    } catch (error) {
      // The change was undone. A full disk may have space again soon; a restart also tries again.
      console.error(`sandbox: action ${id}: ${error instanceof Error ? error.message : String(error)}`);
      this.#schedule(id, RETRY_MS);
    }
  }

  #conclude(id: number, kind: ActionKind, failed: boolean): void {
    const action = this.#table.get(id);
    if (action?.status !== "in-progress") return; // its resource was deleted in the meantime
    if (failed) kind.fail?.(action);
    else kind.complete?.(action);
    this.#finish(action, failed ? "errored" : "completed");
  }

  #open(): ActionRecord[] {
    return this.#unfinished.values().flatMap(({ id }) => this.#table.get(id) ?? []);
  }

  #finish(action: ActionRecord, status: "completed" | "errored"): void {
    this.#unfinished.delete(action.id);
    if (this.#isUnlisted(action)) this.#table.delete(action.id);
    else this.#table.put(action.id, { ...action, status, completed_at: timestamp() });
  }

  #isUnlisted({ resource_type }: ActionRecord): boolean {
    return this.#kinds.get(resource_type)?.unlisted === true;
  }
}

async function performed(kind: ActionKind, action: ActionRecord): Promise<string | undefined> {
  try {
    await kind.perform?.(action);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** An action in DigitalOcean's format. */
export function actionObject(action: ActionRecord): object {
  const { parameters: _hidden, region_slug, resource_id, ...shown } = action;
  return {
    ...shown,
    // Volumes have UUIDs, which do not fit this integer field, so DigitalOcean answers null.
    resource_id: typeof resource_id === "number" ? resource_id : null,
    ...(region_slug ? { region: regionObject(region_slug) } : {}),
    region_slug,
  };
}
