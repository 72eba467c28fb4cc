/** Says whether the statements that a script gives to a database client are known. */
import type { ShellCommand } from "../parsers/shell";
import type { ShellWord } from "../parsers/shell-word";
import type { ShellState } from "./shell-state";

/** The parts of a script that a client reads. */
interface ClientContext {
  readonly state: ShellState;
  /** The texts of known files. */
  readonly files: ReadonlyMap<string, string>;
  readonly input: string | undefined;
}

/** A client of MySQL: its statements must be known, so that the policies can check them. */
export function whyClient(
  args: readonly ShellWord[],
  command: ShellCommand,
  { files, state, input }: ClientContext,
): string | undefined {
  const why = "it gives MySQL statements that are unknown";
  const at = args.findIndex(({ text }) => /^-[a-zA-Z]*e$|^--execute$/.test(text));
  const joined = args.find(({ text }) => text.startsWith("--execute=") || /^-e./.test(text));
  if (at !== -1 || joined !== undefined) {
    const statement = joined ?? args[at + 1];
    return statement !== undefined && isKnownSql(statement) ? undefined : why;
  }
  const read = command.reads.map((word) => state.path(word));
  if (read.length > 0) return read.every((path) => path !== undefined && files.has(path)) ? undefined : why;
  if (command.hereDocument !== undefined || command.pipedFrom !== undefined) {
    const text = input ?? command.hereDocument?.text;
    if (text !== undefined && runsFile.test(text)) return why;
    return text !== undefined && (input !== undefined || !/\$\(|`/.test(text)) ? undefined : why;
  }
  return undefined;
}

/** Commands of the client that run a file or a program. */
const runsFile = /(?:^|;)\s*(?:source|system|\\[.!])\s/im;

/** Values of variables in a statement (a user's name, a password) change nothing that the policies check. */
function isKnownSql({ known, text, parts, raw }: ShellWord): boolean {
  // The client can run a file or a command. The policies search statements in the script as it is written, so a
  // statement of several quoted pieces is not found.
  if (runsFile.test(text) || !isOneQuotedText(raw)) return false;
  if (known) return true;
  const literal = parts.map((part) => (part.kind === "text" ? part.text : "x")).join("");
  return (
    text !== "" &&
    /^\s*(?:CREATE|GRANT|ALTER\s+USER|DROP|SELECT|INSERT|UPDATE|DELETE|FLUSH|SHOW|USE)\b[^;]*(?:;\s*(?:(?:CREATE|GRANT|ALTER\s+USER|DROP|SELECT|INSERT|UPDATE|DELETE|FLUSH|SHOW|USE)\b[^;]*)?)*$/i.test(
      literal,
    )
  );
}

/** True if a word is written as one piece: between two equal quotes, or without quotes. */
function isOneQuotedText(raw: string): boolean {
  const quote = /^["']/.exec(raw)?.[0];
  const rest = raw.replace(/\\["']/g, "");
  if (quote === undefined)
    return !/["']/.test(rest.replace(/^-e|^--execute=/, "").replace(/^(["'])[^"']*\1$/, ""));
  return rest.indexOf(quote, 1) === rest.length - 1;
}
