/** The types of a stack's settings, derived from the table. */
import type { Setting } from "./kinds";
import type { optionalPaths, table } from "./table";

type Table = typeof table;
/** A setting's path in the namespace, for example "web.count". */
export type Path = keyof Table;
type OptionalPath = (typeof optionalPaths)[number];
type ValueOf<S> = S extends Setting<infer T> ? T : never;

type Values = { readonly [P in Exclude<Path, OptionalPath>]: ValueOf<Table[P]> } & {
  readonly [P in OptionalPath]?: ValueOf<Table[P]>;
};

type GroupName<P> = P extends `${infer Group}.${string}` ? Group : never;

/** The settings without a dot in their path. */
type Single<V> = { readonly [P in keyof V as P extends `${string}.${string}` ? never : P]: V[P] };
/** The settings in one group, for example "count" for "web.count". */
type Group<V, G extends string> = {
  readonly [P in keyof V as P extends `${G}.${infer Inner}` ? Inner : never]: V[P];
};
type Groups<V> = { readonly [G in GroupName<keyof V>]: Group<V, G> };

/** All values of a stack. Each dot in a path is a level: "web.count" is `config.web.count`. */
export type Config = Single<Values> & Groups<Values>;

/** The values that a user sets: the domain, and any other setting. Defaults complete it to a `Config`. */
export type Settings = Partial<Single<Values>> & {
  readonly [G in keyof Groups<Values>]?: Partial<Groups<Values>[G]>;
} & { readonly domain: string };
