/**
 * The message of a violation: the resource, the problem, why it matters, and the change that fixes it.
 *
 * Policies receive secrets in plain text, so a message never contains a raw value. It contains a value only if the
 * value is in a closed vocabulary (`quoted`), or is an address or port that the policy has parsed, a configuration
 * path of a known form, or a name that Pulumi prints anyway.
 */
import { containsKey } from "../parsers/secrets";
import { findToken } from "../parsers/token-forms";

export interface Violation {
  /** The place in the resource: a property path, or a host and a file on it. */
  readonly at?: string;
  /** The problem, as a clause without a full stop. */
  readonly problem: string;
  /** Why it matters, as a sentence without a full stop. */
  readonly why: string;
  /** The change that fixes it, as an imperative sentence without a full stop. */
  readonly fix: string;
}

/** The message of a violation, for example `LoadBalancer "edge", forwardingRules[0]: ...`. */
export function formatMessage(
  resource: { readonly type: string; readonly name: string },
  violation: Violation,
): string {
  const kind = resource.type.split(":").at(-1) ?? resource.type;
  const place = violation.at === undefined ? "" : `, ${violation.at}`;
  return `${kind} "${resource.name}"${place}: ${violation.problem}. Why: ${violation.why}. Fix: ${violation.fix}.`;
}

/**
 * The value in quotes if the vocabulary contains it (ignoring case); otherwise a phrase that reveals nothing of it.
 */
export function quoted(value: string, vocabulary: readonly string[]): string {
  const word = vocabulary.find((candidate) => candidate.toLowerCase() === value.toLowerCase());
  return word === undefined ? "a value that is not allowed" : `"${word}"`;
}

/** An absolute path without spaces. A path is no secret, unless a part of it is a token or a key. */
export function shownPath(path: string): string {
  const isPlain = /^\/(?:[\w.@+:-]{1,60}\/){0,12}[\w.@+:-]{1,80}$/.test(path);
  return isPlain && findToken(path) === undefined && !containsKey(path)
    ? path
    : "a file with an unusual path";
}

/** A host name or address if it has the form of one; otherwise a phrase that reveals nothing of it. */
export function shownHost(host: string): string {
  return /^[A-Za-z0-9][A-Za-z0-9.-]{0,80}$/.test(host) || /^\[[0-9a-fA-F:.]{2,45}\]$/.test(host)
    ? host
    : "another host";
}
