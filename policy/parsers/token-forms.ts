/**
 * Formats of tokens and keys that their issuers document, or that the scanners of GitHub and GitLab publish. A match
 * is a secret in any context.
 */

interface Form {
  readonly kind: string;
  readonly pattern: RegExp;
}

const tokenForms: readonly Form[] = [
  { kind: "a private key", pattern: /-----BEGIN (?:[A-Z0-9]+ ){0,2}PRIVATE KEY(?: BLOCK)?-----/ },
  { kind: "an age key", pattern: /\bAGE-SECRET-KEY-1[A-Z0-9]{58}\b/ },
  { kind: "a DigitalOcean token", pattern: /\bdo[por]_v1_[a-f0-9]{64}\b|\bsk-do-[\w-]{40,}/ },
  { kind: "a Spaces access key", pattern: /\bDO00[A-Z0-9]{16}\b/ },
  { kind: "an AWS access key", pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/ },
  { kind: "a GitHub token", pattern: /\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pat_\w{50,}/ },
  { kind: "a GitLab token", pattern: /\bgl(?:pat|dt|rt|cbt|ptt|soat|ft|agent|imt)-[\w-]{20,}/ },
  { kind: "a Slack token", pattern: /\bxox[abeoprs]-[\w-]{10,}|\bxapp-\d-[\w-]{20,}/ },
  { kind: "a Slack webhook", pattern: /hooks\.slack\.com\/services\/T\w+\/B\w+\/\w{20,}/ },
  { kind: "a Discord webhook", pattern: /discord(?:app)?\.com\/api\/webhooks\/\d{15,}\/[\w-]{50,}/ },
  { kind: "a Telegram token", pattern: /\b\d{8,10}:AA[\w-]{33}\b/ },
  { kind: "a Stripe key", pattern: /\b[sr]k_live_[A-Za-z0-9]{20,}|\bwhsec_[A-Za-z0-9+/]{32,}/ },
  { kind: "a Google API key", pattern: /\bAIza[\w-]{35}\b|\bGOCSPX-[\w-]{28}\b|\bya29\.[\w-]{30,}/ },
  { kind: "an npm token", pattern: /\bnpm_[A-Za-z0-9]{36}\b/ },
  { kind: "a PyPI token", pattern: /\bpypi-AgE[\w-]{50,}/ },
  { kind: "a Docker token", pattern: /\bdckr_(?:pat|oat)_[\w-]{20,}/ },
  { kind: "a SendGrid key", pattern: /\bSG\.[\w-]{22}\.[\w-]{43}\b/ },
  { kind: "a Mailgun key", pattern: /\bkey-[a-f0-9]{32}\b/ },
  { kind: "a Twilio key", pattern: /\bSK[a-f0-9]{32}\b/ },
  {
    kind: "a Tailscale key",
    pattern: /\btskey-[a-z]+-[A-Za-z0-9]{5,}-[A-Za-z0-9]{10,}|\btskey-[A-Za-z0-9]{12,}/,
  },
  {
    kind: "a Doppler token",
    pattern: /\bdp\.(?:st|pt|ct|sa|scim|audit|sid)\.(?:[\w-]{1,40}\.)?[A-Za-z0-9]{32,}/,
  },
  { kind: "a Vault token", pattern: /\bhv[sbr]\.[\w-]{24,}/ },
  { kind: "a Terraform Cloud token", pattern: /\b[A-Za-z0-9]{14}\.atlasv1\.[\w-]{60,}/ },
  { kind: "a Pulumi token", pattern: /\bpul-[a-f0-9]{40}\b/ },
  {
    kind: "an OpenAI or Anthropic key",
    pattern: /\bsk-(?:proj-|svcacct-|ant-[a-z0-9]+-)?[A-Za-z0-9_-]{40,}/,
  },
  { kind: "a Hugging Face token", pattern: /\bhf_[A-Za-z0-9]{34}\b/ },
  { kind: "a New Relic key", pattern: /\bNRAK-[A-Z0-9]{27}\b|\b[a-f0-9]{36}NRAL\b/ },
  { kind: "a Grafana token", pattern: /\bglsa_[A-Za-z0-9]{32}_[a-f0-9]{8}\b|\bglc_[A-Za-z0-9+/=]{32,}/ },
  { kind: "a Sentry token", pattern: /\bsntry[su]_[\w+/=-]{40,}/ },
  { kind: "a Shopify token", pattern: /\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b/ },
  { kind: "a PlanetScale secret", pattern: /\bpscale_(?:tkn|pw|oauth)_[\w.-]{32,}/ },
  { kind: "a Linear key", pattern: /\blin_api_[A-Za-z0-9]{40}\b/ },
  { kind: "a Databricks token", pattern: /\bdapi[a-f0-9]{32}\b/ },
  { kind: "a Fly.io token", pattern: /\bFlyV1 fm\d_[\w+/=]{40,}/ },
  { kind: "a Supabase token", pattern: /\bsb(?:p_[a-f0-9]{40}|_secret_[\w-]{20,})/ },
  { kind: "a Postman key", pattern: /\bPMAK-[a-f0-9]{24}-[a-f0-9]{34}\b/ },
  { kind: "an Atlassian token", pattern: /\bATATT3[\w=-]{100,}/ },
  { kind: "a K3s token", pattern: /\bK10[a-f0-9]{64}::\w+/ },
  { kind: "a JSON Web Token", pattern: /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/ },
];
const anyToken = new RegExp(tokenForms.map(({ pattern }) => pattern.source).join("|"));

/** The kind of a token or key in a known format; undefined if the text contains none. */
export function findToken(text: string): string | undefined {
  if (!anyToken.test(text)) return undefined;
  return tokenForms.find(({ pattern }) => pattern.test(text))?.kind;
}
