import type { Api } from "../core/api";
import { ok } from "../core/http";
import { DROPLET_LIMIT } from "./droplets/create";

/** The only address that alerts may go to: DigitalOcean mails to verified ones alone. */
export const ACCOUNT_EMAIL = "sandbox@example.com";

/** Under both names of the thing, as DigitalOcean's clients read one or the other. */
const RESERVED_IP_LIMIT = 100;

/** `GET /v2/account`: one account, always active, with DigitalOcean's usual limits raised for tests of scale. */
export function registerAccount(api: Api): void {
  api.get("/v2/account", () =>
    ok({
      account: {
        droplet_limit: DROPLET_LIMIT,
        floating_ip_limit: RESERVED_IP_LIMIT,
        reserved_ip_limit: RESERVED_IP_LIMIT,
        volume_limit: 500,
        email: ACCOUNT_EMAIL,
        name: "Sandbox",
        uuid: "5a7d0b0c5a4d4b0e9c0f5a7d0b0c5a4d",
        email_verified: true,
        status: "active",
        status_message: "",
        team: { uuid: "7e3a0b0c5a4d4b0e9c0f7e3a0b0c5a4d", name: "Sandbox" },
      },
    }),
  );
}
