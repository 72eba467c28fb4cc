/** Suggests the intended name for a misspelt one. */

/** With more edits than this, two names are unrelated. */
const maxEdits = 4;

/** The known name closest to an unknown one; undefined if none is close. */
export function nearestName(unknown: string, known: readonly string[]): string | undefined {
  const [nearest] = known
    .map((name) => ({ name, edits: editDistance(unknown, name) }))
    .sort((a, b) => a.edits - b.edits);
  return nearest && nearest.edits <= maxEdits ? nearest.name : undefined;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
