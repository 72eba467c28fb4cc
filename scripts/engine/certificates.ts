/** The certificates of a stack's hosts, as its state has them, and the settings that revoke them. */
import { formatRevoked, parseRevoked, revocationOf } from "../../infra/config/revoked";
import { parseUrn } from "./journal";
import { type StoredStack, stashed } from "./stateFile";
import type { ConfigOverride } from "./workDir";

/** The resources that an update of the lists changes, by their names. */
export const REVOCATION_RESOURCES: readonly string[] = ["main-revoked", "main-former", "main-revocations"];

/**
 * The settings that note certificates as former ones, so that a rotation that is interrupted still revokes them.
 *
 * @param host the only host; default: all
 */
export function noteFormer(stored: StoredStack, host?: string): ConfigOverride {
  return former([...new Set([...kept(stored, "former"), ...certificates(stored, host)])]);
}

/** The settings that revoke the former certificates. */
export function revokeFormer(stored: StoredStack): ConfigOverride[] {
  return [revoke(stored, kept(stored, "former")), former([])];
}

/** The setting that revokes the certificates that a host has. */
export function revokeHost(stored: StoredStack, host: string): ConfigOverride {
  return revoke(stored, certificates(stored, host));
}

function former(value: readonly string[]): ConfigOverride {
  return { path: ["secured-web:rotation", "former"], value };
}

/** A certificate that has ended leaves the list. */
function revoke(stored: StoredStack, added: readonly string[]): ConfigOverride {
  const now = Math.floor(Date.now() / 1000);
  const before = kept(stored, "revoked").map(parseRevoked);
  const known = new Set(before.map(({ serial }) => serial));
  const more = added
    .map((text) => ({ ...parseRevoked(text), revokedAt: now }))
    .filter(({ serial }) => !known.has(serial));
  const value = [...before, ...more].filter(({ endsAt }) => endsAt > now).map(formatRevoked);
  return { path: ["secured-web:rotation", "revoked"], value };
}

function certificates({ resources }: StoredStack, host: string | undefined): string[] {
  return resources
    .filter(({ type }) => type === "tls:index/locallySignedCert:LocallySignedCert")
    .filter(({ urn }) => host === undefined || parseUrn(urn).name.startsWith(`main-${host}-`))
    .map(({ outputs }) => formatRevoked(revocationOf(String(outputs?.certPem), 0)));
}

function kept(stored: StoredStack, what: "former" | "revoked"): string[] {
  return (stashed(stored, what) ?? []) as string[];
}
