import type { Api } from "../core/api";
import { ok } from "../core/http";
import { DROPLET_LIMIT } from "./droplets/create";

/** The only address for alerts, because DigitalOcean only sends mail to verified addresses. */
export const ACCOUNT_EMAIL = "sandbox@example.com";

/** Shown under both names of reserved IPs, because clients read one or the other. */
const RESERVED_IP_LIMIT = 100;

/** `GET /v2/account`: one account, always active, with higher limits than DigitalOcean's for tests of scale. */
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
