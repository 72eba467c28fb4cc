/** A clean stop of a droplet, by DigitalOcean's API. */
import { setTimeout as delay } from "node:timers/promises";
import { requestSignal, rolloutSignal } from "./observer";

/** The API's address, and a token that can act on droplets. */
export interface ApiAccess {
  readonly url: string;
  readonly token: string;
}

const POLL_MS = 1000;
const TIMEOUT_MS = 30_000;

/**
 * Shuts a droplet down and waits until it is off, so that its services end what they have begun. The provider cuts the
 * power of a droplet that it resizes (https://docs.digitalocean.com/reference/api/reference/droplet-actions/, power_off),
 * unless it is off.
 *
 * @throws Error if the API refuses, or the droplet is not off in time
 */
export async function shutDown(api: ApiAccess, dropletId: string, withinSeconds: number): Promise<void> {
  const path = `/v2/droplets/${encodeURIComponent(dropletId)}`;
  const call = async (method: string, suffix = "", body?: object) => {
    const response = await fetch(`${api.url.replace(/\/$/, "")}${path}${suffix}`, {
      method,
      headers: { Authorization: `Bearer ${api.token}`, "Content-Type": "application/json" },
      signal: requestSignal(TIMEOUT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as { message?: string; droplet?: { status: string } };
    if (!response.ok)
      throw new Error(`the API answers ${response.status}: ${answer.message ?? "no message"}`);
    return answer;
  };
  const isOff = async () => (await call("GET")).droplet?.status === "off";
  if (await isOff()) return;
  await call("POST", "/actions", { type: "shutdown" });
  const deadline = Date.now() + withinSeconds * 1000;
  while (!(await isOff())) {
    if (Date.now() > deadline) throw new Error(`it is not off after ${withinSeconds} s`);
    await delay(POLL_MS, undefined, { signal: rolloutSignal() });
  }
}
