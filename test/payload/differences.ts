/**
 * A host's golden text as its differences from another host's, in a form that a reviewer reads and that gives the text
 * back: a file that differs as a unified diff, a file of this host alone in full, a file that it lacks as its name.
 */
import assert from "node:assert/strict";
import { applyPatch, formatPatch, OMIT_HEADERS, structuredPatch } from "diff";

const here = " (only on this host)";
const settings = "=== (settings)";
const absent = " (not on this host)";
const nothing = "Every file is the same.\n";

/** The parts of a golden text by title ("=== PATH MODE"); the settings before the first file have no title. */
function parts(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const part of text.split(/(?<=\n)(?==== \/)/)) {
    const end = part.startsWith("=== ") ? part.indexOf("\n") + 1 : 0;
    found.set(part.slice(0, end).trimEnd(), part.slice(end));
  }
  return found;
}

function joined(all: ReadonlyMap<string, string>): string {
  const sorted = [...all].sort(([a], [b]) => (pathOf(a) < pathOf(b) ? -1 : 1));
  return sorted.map(([title, body]) => (title === "" ? body : `${title}\n${body}`)).join("");
}

/** The hash of a program that a host lacks is no difference of that host. */
function withoutHash(title: string): string {
  return title.split(" sha256:")[0] ?? title;
}

function pathOf(title: string): string {
  return title.split(" ")[1] ?? "";
}

/** What `host` has otherwise than `base`, a host whose golden text is in the file `baseName`. */
export function difference(baseName: string, base: string, host: string): string {
  const before = parts(base);
  const after = parts(host);
  const changes = new Map<string, string>();
  for (const title of before.keys()) if (!after.has(title)) changes.set(withoutHash(title) + absent, "");
  for (const [title, body] of after) {
    const old = before.get(title);
    if (old === undefined) changes.set(title + here, body);
    else if (old !== body) changes.set(title || settings, hunks(old, body));
  }
  const listed = [...changes].map(([title, body]) => `\n${title}\n${body}`);
  return `Compared with ${baseName}:\n${listed.join("") || nothing}`;
}

function hunks(before: string, after: string): string {
  return formatPatch(structuredPatch("", "", before, after, "", "", { context: 1 }), OMIT_HEADERS);
}

/** The golden text that `difference` was given: its inverse. */
export function restored(base: string, changes: string): string {
  const all = parts(base);
  for (const change of changes.split(/\n(?==== )/).slice(1)) {
    const end = change.indexOf("\n");
    const title = change.slice(0, end);
    const body = change.slice(end + 1);
    if (title.endsWith(absent)) {
      const gone = [...all.keys()].find((key) => withoutHash(key) === title.slice(0, -absent.length));
      assert.ok(gone !== undefined, `${title}: the other host has no such file`);
      all.delete(gone);
    } else if (title.endsWith(here)) all.set(title.slice(0, -here.length), body);
    else {
      const key = title === settings ? "" : title;
      const text = applyPatch(all.get(key) ?? "", body);
      assert.ok(text !== false, `${title}: the difference does not fit the other host's text`);
      all.set(key, text);
    }
  }
  return joined(all);
}
