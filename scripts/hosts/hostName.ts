import { type Failure, usageFailure } from "../failure";

/** The name of a host ("db-1") that an argument gives by this name or by the droplet's ("dev-db-1"). */
export function hostName(stack: string, given: string): string {
  return given.startsWith(`${stack}-`) ? given.slice(stack.length + 1) : given;
}

/** A Failure (exit code 2) that lists the stack's hosts. */
export function noSuchHost(host: string, names: readonly string[]): Failure {
  return usageFailure(
    `The stack has no host "${host}"`,
    names.length === 0 ? "The stack is not up. Run: npm run up" : `Its hosts: ${names.join(", ")}.`,
  );
}
