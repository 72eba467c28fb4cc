/** The files of a host that hold no secret: known at preview, and the evidence for the policies. Pure. */
import type { HostConfiguration } from "../evidence";
import { applicationFiles } from "./application";
import { compact } from "./compact";
import { type PayloadTree, payloadFiles } from "./payload";
import { renderTemplate, type TemplateValues, templateNames } from "./template";
import type { HostContext, HostFile } from "./types";
import { commonValues, databaseValues, datadogValues, webValues } from "./values";

/** Trees with the values of their templates. */
export interface Rendering {
  readonly trees: readonly PayloadTree[];
  readonly values: TemplateValues;
}

/**
 * Every file of a host that holds no secret, ordered by path.
 *
 * Throws where a template and its values do not match, and where two trees hold the same file.
 */
export function configurationFiles(context: HostContext): readonly HostFile[] {
  const files = renderings(context).flatMap(renderFiles);
  return orderedByPath([...files, ...(context.host.roles.includes("web") ? applicationFiles() : [])]);
}

/** What the policies may judge of a host before its secrets exist: its configuration files, not its programs. */
export function hostEvidence(context: HostContext): HostConfiguration {
  const files = configurationFiles(context).filter(({ path }) => path.startsWith("/etc/"));
  return {
    roles: context.host.roles,
    files: Object.fromEntries(files.map(({ path, content }) => [path, content])),
  };
}

/** The files of some trees with their values in place. A value that no template uses is an error, too. */
export function renderFiles({ trees, values }: Rendering): HostFile[] {
  const payload = trees.flatMap((tree) => payloadFiles(tree));
  const used = new Set(payload.flatMap((file) => (file.isTemplate ? [...templateNames(file.text)] : [])));
  const unused = Object.keys(values).filter((name) => !used.has(name));
  if (unused.length > 0) throw new Error(`no template of ${trees.join(", ")} uses ${unused.join(", ")}`);
  return payload.map(({ path, text, isTemplate }) => {
    const whole = isTemplate ? renderTemplate(path, text, values) : text;
    return hostFile(path, compact(path, whole));
  });
}

/** A file with the mode that its kind has: programs (those with a shebang) may be run. */
export function hostFile(path: string, content: string, permissions?: string): HostFile {
  return { path, permissions: permissions ?? (content.startsWith("#!") ? "0755" : "0644"), content };
}

/** The files by path; a path that comes twice is an error, because the host would keep only the last. */
export function orderedByPath(files: readonly HostFile[]): readonly HostFile[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  if (byPath.size < files.length) {
    const twice = files.find((file) => byPath.get(file.path) !== file);
    throw new Error(`two trees of the payload hold ${twice?.path}`);
  }
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function renderings(context: HostContext): Rendering[] {
  const { host, settings } = context;
  const isWeb = host.roles.includes("web");
  const isDatabase = host.roles.includes("database");
  const result: Rendering[] = [{ trees: ["common"], values: commonValues(context) }];
  if (isWeb) result.push({ trees: ["web"], values: webValues(context) });
  if (isDatabase) {
    const mode = settings.replication === "group" ? "database-group" : "database-source-replica";
    result.push({ trees: ["database", mode], values: databaseValues(context) });
  }
  if (settings.monitoring.agent === "datadog") {
    const trees: PayloadTree[] = ["datadog"];
    if (isWeb) trees.push("datadog-web");
    if (isDatabase) trees.push("datadog-database");
    result.push({ trees, values: datadogValues(context) });
  }
  return result;
}
