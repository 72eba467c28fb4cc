import type { Store } from "./store";

/** What has changed in the account, for whoever makes the records real. */
export type HostChange =
  /** A droplet's action is due (`create`, `power_on`, `shutdown`, `rebuild`, ...): it completes when `apply` returns. */
  | { kind: "droplet_action"; type: string; dropletId: number; parameters: Readonly<Record<string, unknown>> }
  | { kind: "droplet_deleted"; dropletId: number }
  /** Look at the store for what is there now: these are sent after any change to that kind, in order. */
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
 * Makes the account's records real on this machine. The API works without one: then droplets are records only.
 * Changes come one after another for a droplet, after the record is on disk, and only while the server runs. After a
 * kill in the middle of `apply` the same droplet action comes again at the next start: applying it twice must do no harm.
 */
export interface HostDriver {
  /** Before the first request: the world is to be made as the store says (a server may have been killed in between). */
  start?(store: Store): Promise<void>;
  /** An error makes the droplet's action `errored`; for the other kinds it is printed. */
  apply(change: HostChange, store: Store): Promise<void>;
}
