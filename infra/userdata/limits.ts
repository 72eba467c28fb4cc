import { UserDataError } from "./userDataError";

/** DigitalOcean's limit for a droplet's user data, in bytes of UTF-8 (API reference, "Create a New Droplet": 64 KiB). */
export const userDataLimitBytes = 65_536;

/** Throws if the user data of a host is larger than DigitalOcean accepts. */
export function checkUserDataSize(hostName: string, userData: string): void {
  const bytes = Buffer.byteLength(userData, "utf8");
  if (bytes <= userDataLimitBytes) return;
  throw new UserDataError(
    `the user data of ${hostName} has ${bytes} bytes, and DigitalOcean accepts at most ${userDataLimitBytes}. Shorten its content (a list such as operators.networks, infra/payload, app), or put the roles on separate hosts (topology: separated).`,
  );
}
