/** Exit codes of the sandbox's commands. */
export const EXIT_CODES = { error: 1, usage: 2 } as const;

/**
 * An error that the user can fix. It is printed without a stack trace. `remedy` says what to do, in one line or more.
 */
export class Failure extends Error {
  readonly exitCode: number;
  readonly remedy: string | undefined;

  constructor(message: string, options: { remedy?: string; exitCode?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "Failure";
    this.remedy = options.remedy;
    this.exitCode = options.exitCode ?? EXIT_CODES.error;
  }
}

/** A wrong command line. */
export function usageFailure(message: string, remedy?: string): Failure {
  return new Failure(message, { exitCode: EXIT_CODES.usage, ...(remedy === undefined ? {} : { remedy }) });
}
