/**
 * Writes one line of JSON for each event to the journal. Events and fields are the program's own words and contain no
 * user data.
 */
export type Log = (level: "info" | "warn" | "error", event: string, fields?: Record<string, unknown>) => void;

export const journal: Log = (level, event, fields = {}) => {
  process.stdout.write(`${JSON.stringify({ level, event, ...fields })}\n`);
};

/** mysql2's error codes if the server's certificate is not trusted, or the server has no TLS. */
const refusals: readonly unknown[] = ["HANDSHAKE_SSL_ERROR", "HANDSHAKE_NO_SSL_SUPPORT"];

/** True if a connection failed because the server was not trusted; false if the server did not answer. */
export function isRefusal(error: unknown): boolean {
  return refusals.includes((error as { code?: unknown }).code);
}

/**
 * An error as log fields: its code and the server's error number, but not its text, which may contain a statement's
 * values. The exception is a refused server, whose error text says what is wrong with its certificate.
 */
export function errorFields(error: unknown): Record<string, unknown> {
  const { code, errno, name, message } = error as Record<"code" | "errno" | "name" | "message", unknown>;
  return {
    code: code ?? name ?? "unknown",
    ...(typeof errno === "number" ? { errno } : {}),
    ...(isRefusal(error) ? { reason: message } : {}),
  };
}
