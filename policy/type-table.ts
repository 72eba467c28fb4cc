/** The page that lists which policy checks which DigitalOcean type. */
import type { PolicyDefinition } from "./frame/definition";
import { autoscaleType } from "./frame/templates";
import { pageLink, withGenerated } from "./page";
import { everyType } from "./resources/types";
import { unjudged } from "./resources/unjudged";

const start =
  "<!-- types: generated from policies and resources/unjudged.ts by `node --import tsx policy/write-pages.ts` -->";
const end = "<!-- end of types -->";

const nameOf = (type: string) => type.split(":").at(-1) ?? type;

/** The policies that check each type, without those that check every type. */
export function policiesByType(
  definitions: readonly PolicyDefinition[],
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { name, types = [] } of definitions) {
    for (const type of types.filter((one) => one !== everyType))
      found.set(nameOf(type), [...(found.get(nameOf(type)) ?? []), name]);
  }
  return found;
}

/** The names of types that are in none of the two lists, or in both, each with what to do. */
export function faultsOfTypes(
  types: readonly string[],
  definitions: readonly PolicyDefinition[],
): readonly string[] {
  const judged = policiesByType(definitions);
  const names = new Set(types.map(nameOf));
  return [
    ...[...names]
      .filter((name) => !judged.has(name) && !(name in unjudged))
      .map((name) => `${name}: add it to types of a policy, or to resources/unjudged.ts with a reason`),
    ...[...judged.keys()]
      .filter((name) => name in unjudged)
      .map((name) => `${name}: a policy checks it, so remove it from resources/unjudged.ts`),
    ...[...judged.keys(), ...Object.keys(unjudged)]
      .filter((name) => !names.has(name))
      .map((name) => `${name}: the provider has no such type`),
  ];
}

/** The page with its table regenerated. */
export function withTypeTable(page: string, definitions: readonly PolicyDefinition[]): string {
  const judged = policiesByType(definitions);
  const names = [...judged.keys(), ...Object.keys(unjudged)].sort();
  const every = definitions
    .filter(({ types }) => types?.includes(everyType))
    .map(({ name }) => pageLink(name));
  const rows = names.map((name) => {
    const policies = [...(judged.get(name) ?? [])].sort().map(pageLink);
    const all =
      name === nameOf(autoscaleType) ? ["those of Droplet, for its template", ...policies] : policies;
    return all.length > 0 ? `| ${name} | ${all.join(", ")} |` : `| ${name} | none: ${unjudged[name]} |`;
  });
  return withGenerated(
    page,
    start,
    end,
    [
      `${every.join(" and ")} check the inputs of every type.\n`,
      "| type | policies |",
      "|---|---|",
      ...rows,
      "",
    ].join("\n"),
  );
}
