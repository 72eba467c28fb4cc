import type { Store } from "./store";

/** A change in the account, for the driver that makes the records real. */
export type HostChange =
  /**
   * A droplet's action is due (`create`, `power_on`, `shutdown`, `rebuild`, ...). It completes when `apply` returns.
   */
  | { kind: "droplet_action"; type: string; dropletId: number; parameters: Readonly<Record<string, unknown>> }
  | { kind: "droplet_deleted"; dropletId: number }
  /** Read the store for the current state: these are sent after any change to that kind, in order. */
  | {
      kind:
        | "firewalls"
        | "load_balancers"
        | "certificates"
        | "domains"
        | "tags"
        | "volumes"
        | "vpcs"
        | "reserved_ips";
    };

/**
 * Makes the account's records real on this machine. The API also works without one; droplets are then only records.
 * Changes of one droplet arrive one after another, after the record is on disk, and only while the server runs. If
 * the server is killed during `apply`, the next start sends the same droplet action again, so `apply` must be
 * idempotent.
 */
export interface HostDriver {
  /**
   * Called before the first request. It makes the machine match the store, because a server may have been killed
   * before.
   */
  start?(store: Store): Promise<void>;
  /** An error makes the droplet's action `errored`. For other kinds the error is printed. */
  apply(change: HostChange, store: Store): Promise<void>;
}
