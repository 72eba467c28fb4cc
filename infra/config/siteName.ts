import type { Config } from "./types";

/** The site's public name: "www.foobar.com". */
export function siteName({ domain, subdomain }: Pick<Config, "domain" | "subdomain">): string {
  return subdomain === "@" ? domain : `${subdomain}.${domain}`;
}
