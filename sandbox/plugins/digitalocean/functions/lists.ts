/** The functions that list resources, with filters and sorts. As in the official provider, their keys are in snake case. */
import {
  boolean,
  computed,
  type Field,
  type Fields,
  list,
  object,
  optional,
  required,
  set,
  string,
} from "../../provider/fields";
import type { FunctionType } from "../../provider/resource";
import { oneOf } from "../../provider/validators";
import type { PropertyMap, PropertyValue } from "../../provider/values";
import type { Client } from "../client";
import { flag, maps, snake, strings, text } from "../inputs";

interface Listing {
  /** The function's name. */
  readonly name: string;
  /** The output that holds the list, and the object type of its items. */
  readonly output: string;
  readonly item: string;
  readonly fields: Fields;
  /** The keys to filter and sort by, in snake case. */
  readonly keys: readonly string[];
  /** Further inputs besides filters and sorts. They are also outputs. */
  readonly more?: Fields;
  readonly records: (client: Client, inputs: PropertyMap) => Promise<PropertyMap[]>;
}

/** Makes a function that lists all resources of one kind. */
export function listFunction({
  name,
  output,
  item,
  fields,
  keys,
  more,
  records,
}: Listing): FunctionType<Client> {
  const inputs = { filters: filters(name, keys), sorts: sorts(name, keys), ...more };
  return {
    name,
    inputs,
    outputs: {
      ...inputs,
      [output]: computed(list(object(`${name}${item}`, requiredOf(fields)))),
      id: computed(string),
    },
    async call({ client }, given) {
      // The official provider makes the id of a list in the same way: its name and the time.
      const id = `${snake(output)}-${Date.now()}`;
      return { ...given, [output]: select(await records(client, given), given), id };
    },
  };
}

/** The same properties, all required: outputs always contain every one of them. */
export function requiredOf(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, required(field.type)]));
}

function filters(name: string, keys: readonly string[]): Field {
  return optional(
    set(
      object(`${name}Filter`, {
        key: required(string, { validate: [oneOf(...keys)] }),
        values: required(list(string)),
        all: optional(boolean),
        matchBy: optional(string, { validate: [oneOf("exact", "re", "substring")] }),
      }),
    ),
  );
}

function sorts(name: string, keys: readonly string[]): Field {
  return optional(
    list(
      object(`${name}Sort`, {
        key: required(string, { validate: [oneOf(...keys)] }),
        direction: optional(string, { validate: [oneOf("asc", "desc")] }),
      }),
    ),
  );
}

/** The records that pass all filters, in the order of the sorts. */
function select(records: PropertyMap[], inputs: PropertyMap): PropertyMap[] {
  const kept = records.filter((record) => maps(inputs, "filters").every((filter) => passes(record, filter)));
  const orders = maps(inputs, "sorts");
  if (orders.length === 0) return kept;
  return [...kept].sort((left, right) => {
    for (const order of orders) {
      const key = camel(text(order, "key"));
      const sign = compareValues(left[key], right[key]);
      if (sign !== 0) return text(order, "direction") === "desc" ? -sign : sign;
    }
    return 0;
  });
}

function passes(record: PropertyMap, filter: PropertyMap): boolean {
  const value = record[camel(text(filter, "key"))];
  const matches = (wanted: string) =>
    valueMatches(value, wanted, text(filter, "matchBy") || "exact", flag(filter, "all"));
  const wanted = strings(filter, "values");
  return flag(filter, "all") ? wanted.every(matches) : wanted.some(matches);
}

/** A list matches if one of its items does; with `all`, if every item does, for each wanted value. */
function valueMatches(
  value: PropertyValue | undefined,
  wanted: string,
  matchBy: string,
  all: boolean,
): boolean {
  if (!Array.isArray(value)) return scalarMatches(value, wanted, matchBy);
  const one = (item: PropertyValue) => scalarMatches(item, wanted, matchBy);
  return all && matchBy !== "exact" ? value.every(one) : value.some(one);
}

function scalarMatches(value: PropertyValue | undefined, wanted: string, matchBy: string): boolean {
  const is = String(value ?? "");
  if (typeof value === "number") return Number(wanted) === value;
  if (matchBy === "re") return new RegExp(wanted).test(is);
  return matchBy === "substring" ? is.includes(wanted) : is === wanted;
}

function compareValues(left: PropertyValue | undefined, right: PropertyValue | undefined): number {
  if (typeof left === "number" && typeof right === "number") return left - right;
  const [a, b] = [String(left ?? ""), String(right ?? "")];
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `price_monthly`, Terraform's form of a key, becomes `priceMonthly`; a key in camel case stays as it is. */
function camel(key: string): string {
  return key.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}
