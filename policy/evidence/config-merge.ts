/**
 * Merges several cloud-configs as cloud-init does (its manual, "Merging user data sections"; cloudinit/mergers and
 * cloudinit/handlers/cloud_config.py). Each part is merged into the result of the parts before it, with the merge
 * type that the part names. The default is `dict(replace)+list()+str()`: a key in a later part replaces the earlier
 * one.
 */

type Kind = "dict" | "list" | "str";

export interface MergeRule {
  readonly kind: Kind;
  readonly options: readonly string[];
}

const byDefault: readonly MergeRule[] = [
  { kind: "dict", options: ["replace"] },
  { kind: "list", options: [] },
  { kind: "str", options: [] },
];

export type Mapping = Readonly<Record<string, unknown>>;

export const isMapping = (value: unknown): value is Mapping =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Merges a part into the result of the parts before it.
 *
 * @param header the part's Merge-Type header
 * @returns undefined if the merge type cannot be read
 */
export function mergeConfig(before: Mapping, part: Mapping, header: string | undefined): Mapping | undefined {
  const { merge_how, merge_type, ...own } = part;
  const named = [
    ...(readRules(merge_how ?? merge_type) ?? [undefined]),
    ...(readRules(header) ?? [undefined]),
  ];
  if (named.includes(undefined)) return undefined;
  const rules = named.filter((rule) => rule !== undefined);
  const merged = merge(before, own, rules.length > 0 ? rules : byDefault);
  return isMapping(merged) ? merged : undefined;
}

/** `list(append)+dict(recurse_list)` or `[{name: list, settings: [append]}, ...]`; undefined if it is neither. */
function readRules(value: unknown): readonly MergeRule[] | undefined {
  if (value === undefined || value === null) return [];
  if (typeof value === "string") return readRuleText(value);
  if (!Array.isArray(value)) return undefined;
  const rules = value.map((item: unknown) => {
    const [name, settings] = Array.isArray(item)
      ? [item[0], item.slice(1)]
      : isMapping(item)
        ? [item.name, item.settings]
        : [];
    return ruleOf(name, settings);
  });
  return rules.every((rule) => rule !== undefined) ? rules : undefined;
}

function readRuleText(text: string): readonly MergeRule[] | undefined {
  const rules = text
    .split("+")
    .map((piece) => piece.trim())
    .filter((piece) => piece !== "")
    .map((piece) => {
      const match = /^(\w[\w-]*)\((.*)\)$/.exec(piece);
      return match === null ? undefined : ruleOf(match[1], (match[2] ?? "").split(","));
    });
  return rules.every((rule) => rule !== undefined) ? rules : undefined;
}

function ruleOf(name: unknown, settings: unknown): MergeRule | undefined {
  const kind = typeof name === "string" ? name.trim().toLowerCase().replace(/^m_/, "") : "";
  if (kind !== "dict" && kind !== "list" && kind !== "str") return undefined;
  if (!Array.isArray(settings) || !settings.every((setting) => typeof setting === "string")) return undefined;
  return { kind, options: settings.map((setting: string) => setting.trim().toLowerCase()) };
}

function merge(before: unknown, after: unknown, rules: readonly MergeRule[]): unknown {
  const kind: Kind | undefined = isMapping(before)
    ? "dict"
    : Array.isArray(before)
      ? "list"
      : typeof before === "string"
        ? "str"
        : undefined;
  const options = rules.find((rule) => rule.kind === kind)?.options;
  if (kind === undefined || options === undefined) return before;
  if (kind === "str") return mergeTexts(String(before), after, options);
  return kind === "list"
    ? mergeLists(before as readonly unknown[], after, options, rules)
    : mergeMappings(before as Mapping, after, options, rules);
}

function mergeTexts(before: string, after: unknown, options: readonly string[]): unknown {
  return options.includes("append") && typeof after === "string" ? before + after : after;
}

/** True if two values under one key or index are merged; false if one of them replaces the other. */
function recurses(after: unknown, options: readonly string[], dictByDefault: boolean): boolean {
  if (Array.isArray(after)) return options.includes("recurse_array") || options.includes("recurse_list");
  if (typeof after === "string") return options.includes("recurse_str");
  return isMapping(after) && (dictByDefault || options.includes("recurse_dict"));
}

function mergeLists(
  before: readonly unknown[],
  after: unknown,
  options: readonly string[],
  rules: readonly MergeRule[],
): unknown {
  const method =
    ["append", "prepend", "replace", "no_replace"].find((name) => options.includes(name)) ?? "replace";
  if (!Array.isArray(after)) return method === "replace" ? after : before;
  if (method === "append") return [...before, ...after];
  if (method === "prepend") return [...after, ...before];
  return before.map((old, index) => {
    if (index >= after.length || method === "no_replace") return old;
    const item: unknown = after[index];
    return recurses(item, options, false) ? merge(old, item, rules) : item;
  });
}

function mergeMappings(
  before: Mapping,
  after: unknown,
  options: readonly string[],
  rules: readonly MergeRule[],
): unknown {
  if (!isMapping(after)) return before;
  const merged = new Map(Object.entries(before));
  for (const [key, value] of Object.entries(after)) {
    if (!merged.has(key)) merged.set(key, value);
    else if (value === null && options.includes("allow_delete")) merged.delete(key);
    else if (options.includes("replace")) merged.set(key, value);
    else if (recurses(value, options, true)) merged.set(key, merge(merged.get(key), value, rules));
  }
  return Object.fromEntries(merged);
}
