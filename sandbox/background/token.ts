import { randomBytes } from "node:crypto";
import type { Sandbox } from "../sandbox";
import { ensureSecret } from "./secretFile";

/** The sandbox's token, made where there is none, in the form of DigitalOcean's own, which some clients check. */
export function ensureToken({ tokenFile, calls }: Sandbox): string {
  return ensureSecret(tokenFile, () => `dop_v1_${randomBytes(32).toString("hex")}`, calls);
}
