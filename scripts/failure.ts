import { Failure } from "../sandbox/index";

export { Failure, usageFailure } from "../sandbox/index";

/** The exit codes of the commands; --help prints this table. */
export const EXIT_CODES = {
  error: 1,
  usage: 2,
  refusedByPolicy: 3,
  busy: 4,
  interrupted: 130,
} as const;

export const EXIT_CODE_HELP =
  "0 done, 1 error, 2 wrong usage, 3 refused by a policy, 4 another command is running, 130 interrupted";

const SYSTEM_REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: "The disk is full. Free some space, then run the command again.",
  EDQUOT: "Your disk quota is used up. Free some space, then run the command again.",
  EROFS: "The file system is read-only. Set SECURED_WEB_HOME to a folder on a writable one.",
  EACCES: "You have no permission to write there. Set SECURED_WEB_HOME to one of your own folders.",
};

/**
 * The text for stderr: a Failure's own text, a system error with its remedy, or any other error with its stack trace.
 */
export function describeError(error: unknown): string {
  if (error instanceof Failure) {
    return error.remedy === undefined
      ? `Error: ${error.message}`
      : `Error: ${error.message}\n${indent(error.remedy)}`;
  }
  if (!(error instanceof Error)) return `Error: ${String(error)}`;
  const remedy = SYSTEM_REMEDIES[(error as NodeJS.ErrnoException).code ?? ""];
  if (remedy !== undefined) return `Error: ${error.message}\n${indent(remedy)}`;
  return `Error: ${error.stack ?? error.message}`;
}

export function exitCodeOf(error: unknown): number {
  return error instanceof Failure ? error.exitCode : EXIT_CODES.error;
}

function indent(text: string): string {
  return text.replace(/^/gm, "  ");
}
