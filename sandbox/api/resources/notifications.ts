import { z } from "zod";
import { asBadRequest } from "../core/errors";
import { optional, parseBody, text } from "../core/validation";
import { ACCOUNT_EMAIL } from "./account";

/** The recipients of a monitoring or uptime alert, as stored and shown. */
export interface Notifications {
  readonly email: readonly string[];
  readonly slack: readonly { readonly channel: string; readonly url: string }[];
}

const webhook = z.url({ protocol: /^https$/, error: "must be an https URL" });
const email = z.string().refine((address) => address.toLowerCase() === ACCOUNT_EMAIL, {
  error: (issue) => `invalid email '${String(issue.input)}': it is not verified on this account`,
});

/** Go clients send `slack: null` and `email: null` for a missing value. */
export const notifications = z
  .object({
    email: optional(z.array(email)),
    slack: optional(z.array(z.object({ channel: text(), url: webhook }))),
  })
  .transform((given): Notifications => ({ email: given.email ?? [], slack: given.slack ?? [] }))
  .refine(({ email: emails, slack }) => emails.length + slack.length > 0, {
    error: "name at least one email address or Slack channel",
  });

/** As `parseBody`, but a refusal is 400: these two services of DigitalOcean answer so (digitalocean/openapi#830). */
export function parseAlertBody<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  return asBadRequest(() => parseBody(schema, body));
}
