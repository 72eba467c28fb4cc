export interface LockOwner {
  readonly pid: number;
  /** The owner's command, such as `npm start`. */
  readonly command: string;
  /** ISO 8601. */
  readonly since: string;
}

export interface HeldLock {
  /** Releases the lock. Does nothing if this process no longer holds it. */
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
