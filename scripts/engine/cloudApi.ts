import type { ApiAccess } from "../../sandbox/index";
import { usageFailure } from "../failure";

/** The API of the user's own account. Throws a Failure (exit code 2) if the token is missing. */
export function cloudApi(env: NodeJS.ProcessEnv = process.env): ApiAccess {
  const token = env.DIGITALOCEAN_TOKEN;
  if (!token) throw usageFailure("--cloud requires DIGITALOCEAN_TOKEN, which is not set");
  return { url: env.DIGITALOCEAN_API_URL || "https://api.digitalocean.com", token };
}
