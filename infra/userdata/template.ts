/**
 * The payload's templates. `{{name}}` is replaced with a value. A line with `{{list.field}}` is repeated for each
 * item of the list (and removed if the list is empty). There is no other syntax; for other differences, use separate
 * files.
 */

/** The values of a template: a text or number, or a list of records of them. */
export type TemplateValues = Readonly<Record<string, TemplateValue>>;
export type TemplateValue = string | number | readonly TemplateItem[];
export type TemplateItem = Readonly<Record<string, string | number>>;

const placeholder = /\{\{([a-z]\w*)(?:\.([a-z]\w*))?\}\}/gi;

/**
 * The template's text with its values filled in.
 *
 * Throws if a placeholder has no value, a list is used as a single value, or a value has several lines (it would
 * break the file's format). The error contains `name`.
 */
export function renderTemplate(name: string, template: string, values: TemplateValues): string {
  return template
    .split("\n")
    .flatMap((line, index) => renderLine(`${name}:${index + 1}`, line, values))
    .join("\n");
}

/** The names of the values that a template uses. */
export function templateNames(template: string): ReadonlySet<string> {
  return new Set([...template.matchAll(placeholder)].map(([, name = ""]) => name));
}

function renderLine(where: string, line: string, values: TemplateValues): string[] {
  const listName = [...line.matchAll(placeholder)].find(([, , field]) => field !== undefined)?.[1];
  if (listName === undefined) return [substitute(where, line, values)];
  const list = values[listName];
  if (!Array.isArray(list)) throw new Error(`${where}: expected ${listName} to be a list`);
  return list.map((item: TemplateItem) => substitute(where, line, values, { name: listName, item }));
}

function substitute(
  where: string,
  line: string,
  values: TemplateValues,
  list?: { readonly name: string; readonly item: TemplateItem },
): string {
  return line.replace(placeholder, (whole, name: string, field: string | undefined) => {
    const value = field === undefined ? values[name] : name === list?.name ? list.item[field] : undefined;
    if (typeof value !== "string" && typeof value !== "number") {
      throw new Error(`${where}: no value for ${whole}`);
    }
    const text = String(value);
    if (/[\r\n]/.test(text)) throw new Error(`${where}: the value for ${whole} has more than one line`);
    return text;
  });
}
