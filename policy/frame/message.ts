/**
 * What a violation says: the resource, the value that is wrong, why it matters, and the change that fixes it.
 *
 * Secrets reach policies in plain text, so a message never quotes a value as it came: it prints a value only where it
 * is one of a closed vocabulary (`quoted`), an address or port that the policy has parsed, a configuration path of a
 * known form, or a name that Pulumi itself prints.
 */

export interface Violation {
  /** Where in the resource: a property path, or a host and the file on it. */
  readonly at?: string;
  /** What is wrong, one clause without a full stop. */
  readonly problem: string;
  /** Why it matters, one sentence without a full stop. */
  readonly why: string;
  /** The change that fixes it, one sentence in the imperative, without a full stop. */
  readonly fix: string;
}

/** The message of a violation of a resource, e.g. `LoadBalancer "edge", forwardingRules[0]: ...`. */
export function formatMessage(
  resource: { readonly type: string; readonly name: string },
  violation: Violation,
): string {
  const kind = resource.type.split(":").at(-1) ?? resource.type;
  const place = violation.at === undefined ? "" : `, ${violation.at}`;
  return `${kind} "${resource.name}"${place}: ${violation.problem}. Why: ${violation.why}. Fix: ${violation.fix}.`;
}

/** The value in quotes where the vocabulary holds it (compared without case), else words that show nothing of it. */
export function quoted(value: string, vocabulary: readonly string[]): string {
  const word = vocabulary.find((candidate) => candidate.toLowerCase() === value.toLowerCase());
  return word === undefined ? "a value that is none of the allowed ones" : `"${word}"`;
}

/** A path where it has the form of a configuration file's path, else words that show nothing of it. */
export function shownPath(path: string): string {
  const isConfiguration =
    /^\/(?:[\w.@-]{1,40}\/){0,8}[\w.@-]{1,60}$/.test(path) && /nginx|mysql|haproxy|my\.cnf|\.cnf$/.test(path);
  return isConfiguration ? path : "a configuration file";
}

/** A host name or address where it has the form of one, else words that show nothing of it. */
export function shownHost(host: string): string {
  return /^[A-Za-z0-9][A-Za-z0-9.-]{0,80}$/.test(host) || /^\[[0-9a-fA-F:.]{2,45}\]$/.test(host)
    ? host
    : "another host";
}
