/** Words of shell scripts: literal text, variables, and parts whose text only the host knows. */

/** A piece of a word: literal text, a variable (`$name`, `${name}`), or an expansion of unknown text. */
export type ShellPart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "variable"; readonly name: string; readonly quoted: boolean }
  | { readonly kind: "unknown" };

export interface ShellWord {
  readonly parts: readonly ShellPart[];
  /** The literal text. If the word is not literal, the text before its first expansion. */
  readonly text: string;
  /** False if a part of it depends on a variable, a command or a pattern. */
  readonly known: boolean;
  /** As written, with its quotes. */
  readonly raw: string;
  /** Nested scripts: `$(...)`, backticks, `<(...)`. */
  readonly scripts: readonly string[];
}

export const unknownPart: ShellPart = { kind: "unknown" };

/** Collects the parts of a word. */
export class WordDraft {
  readonly parts: ShellPart[] = [];
  readonly scripts: string[] = [];

  add(text: string): void {
    const last = this.parts.at(-1);
    if (last?.kind === "text") this.parts[this.parts.length - 1] = { kind: "text", text: last.text + text };
    else this.parts.push({ kind: "text", text });
  }

  addPart(part: ShellPart): void {
    this.parts.push(part);
  }

  finish(raw: string): ShellWord {
    return wordOf(this.parts, raw, this.scripts);
  }
}

export function wordOf(parts: readonly ShellPart[], raw: string, scripts: readonly string[] = []): ShellWord {
  const known = parts.every(({ kind }) => kind === "text");
  return { parts, raw, scripts, known, text: textBeforeExpansion(parts) };
}

function textBeforeExpansion(parts: readonly ShellPart[]): string {
  let text = "";
  for (const part of parts) {
    if (part.kind !== "text") break;
    text += part.text;
  }
  return text;
}

/** Known values of variables. */
export type Variables = ReadonlyMap<string, string>;

/**
 * The words that a word becomes with the known values of variables. The shell splits the value of a variable without
 * quotes at its spaces.
 */
export function withValues(word: ShellWord, variables: Variables): readonly ShellWord[] {
  if (!word.parts.some((part) => part.kind === "variable" && variables.has(part.name))) return [word];
  const words: WordDraft[] = [new WordDraft()];
  const current = () => words.at(-1) as WordDraft;
  for (const part of word.parts) {
    const value = part.kind === "variable" ? variables.get(part.name) : undefined;
    if (part.kind === "text") current().add(part.text);
    else if (part.kind !== "variable" || value === undefined) current().addPart(part);
    else if (part.quoted) current().add(value);
    else {
      const pieces = value.split(/[ \t\n]+/);
      current().add(pieces[0] ?? "");
      for (const piece of pieces.slice(1)) {
        words.push(new WordDraft());
        current().add(piece);
      }
    }
  }
  return words.map((draft, at) => {
    const { raw } = word;
    return at === 0 ? wordOf(draft.parts, raw, word.scripts) : draft.finish(raw);
  });
}

/** As `withValues`, for a place that takes one word (a redirection, an assignment). */
export function asOneWord(word: ShellWord, variables: Variables): ShellWord {
  const quoted = word.parts.map((part) => (part.kind === "variable" ? { ...part, quoted: true } : part));
  return withValues({ ...word, parts: quoted }, variables)[0] ?? word;
}

export interface HereDocument {
  readonly text: string;
  /** False if a part of it depends on a variable or a command. */
  readonly known: boolean;
  readonly parts: readonly ShellPart[];
}

export function hereDocumentOf(parts: readonly ShellPart[]): HereDocument {
  const known = parts.every(({ kind }) => kind === "text");
  return { parts, known, text: parts.map((part) => (part.kind === "text" ? part.text : "")).join("") };
}

/** The parts of a here-document without quotes around its delimiter: the shell expands it. */
export function partsOfHereDocument(text: string): readonly ShellPart[] {
  const draft = new WordDraft();
  const pattern = /\\([$`\\])|\\\n|\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*)|[{(@*#?$!0-9-])|`/g;
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    draft.add(text.slice(at, match.index));
    at = match.index + match[0].length;
    const name = match[2] ?? match[3];
    if (match[0].startsWith("\\")) draft.add(match[1] ?? "");
    else draft.addPart(name === undefined ? unknownPart : { kind: "variable", name, quoted: true });
  }
  draft.add(text.slice(at));
  return draft.parts;
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", e: "\x1b", a: "\x07" };

/** The text of `$'...'`, without its quotes. */
export function decodeAnsiC(text: string): string {
  return text.replace(
    /\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|u([0-9a-fA-F]{1,4})|(.))/gs,
    (_, hex?: string, octal?: string, unicode?: string, letter = "") => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
      if (unicode !== undefined) return String.fromCharCode(Number.parseInt(unicode, 16));
      return escapes[letter] ?? letter;
    },
  );
}
