/** Terraform plans and states in JSON, from rows: one for each resource instance. */
import { createHash } from "node:crypto";

type Values = Readonly<Record<string, unknown>>;

/** A resource instance with its parts of a plan. */
export interface Row {
  readonly type: string;
  readonly name: string;
  readonly index?: number | string;
  /** The address of its module. */
  readonly module?: string;
  readonly values: Values;
  readonly unknown?: Values;
  readonly sensitive?: Values;
  readonly expressions?: Values;
  readonly actions?: readonly string[];
}

export const addressOf = ({ module, type, name, index }: Row) =>
  `${module === undefined ? "" : `${module}.`}${type}.${name}${index === undefined ? "" : `[${JSON.stringify(index)}]`}`;

const head = (row: Row) => ({
  address: addressOf(row),
  mode: "managed",
  type: row.type,
  name: row.name,
  ...(row.index === undefined ? {} : { index: row.index }),
  provider_name: `registry.terraform.io/digitalocean/${row.type.split("_")[0]}`,
});

/** The values of a module and the modules in it; `modules` are all of their addresses. */
function moduleOf(rows: readonly Row[], modules: readonly string[], address = ""): Values {
  const children = modules.filter((one) => {
    const inner = address === "" ? one : one.startsWith(`${address}.`) ? one.slice(address.length + 1) : "";
    return /^module\.\w+(\[[^\]]*\])?$/.test(inner);
  });
  return {
    ...(address === "" ? {} : { address }),
    resources: rows
      .filter(({ module = "" }) => module === address)
      .map((row) => ({
        ...head(row),
        schema_version: 1,
        values: row.values,
        sensitive_values: row.sensitive ?? {},
      })),
    ...(children.length === 0 ? {} : { child_modules: children.map((one) => moduleOf(rows, modules, one)) }),
  };
}

/** The addresses of all modules and of those around them. */
function modulesOf(rows: readonly Row[]): readonly string[] {
  const around = rows.flatMap(({ module = "" }) => {
    const steps = module.match(/module\.\w+(\[[^\]]*\])?/g) ?? [];
    return steps.map((_, index) => steps.slice(0, index + 1).join("."));
  });
  return [...new Set(around)];
}

/** @param rootModule the configuration's root module; default: the rows' expressions */
export function terraformPlan(rows: readonly Row[], outputs: Values = {}, rootModule?: Values) {
  const planned = rows.filter(({ actions }) => actions?.join() !== "delete");
  const blocks = [...new Map(rows.map((row) => [`${row.type}.${row.name}`, row])).values()];
  return {
    format_version: "1.2",
    terraform_version: "1.9.8",
    planned_values: { outputs, root_module: moduleOf(planned, modulesOf(planned)) },
    resource_changes: rows.map((row) => ({
      ...head(row),
      change: {
        actions: row.actions ?? ["create"],
        before: null,
        after: row.values,
        after_unknown: { id: true, urn: true, ...row.unknown },
        after_sensitive: row.sensitive ?? {},
      },
    })),
    configuration: {
      root_module: rootModule ?? {
        resources: blocks.map((row) => ({
          address: `${row.type}.${row.name}`,
          mode: "managed",
          type: row.type,
          name: row.name,
          expressions: row.expressions ?? {},
        })),
      },
    },
    timestamp: "2026-11-30T10:00:00Z",
    errored: false,
  };
}

export function terraformState(rows: readonly Row[], outputs: Values = {}) {
  return {
    format_version: "1.0",
    terraform_version: "1.9.8",
    values: { outputs, root_module: moduleOf(rows, modulesOf(rows)) },
  };
}

export const constant = (value: unknown) => ({ constant_value: value });
export const references = (...addresses: string[]) => ({ references: addresses });
export const sha1 = (text: string) => createHash("sha1").update(text).digest("hex");
