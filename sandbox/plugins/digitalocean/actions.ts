/** Asynchronous actions of the API: started by one request, done later. */
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
 * Starts an action and waits for its end. While the droplet has another action under way, the API refuses with 422;
 * that is waited out, as the official provider does.
 *
 * @param path where the action is posted, as `/v2/volumes/ID/actions`
 * @param what the deed, as `attaching volume data to droplet 101`
 * @param pollAt where the action is asked for; `/v2/actions` by default
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

/** Waits until an action is completed. @throws Error where it ended in an error */
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
