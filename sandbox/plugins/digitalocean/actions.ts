/** Asynchronous actions of the API: one request starts an action, and it completes later. */
import type { Operation } from "../provider/resource";
import { waitFor } from "../provider/wait";
import { type Client, isStatus } from "./client";

export interface Action {
  readonly id: number;
  readonly status: "in-progress" | "completed" | "errored";
  readonly completed_at?: string | null;
}

const actionTimeoutMs = 60 * 60_000;
const pendingTimeoutMs = 5 * 60_000;

/**
 * Starts an action and waits until it completes. While another action of the droplet runs, the API refuses with 422;
 * like the official provider, this waits and tries again.
 *
 * @param path the path to post the action to, such as `/v2/volumes/ID/actions`
 * @param what describes the action in messages, such as `attaching volume data to droplet 101`
 * @param pollAt the path to read the action from; `/v2/actions` by default
 */
export async function perform(
  op: Operation<Client>,
  path: string,
  body: object,
  what: string,
  pollAt = "/v2/actions",
): Promise<void> {
  const { action } = await waitFor(
    { what: `other actions to end before ${what}`, timeoutMs: pendingTimeoutMs, signal: op.signal },
    () => startUnlessPending(op.client, path, body),
  );
  await completed(op, action.id, what, pollAt);
}

async function startUnlessPending(
  client: Client,
  path: string,
  body: object,
): Promise<{ action: Action } | undefined> {
  try {
    return await client.post<{ action: Action }>(path, body);
  } catch (error) {
    if (isStatus(error, 422) && /pending event/i.test(error.apiMessage)) return undefined;
    throw error;
  }
}

/** Waits until an action completes. @throws Error if it fails */
export async function completed(
  op: Operation<Client>,
  id: number,
  what: string,
  pollAt = "/v2/actions",
): Promise<void> {
  const timeoutMs = op.timeoutMs ?? actionTimeoutMs;
  await waitFor({ what: `the end of ${what}`, timeoutMs, signal: op.signal }, async () => {
    const { action } = await op.client.get<{ action: Action }>(`${pollAt}/${id}`);
    if (action.status === "errored") throw new Error(`${what} failed: action ${id} ended as "errored"`);
    return action.status === "completed" ? action : undefined;
  });
}
