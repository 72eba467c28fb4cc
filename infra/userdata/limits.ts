import { UserDataError } from "./userDataError";

/** DigitalOcean's limit for a droplet's user data, in bytes of UTF-8 (API reference, "Create a New Droplet": 64 KiB). */
export const userDataLimitBytes = 65_536;

/** Throws where the user data of a host is larger than DigitalOcean takes. */
export function checkUserDataSize(hostName: string, userData: string): void {
  const bytes = Buffer.byteLength(userData, "utf8");
  if (bytes <= userDataLimitBytes) return;
  throw new UserDataError(
    `the user data of ${hostName} has ${bytes} bytes, and DigitalOcean takes ${userDataLimitBytes} at most. ` +
      "Shorten what it carries (a list such as operators.networks, infra/payload, app), or put the roles on hosts of " +
      "their own (topology: separated).",
  );
}
