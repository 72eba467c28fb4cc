import { ApiError } from "./errors";

/** DigitalOcean's limit for an account (API reference, Rate Limit). */
const REQUESTS_PER_HOUR = 5000;
const HOUR_MS = 3_600_000;

/** Counts requests per hour for the `ratelimit-*` headers, and refuses them only if a limit was set. */
export class RateWindow {
  #used = 0;
  #endsAt = Date.now() + HOUR_MS;

  constructor(private readonly enforced: number | undefined) {}

  /** Counts one request and returns its headers. */
  count(): Record<string, string> {
    if (Date.now() >= this.#endsAt) {
      this.#used = 0;
      this.#endsAt = Date.now() + HOUR_MS;
    }
    this.#used++;
    return {
      "ratelimit-limit": String(this.#limit),
      "ratelimit-remaining": String(Math.max(0, this.#limit - this.#used)),
      "ratelimit-reset": String(Math.ceil(this.#endsAt / 1000)),
    };
  }

  enforce(): void {
    if (this.enforced === undefined || this.#used <= this.#limit) return;
    const seconds = String(Math.max(1, Math.ceil((this.#endsAt - Date.now()) / 1000)));
    throw new ApiError(429, "too_many_requests", "API rate limit exceeded.", { "retry-after": seconds });
  }

  get #limit(): number {
    return this.enforced ?? REQUESTS_PER_HOUR;
  }
}
