/**
 * The lines that a user needs to use the API. The token is only passed for a terminal, so that no log contains it.
 * `end` says how to stop the API.
 */
export function greeting(
  title: string,
  url: string,
  tokenFile: string,
  end: string,
  token?: string,
  spacesUrl?: string,
): string {
  const use = token ?? `$(cat '${tokenFile}')`;
  return [
    `${title}: ${url}`,
    token === undefined ? `Token: in ${tokenFile}` : `Token: ${token}  (kept in ${tokenFile})`,
    ...(spacesUrl === undefined ? [] : [`Spaces (S3): ${spacesUrl}, with keys of /v2/spaces/keys`]),
    "",
    `  curl -H "Authorization: Bearer ${use}" ${url}/v2/account`,
    `  doctl --api-url ${url} --access-token "${use}" compute droplet list`,
    `  export DIGITALOCEAN_API_URL=${url} DIGITALOCEAN_TOKEN="${use}"   # Pulumi, Terraform`,
    "",
    end,
  ].join("\n");
}
