/**
 * Checks the project's English against the word list in rules.ts.
 *
 * An exception is written into the text, on the line of the finding or on the line before the passage:
 * `prose-allow RULE: REASON`, in a comment of the file's language.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryFiles } from "../verify/repositoryFiles";
import { lineAt, type Passage, passagesOf } from "./passages";
import { type Rule, rules } from "./rules";

export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/** Files whose text is not ours, or is generated from files that are checked. */
const excluded = [
  /(^|\/)package-lock\.json$/,
  /^test\/payload\/golden\//,
  /^docs\/configuration\.md$/,
  // A change of these files changes the version that hosts report, and so the bytes of their user data.
  /^infra\/payload\//,
  // Its hash names the base image, so a changed comment would build the image again.
  /^sandbox\/hosts\/image\/build\.sh$/,
  // These two contain the bad examples.
  /^scripts\/prose\/rules\.ts$/,
  /^test\/scripts\/prose\.test\.ts$/,
];

/** Folders and files whose language is not revised yet. */
const pending = [/^test\//];

/** The files of the repository that the check reads. */
export function proseFiles(projectDir: string): string[] {
  return repositoryFiles(projectDir).filter(
    (path) => ![...excluded, ...pending].some((pattern) => pattern.test(path)),
  );
}

export function checkProse(projectDir: string, paths: readonly string[]): Finding[] {
  return paths.flatMap((path) => checkText(path, readFileSync(join(projectDir, path), "utf8")));
}

const compiled = rules.map((rule) => ({
  ...rule,
  pattern: new RegExp(
    rule.pattern.source.replaceAll(" ", "\\s+"),
    `${rule.pattern.flags}g${rule.matchCase ? "" : "i"}`,
  ),
}));

/** The findings in one file: forms that a rule forbids, and exceptions that are incomplete or unused. */
export function checkText(path: string, content: string): Finding[] {
  const exceptions = exceptionsOf(content);
  const findings: Finding[] = [];
  for (const passage of passagesOf(path, withoutExceptions(content))) {
    for (const rule of compiled) {
      for (const { index, text } of matches(rule, passage)) {
        const line = lineAt(passage, index);
        const exception = exceptions.find(
          ({ name, line: at }) => name === rule.name && (at === line || at === firstLine(passage) - 1),
        );
        if (exception) exception.isUsed = true;
        else findings.push({ path, line, message: `${rule.name}: "${text}". Write: ${rule.write}` });
      }
    }
  }
  for (const { name, reason, line, isUsed } of exceptions) {
    if (reason === "") findings.push({ path, line, message: `the exception from ${name} lacks a reason` });
    else if (!isUsed) findings.push({ path, line, message: `the exception from ${name} is not needed` });
  }
  return findings.sort((one, other) => one.line - other.line);
}

function matches({ pattern, kind }: Rule, passage: Passage): { index: number; text: string }[] {
  if (kind !== undefined && kind !== passage.kind) return [];
  return [...passage.text.matchAll(pattern)].map((match) => ({
    index: match.index,
    text: match[0].trim().replace(/\s+/g, " ").slice(0, 60),
  }));
}

function firstLine({ pieces }: Passage): number {
  return pieces[0]?.line ?? 1;
}

/** The content with spaces in place of its exceptions, whose text is not checked. */
function withoutExceptions(content: string): string {
  return content.replace(/prose-allow ((?!\*\/|-->).)*/g, (text) => " ".repeat(text.length));
}

interface Exception {
  readonly name: string;
  readonly reason: string;
  readonly line: number;
  isUsed: boolean;
}

function exceptionsOf(content: string): Exception[] {
  return content.split("\n").flatMap((text, index) => {
    const [, name, reason = ""] = /(?:\/\/|\/\*|#|<!--) prose-allow ([\w-]+):?([^*>-]*)/.exec(text) ?? [];
    return name === undefined ? [] : [{ name, reason: reason.trim(), line: index + 1, isUsed: false }];
  });
}
