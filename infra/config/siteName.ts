import type { Config } from "./types";

/** The site's public name, for example "www.foobar.com". */
export function siteName({ domain, subdomain }: Pick<Config, "domain" | "subdomain">): string {
  return subdomain === "@" ? domain : `${subdomain}.${domain}`;
}
