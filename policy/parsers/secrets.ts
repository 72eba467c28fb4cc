/**
 * Finds secrets in a text: tokens in formats that their issuers document, private keys, and passwords that the text
 * labels as passwords. It returns the kind, never the value.
 */

interface Form {
  readonly kind: string;
  readonly pattern: RegExp;
}

/** Unambiguous formats: a match is a secret in any context. */
const tokenForms: readonly Form[] = [
  { kind: "a private key", pattern: /-----BEGIN (?:[A-Z0-9]+ ){0,2}PRIVATE KEY-----/ },
  { kind: "a DigitalOcean token", pattern: /\bdo[por]_v1_[a-f0-9]{64}\b/ },
  { kind: "an AWS access key", pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/ },
  { kind: "a GitHub token", pattern: /\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pat_\w{50,}/ },
  { kind: "a GitLab token", pattern: /\bglpat-[\w-]{20,}/ },
  { kind: "a Slack token", pattern: /\bxox[abeoprs]-[\w-]{10,}/ },
  { kind: "a Slack webhook", pattern: /hooks\.slack\.com\/services\/T\w+\/B\w+\/\w{20,}/ },
  { kind: "a Stripe key", pattern: /\b[sr]k_live_[A-Za-z0-9]{20,}/ },
  { kind: "a Google API key", pattern: /\bAIza[\w-]{35}\b/ },
  { kind: "an npm token", pattern: /\bnpm_[A-Za-z0-9]{36}\b/ },
  { kind: "a SendGrid key", pattern: /\bSG\.[\w-]{22}\.[\w-]{43}\b/ },
  { kind: "a JSON Web Token", pattern: /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/ },
];
const anyToken = new RegExp(tokenForms.map(({ pattern }) => pattern.source).join("|"));

/** The kind of a token or key in a known format; undefined if the text contains none. */
export function findToken(text: string): string | undefined {
  if (!anyToken.test(text)) return undefined;
  return tokenForms.find(({ pattern }) => pattern.test(text))?.kind;
}

const inUrl = /\b[a-z][a-z0-9+.-]{1,30}:\/\/[^\s:@/"'<>]{0,64}:([^\s@/"'<>]{4,128})@/gi;
const inStatement =
  /\b(?:IDENTIFIED(?:\s+WITH\s+\w+)?\s+BY|(?:SOURCE|MASTER)_PASSWORD\s*=)\s*'([^'\n]{4,128})'/gi;
const inSetting =
  /(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key)[a-z0-9_-]{0,20}["']?[ \t]*(?:[:=][ \t]*|[ \t])["']?([A-Za-z0-9+/=_.~!@#%^&*-]{12,128})/gi;

/** The kind of the first secret in a text; undefined if it contains none. */
export function findSecret(text: string): string | undefined {
  const token = findToken(text);
  if (token !== undefined) return token;
  for (const [, password = ""] of text.matchAll(inUrl)) {
    if (!isPlaceholder(password)) return "a password in an address";
  }
  for (const [, password = ""] of text.matchAll(inStatement)) {
    if (!isPlaceholder(password)) return "a password in a statement";
  }
  for (const [, value = ""] of text.matchAll(inSetting)) {
    if (isRandom(value)) return "a password, key or token";
  }
  return undefined;
}

/** A value that another program fills in. */
function isPlaceholder(value: string): boolean {
  return /[$%]\{|\$\(|\{\{|^\$\w+$|^[*x]+$|^%[\w-]+%$/i.test(value);
}

/** True if a value looks generated: it mixes letters and digits, and repeats few characters. */
export function isRandom(value: string): boolean {
  if (value.length < 12 || isPlaceholder(value) || value.startsWith("/") || uuid.test(value)) return false;
  if (!/[a-z]/i.test(value) || !/\d/.test(value)) return false;
  // Names, versions, addresses, and words with a number after them.
  if (/^[a-z]+([-_.][a-z]+)*[-_.]?\d*$/i.test(value) || /^[\w-]+(\.[\w-]+)+(:\d+)?$/.test(value))
    return false;
  return entropy(value) >= 3.2;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Bits per character (Shannon entropy): words have about 2.5, random letters and digits more than 3.5. */
function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}
