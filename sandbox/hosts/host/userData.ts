import { parseDocument } from "yaml";
import type { Droplet } from "../world";

/**
 * Throws if cloud-init could not use a droplet's user data: a #cloud-config that is not YAML, or not a map. The
 * message contains the position but not the text, which contains secrets.
 */
export function refuseUnreadable({ name, userData }: Pick<Droplet, "name" | "userData">): void {
  if (!userData?.startsWith("#cloud-config")) return;
  const document = parseDocument(userData, { prettyErrors: false });
  const [error] = document.errors;
  if (error) {
    const before = userData.slice(0, error.pos[0]).split("\n");
    const place = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
    throw new Error(`user data of ${name}: invalid YAML at ${place} (${error.code})`);
  }
  const value: unknown = document.toJS();
  if (value !== null && (typeof value !== "object" || Array.isArray(value))) {
    throw new Error(`user data of ${name}: a #cloud-config must be a map of settings`);
  }
}
