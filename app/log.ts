/** One line of JSON for each event, for the journal. Events and fields are the program's own words: no user data. */
export type Log = (level: "info" | "warn" | "error", event: string, fields?: Record<string, unknown>) => void;

export const journal: Log = (level, event, fields = {}) => {
  process.stdout.write(`${JSON.stringify({ level, event, ...fields })}\n`);
};

/** An error as fields: its code and the server's number, not its text, which may quote a statement's values. */
export function errorFields(error: unknown): Record<string, unknown> {
  const { code, errno, name } = error as { code?: unknown; errno?: unknown; name?: unknown };
  return { code: code ?? name ?? "unknown", ...(typeof errno === "number" ? { errno } : {}) };
}
