/**
 * Reader of MIME messages (RFC 2045, 2046, 5322), to the extent that cloud-init's user data needs it: the parts that
 * are not containers, decoded, with their headers.
 *
 * The MIME libraries on npm are asynchronous, and a policy must be synchronous.
 */

export interface MimePart {
  /** In lower case, without parameters, for example "text/cloud-config"; "text/plain" if the part has no type. */
  readonly type: string;
  /** Names in lower case. If a name occurs several times, the last one. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

export type MimeParse =
  | { readonly ok: true; readonly parts: readonly MimePart[] }
  | { readonly ok: false; readonly reason: string };

const maxDepth = 10;

/** The parts of a message, in order. Reasons never quote the text. */
export function parseMime(text: string): MimeParse {
  try {
    return { ok: true, parts: partsOf(text.replace(/\r\n?/g, "\n"), 0) };
  } catch (error) {
    if (error instanceof MimeError) return { ok: false, reason: error.message };
    throw error;
  }
}

class MimeError extends Error {}

function partsOf(text: string, depth: number): readonly MimePart[] {
  if (depth > maxDepth) throw new MimeError("its parts are nested too deeply");
  const { headers, body } = splitHeaders(text);
  const { type, parameters } = parseContentType(headers.get("content-type") ?? "");
  if (!type.startsWith("multipart/")) {
    return [{ type, headers, body: decodeBody(body, headers.get("content-transfer-encoding") ?? "7bit") }];
  }
  const boundary = parameters.get("boundary");
  if (boundary === undefined || boundary === "") throw new MimeError("a multi-part has no boundary");
  return splitAtBoundary(body, boundary).flatMap((part) => partsOf(part, depth + 1));
}

/** The headers, unfolded, and the text after the first empty line. */
function splitHeaders(text: string): { headers: ReadonlyMap<string, string>; body: string } {
  const headers = new Map<string, string>();
  const lines = text.split("\n");
  let last: string | undefined;
  let at = 0;
  for (; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const header = /^([!-9;-~]+)[ \t]*:(.*)$/.exec(line);
    if (/^[ \t]+\S/.test(line) && last !== undefined) {
      headers.set(last, `${headers.get(last) ?? ""} ${line.trim()}`);
    } else if (header !== null) {
      last = (header[1] ?? "").toLowerCase();
      headers.set(last, (header[2] ?? "").trim());
    } else break;
  }
  // Without an empty line, the rest is still the body, as in Python's parser.
  if (lines[at]?.trim() === "") at += 1;
  return { headers, body: lines.slice(at).join("\n") };
}

function parseContentType(value: string): { type: string; parameters: ReadonlyMap<string, string> } {
  const type = /^\s*([\w.+-]+\/[\w.+-]+)\s*(?:;|$)/.exec(value)?.[1]?.toLowerCase() ?? "text/plain";
  const parameters = new Map<string, string>();
  for (const [, name = "", quoted, bare] of value.matchAll(
    /;\s*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))/g,
  )) {
    parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, "$1") ?? bare ?? "");
  }
  return { type, parameters };
}

function splitAtBoundary(body: string, boundary: string): readonly string[] {
  const parts: string[][] = [];
  let current: string[] | undefined;
  for (const line of body.split("\n")) {
    const bare = line.trimEnd();
    if (bare === `--${boundary}--`) return parts.map((lines) => lines.join("\n"));
    if (bare === `--${boundary}`) {
      current = [];
      parts.push(current);
    } else current?.push(line);
  }
  if (parts.length === 0) throw new MimeError("a multi-part contains no part");
  throw new MimeError("a multi-part has no end");
}

function decodeBody(body: string, encoding: string): Buffer {
  switch (encoding.trim().toLowerCase()) {
    case "base64":
      return Buffer.from(body, "base64");
    case "quoted-printable":
      return decodeQuotedPrintable(body);
    case "7bit":
    case "8bit":
    case "binary":
      return Buffer.from(body);
    default:
      throw new MimeError("a part has a transfer encoding that MIME does not define");
  }
}

function decodeQuotedPrintable(body: string): Buffer {
  const joined = body.replace(/[ \t]+$/gm, "").replace(/=\n/g, "");
  const pieces = joined.split(/(=[0-9A-Fa-f]{2})/);
  return Buffer.concat(
    pieces.map((piece) =>
      /^=[0-9A-Fa-f]{2}$/.test(piece)
        ? Buffer.from([Number.parseInt(piece.slice(1), 16)])
        : Buffer.from(piece),
    ),
  );
}
