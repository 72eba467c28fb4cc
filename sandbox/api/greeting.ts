/**
 * What a person needs to use the API. A token must not end up in a log: it is given for a terminal alone. `end` says how
 * to stop the API.
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
