export interface LockOwner {
  readonly pid: number;
  /** What the owner runs, such as `npm start`. */
  readonly command: string;
  /** ISO 8601. */
  readonly since: string;
}

export interface HeldLock {
  /** Gives the lock back. Does nothing when it is no longer ours. */
  release(): void;
}

export function processIdentity(pid: number): string | undefined;
export function lockOwner(path: string): LockOwner | undefined;
export function tryLock(path: string, command: string): HeldLock | { readonly heldBy: LockOwner };
export function waitForLock(
  path: string,
  command: string,
  options?: { onWait?: (owner: LockOwner) => void; pollMs?: number; signal?: AbortSignal | undefined },
): Promise<HeldLock>;
