/**
 * A visitor's cookie names the transactions that the visitor has seen, as MySQL's GTID set. The visitor's next request
 * waits until the member that answers has applied them: visitors see their own writes, and no page goes back in time.
 */
import type { IncomingMessage } from "node:http";

const name = "__Host-seen";
/** A longer set fits into no cookie. */
const longestSet = 3500;
const validS = 600;

const uuid = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const intervals = "(?::\\d{1,19}(?:-\\d{1,19})?)+";
const gtidSet = new RegExp(`^${uuid}${intervals}(?:,${uuid}${intervals})*$`, "i");

/** The set that the client sends; undefined if it sends none, or something else. */
export function seenBy(request: IncomingMessage): string | undefined {
  const pairs = (request.headers.cookie ?? "").split(";").map((pair) => pair.trim());
  const given = pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
  // RFC 6265 has no comma in a cookie's value.
  const set = given?.replaceAll("/", ",");
  return set !== undefined && set.length <= longestSet && gtidSet.test(set) ? set : undefined;
}

/** The cookie for the next request. */
export function seenCookie(set: string): string {
  const value = set.replaceAll(/\s/g, "").replaceAll(",", "/");
  return `${name}=${value}; Path=/; Max-Age=${validS}; Secure; HttpOnly; SameSite=Lax`;
}
