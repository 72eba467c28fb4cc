/** One line of JSON for each event, for the journal. Events and fields are the program's own words: no user data. */
export type Log = (level: "info" | "warn" | "error", event: string, fields?: Record<string, unknown>) => void;

export const journal: Log = (level, event, fields = {}) => {
  process.stdout.write(`${JSON.stringify({ level, event, ...fields })}\n`);
};

/** mysql2's codes where the server shows a certificate that is not to be trusted, or speaks no TLS. */
const refusals: readonly unknown[] = ["HANDSHAKE_SSL_ERROR", "HANDSHAKE_NO_SSL_SUPPORT"];

/** Whether a connection was not made because of who the server is, and not because it does not answer. */
export function isRefusal(error: unknown): boolean {
  return refusals.includes((error as { code?: unknown }).code);
}

/**
 * An error as fields: its code and the server's number, not its text, which may quote a statement's values; but for a
 * refused server, whose text says what is wrong with its certificate.
 */
export function errorFields(error: unknown): Record<string, unknown> {
  const { code, errno, name, message } = error as Record<"code" | "errno" | "name" | "message", unknown>;
  return {
    code: code ?? name ?? "unknown",
    ...(typeof errno === "number" ? { errno } : {}),
    ...(isRefusal(error) ? { reason: message } : {}),
  };
}
