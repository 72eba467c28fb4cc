import type { Note } from "./notes";

export const styleSheet = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 42rem; margin: 3rem auto; padding: 0 1rem; }
form { display: flex; gap: .5rem; }
input { flex: 1; font: inherit; padding: .4rem .6rem; }
button { font: inherit; padding: .4rem 1rem; }
ul { list-style: none; padding: 0; }
li { padding: .6rem 0; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
small { opacity: .7; display: block; }
`;

/**
 * The page with the notes and a form to add one. It needs no scripts.
 *
 * @param key stores the form's note once, however often the form is sent
 */
export function notesPage(siteName: string, hostName: string, notes: readonly Note[], key: string): string {
  const items = notes
    .map(
      (note) =>
        `<li>${escapeHtml(note.text)}<small>${escapeHtml(note.createdAt)}, taken by ${escapeHtml(note.webHost)}, ` +
        `written by ${escapeHtml(note.databaseHost)}</small></li>`,
    )
    .join("\n");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(siteName)}</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<h1>${escapeHtml(siteName)}</h1>
<form method="post" action="/notes">
<input type="hidden" name="key" value="${escapeHtml(key)}">
<input name="text" maxlength="500" required aria-label="Note" placeholder="Leave a note">
<button>Add</button>
</form>
<ul>
${items}
</ul>
<small>Served by ${escapeHtml(hostName)}</small>
</body>
</html>
`;
}

/** Escapes text for HTML text and attribute values. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
