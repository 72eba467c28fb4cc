/** The payload on disk: trees that mirror a host's root. A file name that ends in `.template` is a template. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TemplateValues } from "./template";

/** A tree in infra/payload. */
export type PayloadTree =
  | "common"
  | "release"
  | "release-program"
  | "web"
  | "database"
  | "database-program"
  | "database-volume"
  | "database-group"
  | "database-group-program"
  | "database-source-replica"
  | "monitoring"
  | "datadog"
  | "datadog-web"
  | "datadog-database"
  | "datadog-group"
  | "sumologic"
  | "sumologic-web"
  | "sumologic-database"
  | "secret-database"
  | "secret-group"
  | "secret-source"
  | "secret-replica"
  | "secret-datadog"
  | "secret-sumologic";

/** Trees with the values for their templates. */
export interface Rendering {
  readonly trees: readonly PayloadTree[];
  readonly values: TemplateValues;
}

/** A file of a tree. */
export interface PayloadFile {
  /** Absolute path on the host. */
  readonly path: string;
  readonly text: string;
  readonly isTemplate: boolean;
}

const payloadRoot = join(__dirname, "..", "payload");
const templateSuffix = ".template";
const trees = new Map<PayloadTree, readonly PayloadFile[]>();

/**
 * The files of a tree, sorted by path. They are read once, because the payload does not change while a program runs.
 */
export function payloadFiles(tree: PayloadTree): readonly PayloadFile[] {
  const known = trees.get(tree);
  if (known) return known;
  const files = relativePaths(join(payloadRoot, tree)).map((relative) => ({
    path: `/${relative.endsWith(templateSuffix) ? relative.slice(0, -templateSuffix.length) : relative}`,
    text: readFileSync(join(payloadRoot, tree, relative), "utf8"),
    isTemplate: relative.endsWith(templateSuffix),
  }));
  trees.set(tree, files);
  return files;
}

/** Paths of all files in a folder, relative to it, sorted by code units. */
function relativePaths(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}
