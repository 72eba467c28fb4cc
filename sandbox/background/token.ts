import { randomBytes } from "node:crypto";
import type { Sandbox } from "../sandbox";
import { ensureSecret } from "./secretFile";

/** The sandbox's token. If there is none, it generates one in DigitalOcean's own format, which some clients check. */
export function ensureToken({ tokenFile, calls }: Sandbox): string {
  return ensureSecret(tokenFile, () => `dop_v1_${randomBytes(32).toString("hex")}`, calls);
}
