/** The files of a host without secrets. They are known at preview, and are the evidence for the policies. Pure. */
import { createHash } from "node:crypto";
import { applicationFiles } from "./application";
import { compact } from "./compact";
import { monitoringFiles } from "./monitoring";
import { operatorFiles } from "./operators";
import { payloadFiles, type Rendering } from "./payload";
import { renderTemplate, templateNames } from "./template";
import type { HostContext, HostFile } from "./types";
import { commonValues, databaseValues, volumeValues, webValues } from "./values";

/**
 * All files of a host without secrets, sorted by path.
 *
 * Throws if a template and its values do not match, or two trees contain the same file.
 */
export function configurationFiles(context: HostContext): readonly HostFile[] {
  const files = [
    ...renderings(context).flatMap(renderFiles),
    ...monitoringFiles(context, payloadVersion(context)).flatMap(renderFiles),
    ...(context.host.roles.includes("web") ? applicationFiles() : []),
    ...operatorFiles(context),
  ];
  return orderedByPath(files);
}

/**
 * A short hash of the part of the payload and the application that hosts of these roles run, for metrics and logs. It
 * is the same for those hosts in all stacks, so that metrics before and after a change can be told apart. It is not a
 * hash of everything, because a new version is a release: a change of the application leaves database hosts as they
 * are.
 */
export function payloadVersion(context: HostContext): string {
  const trees = renderings(context).flatMap((rendering) => rendering.trees);
  const application = context.host.roles.includes("web") ? applicationFiles() : [];
  const hash = createHash("sha256");
  for (const { path, text } of trees.flatMap((tree) => payloadFiles(tree))) {
    hash.update(`${path}\0${text}\0`);
  }
  for (const { path, content } of application) hash.update(`${path}\0${content}\0`);
  return hash.digest("hex").slice(0, 12);
}

/** The files of several trees, with their values filled in. A value that no template uses is an error. */
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

/** A file with the mode of its kind: programs (files with a shebang) are executable. */
export function hostFile(path: string, content: string, permissions?: string): HostFile {
  return { path, permissions: permissions ?? (content.startsWith("#!") ? "0755" : "0644"), content };
}

/** The files by path. A duplicate path is an error, because the host would keep only the last file. */
export function orderedByPath(files: readonly HostFile[]): readonly HostFile[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  if (byPath.size < files.length) {
    const twice = files.find((file) => byPath.get(file.path) !== file);
    throw new Error(`two trees of the payload contain ${twice?.path}`);
  }
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function renderings(context: HostContext): Rendering[] {
  const { host, settings } = context;
  const isWeb = host.roles.includes("web");
  const isDatabase = host.roles.includes("database");
  const result: Rendering[] = [
    { trees: ["common", "release", "release-program"], values: commonValues(context) },
  ];
  if (isWeb) result.push({ trees: ["web"], values: webValues(context) });
  if (isDatabase) {
    const trees =
      settings.replication === "group"
        ? (["database-group", "database-group-program"] as const)
        : (["database-source-replica"] as const);
    result.push({ trees: ["database", "database-program", ...trees], values: databaseValues(context) });
    if (settings.database.volumeGib !== undefined)
      result.push({ trees: ["database-volume"], values: volumeValues(context) });
  }
  return result;
}
