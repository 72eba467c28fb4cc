import { type ApiAccess, request } from "./apiClient";

/** The address of the account's Spaces on this machine; undefined if the API is not a sandbox's, or has none. */
export async function spacesUrl(api: ApiAccess): Promise<string | undefined> {
  const { status, body } = await request(api, "GET", "/sandbox/spaces");
  return (status === 200 && (body as { url: string | null }).url) || undefined;
}
