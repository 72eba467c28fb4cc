/**
 * Finds secrets in a text: tokens in formats that their issuers document, private keys, and passwords that the text
 * labels as passwords. It returns the kind, never the value.
 */
import { findToken } from "./token-forms";

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
  if (value.length < 12 || isPlaceholder(value) || value.startsWith("/")) return false;
  if (isOrdinaryName(value.replace(uuid, "id"))) return false;
  if (!/[a-z]/i.test(value) || !/\d/.test(value)) return false;
  // Names, versions, addresses, and words with a number after them.
  if (/^[a-z]+([-_.][a-z]+)*[-_.]?\d*$/i.test(value) || /^[\w-]+(\.[\w-]+)+(:\d+)?$/.test(value))
    return false;
  return entropy(value) >= 3.2;
}

/** At most so many characters of a name are a generated part: of a Pulumi or Kubernetes name, or a short digest. */
const generatedLength = 16;

/**
 * True for names that people and programs give to resources: words, numbers and sizes with marks between them
 * (`s-2vcpu-4gb`), and at most two short generated parts (`chatbot-manager-55ff515`, `web-6b7f9d8c5d-x2x7k`).
 */
function isOrdinaryName(value: string): boolean {
  if (value === "id") return true;
  if (!/^[a-z0-9]+([-_.:][a-z0-9]+)+$/.test(value) && !/^[A-Z0-9]+([-_.:][A-Z0-9]+)+$/.test(value))
    return false;
  const parts = value.toLowerCase().split(/[-_.:]/);
  if (!parts.some((part) => /^[a-z]{2,}$/.test(part))) return false;
  const generated = parts.filter((part) => !/^([a-z]+\d{0,8}|\d{1,14}[a-z]{0,8}|[a-z]\d[a-z])$/.test(part));
  return generated.length <= 2 && generated.join("").length <= generatedLength;
}

/** A key that is part of a name or a tag is longer than any number or generated part of an ordinary one. */
const shortestKey = 20;

/** True if a name or a tag contains text that looks like a key. */
export function containsKey(text: string): boolean {
  const parts = text.split(/[^A-Za-z0-9+/=]+/);
  return parts.some((part, at) => {
    if (part.length < shortestKey || entropy(part) < 3.2) return false;
    if (/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(part) && digestWord.test(parts[at - 1] ?? "")) return false;
    if (ulid.test(part) || !/[a-z]/i.test(part) || !/\d/.test(part)) return false;
    return changes(part) >= (part.length - 1) * 0.22;
  });
}

/** Words before the digest of a commit or an image. */
const digestWord =
  /^(commit|git|sha|sha1|sha256|rev|revision|release|build|version|image|deploy|digest|ref)$/i;
/** A time-ordered id (github.com/ulid/spec): the first ten characters are the time. */
const ulid = /^01[0-9a-hjkmnp-tv-z]{24}$/i;

/**
 * How often letters and digits, or small and capital letters, change within a text. Words change rarely. A capital
 * letter that begins a word does not count, as in `ShopFrontend`.
 */
function changes(text: string): number {
  const kind = (char: string) => (/\d/.test(char) ? "digit" : /[a-z]/.test(char) ? "small" : "capital");
  let count = 0;
  for (let at = 1; at < text.length; at += 1) {
    const before = kind(text[at - 1] ?? "");
    const after = kind(text[at] ?? "");
    if (before !== after && !(before === "capital" && after === "small")) count += 1;
  }
  return count;
}

const uuid = /\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/i;

/** Bits per character (Shannon entropy): words have about 2.5, random letters and digits more than 3.5. */
function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}
