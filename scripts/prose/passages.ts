/** Finds the English in a file: the text of Markdown, and the comments and strings of code. */
import type { Nodes } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmTableFromMarkdown } from "mdast-util-gfm-table";
import { gfmTable } from "micromark-extension-gfm-table";
import * as ts from "typescript";

/** A paragraph, heading, table cell, comment or string. */
export interface Passage {
  readonly kind: "text" | "comment" | "string";
  /** Code in backticks is replaced with underscores, so that no rule applies to it. */
  readonly text: string;
  readonly pieces: readonly Piece[];
}

/** A part of a passage that is on one line of the file. */
interface Piece {
  readonly text: string;
  /** Counted from 1. */
  readonly line: number;
}

/** The passages of a file, in order. A file of an unknown type has none. */
export function passagesOf(path: string, content: string): Passage[] {
  if (path.endsWith(".md")) return markdownPassages(content);
  if (/\.([cm]?ts|[cm]?js)$/.test(path)) return typeScriptPassages(path, content);
  return lineComments(path, content);
}

/** The line of the file that holds the character at `position` of the passage. */
export function lineAt({ pieces }: Passage, position: number): number {
  let end = 0;
  for (const { text, line } of pieces) {
    end += text.length;
    if (position < end) return line;
  }
  return pieces.at(-1)?.line ?? 1;
}

function passage(kind: Passage["kind"], pieces: readonly Piece[]): Passage {
  const text = pieces.map((piece) => piece.text).join("");
  return { kind, text: text.replace(/`[^`]*`/g, (code) => code.replace(/[^`\s]/g, "_")), pieces };
}

/** One piece for each line of a text whose first line is `line` of the file. */
function piecesOf(text: string, line: number): Piece[] {
  return text.split(/(?<=\n)/).map((part, index) => ({ text: part, line: line + index }));
}

function markdownPassages(content: string): Passage[] {
  const passages: Passage[] = [];
  const visit = (node: Nodes): void => {
    if (node.type === "paragraph" || node.type === "heading" || node.type === "tableCell") {
      passages.push(passage("text", piecesOf(plainText(node), node.position?.start.line ?? 1)));
    } else if ("children" in node) {
      for (const child of node.children) visit(child);
    }
  };
  visit(fromMarkdown(content, { extensions: [gfmTable()], mdastExtensions: [gfmTableFromMarkdown()] }));
  return passages;
}

function plainText(node: Nodes): string {
  if (node.type === "text") return node.value;
  if (node.type === "inlineCode") return `\`${node.value}\``;
  if (node.type === "break") return "\n";
  return "children" in node ? node.children.map(plainText).join("") : "";
}

function typeScriptPassages(path: string, content: string): Passage[] {
  const file = ts.createSourceFile(path, content, ts.ScriptTarget.Latest, true);
  const lineOf = (position: number) => file.getLineAndCharacterOfPosition(position).line + 1;
  const strings: Passage[] = [];
  const comments = new Map<number, ts.CommentRange>();
  const visit = (node: ts.Node): void => {
    const start = node.getFullStart();
    for (const range of [
      ...(ts.getTrailingCommentRanges(content, start) ?? []),
      ...(ts.getLeadingCommentRanges(content, start) ?? []),
    ]) {
      comments.set(range.pos, range);
    }
    const isPart = ts.isBinaryExpression(node.parent ?? node) && isText(node.parent);
    if (isText(node) && !isPart && !isModuleName(node))
      strings.push(passage("string", stringPieces(node, lineOf)));
    for (const child of node.getChildren(file)) if (!ts.isJSDoc(child)) visit(child);
  };
  visit(file);
  const inOrder = [...comments.values()].sort((one, other) => one.pos - other.pos);
  return [...commentPassages(inOrder, content, lineOf), ...strings];
}

/** The name of a module in an import, an export, `import("...")` or `require("...")`. */
function isModuleName({ parent }: ts.Node): boolean {
  if (ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent)) return true;
  if (ts.isLiteralTypeNode(parent)) return true;
  return ts.isCallExpression(parent) && /^(require|import)$/.test(parent.expression.getText());
}

type Text = ts.StringLiteralLike | ts.TemplateExpression | ts.BinaryExpression;

/** A string, a template, or several of them joined by `+`. */
function isText(node: ts.Node): node is Text {
  if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) return true;
  return (
    ts.isBinaryExpression(node) &&
    node.operatorToken.kind === ts.SyntaxKind.PlusToken &&
    isText(node.left) &&
    isText(node.right)
  );
}

/** The text of a string. Each value that a template puts in is shown as `_`. */
function stringPieces(node: ts.Node, lineOf: (position: number) => number): Piece[] {
  if (ts.isBinaryExpression(node)) {
    return [...stringPieces(node.left, lineOf), ...stringPieces(node.right, lineOf)];
  }
  if (ts.isTemplateExpression(node)) {
    return [
      ...piecesOf(`${node.head.text}_`, lineOf(node.head.getStart())),
      ...node.templateSpans.flatMap(({ literal }) =>
        piecesOf(literal.text + (ts.isTemplateTail(literal) ? "" : "_"), lineOf(literal.getStart())),
      ),
    ];
  }
  return ts.isStringLiteralLike(node) ? piecesOf(node.text, lineOf(node.getStart())) : [];
}

/** One passage for each block comment, and for each run of line comments on consecutive lines. */
function commentPassages(
  ranges: readonly ts.CommentRange[],
  content: string,
  lineOf: (position: number) => number,
): Passage[] {
  const found: Piece[][] = [];
  let lastLine = Number.NaN;
  for (const { pos, end, kind } of ranges) {
    const line = lineOf(pos);
    const text = content.slice(pos, end);
    if (kind === ts.SyntaxKind.MultiLineCommentTrivia) {
      found.push(piecesOf(text.replace(/^\/\*\*?[^\S\n]*|\*\/$/g, "").replace(/^[^\S\n]*\* ?/gm, ""), line));
      continue;
    }
    const piece = { text: `${text.replace(/^\/\/+ ?/, "")}\n`, line };
    if (line === lastLine + 1) found.at(-1)?.push(piece);
    else found.push([piece]);
    lastLine = line;
  }
  return found.map((pieces) => passage("comment", pieces));
}

/** The comments that take whole lines, of the file types in which this is enough. */
function lineComments(path: string, content: string): Passage[] {
  const prefix = commentPrefix(path, content);
  if (prefix === undefined) return [];
  const found: Piece[][] = [];
  for (const [index, line] of content.split("\n").entries()) {
    const comment = prefix.exec(line)?.[1];
    if (comment === undefined || line.startsWith("#!")) continue;
    const piece = { text: `${comment}\n`, line: index + 1 };
    if (found.at(-1)?.at(-1)?.line === index) found.at(-1)?.push(piece);
    else found.push([piece]);
  }
  return found.map((pieces) => passage("comment", pieces));
}

function commentPrefix(path: string, content: string): RegExp | undefined {
  if (path.endsWith(".sql")) return /^\s*--\s+(.*)/;
  if (path.endsWith(".go")) return /^\s*\/\/ (.*)/;
  const isScript = /^#! ?\S*\/(env )?(ba|da)?sh\b|^#! ?\S*python/.test(content);
  if (isScript || /\.(sh|py|ya?ml|conf|cnf|service|slice|socket|timer|template)$/.test(path)) {
    return /^\s*#+ (.*)/;
  }
  return undefined;
}
