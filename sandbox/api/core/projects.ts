import { unprocessable } from "./errors";
import type { Store, Table } from "./store";

/** The project of each resource, by URN. A resource that is missing here is in the default project. */
export interface ProjectAssignment {
  readonly urn: string;
  readonly project_id: string;
  readonly assigned_at: string;
}

export const assignmentTable = (store: Store): Table<ProjectAssignment> =>
  store.table<ProjectAssignment>("project_resources");

/** The projects themselves, as far as this module needs them. */
const projectTable = (store: Store): Table<{ id: string; is_default: boolean }> => store.table("projects");

/** Puts a resource in a project. Throws 422 for an unknown project. */
export function assignToProject(store: Store, urn: string, project_id: string, assigned_at: string): void {
  if (!projectTable(store).has(project_id)) {
    throw unprocessable(`project_id: there is no project "${project_id}"`);
  }
  assignmentTable(store).put(urn, { urn, project_id, assigned_at });
}

/** The project of a resource; undefined if the account has no project. */
export function projectOf(store: Store, urn: string): string | undefined {
  const fallback = projectTable(store)
    .values()
    .find(({ is_default }) => is_default);
  return assignmentTable(store).get(urn)?.project_id ?? fallback?.id;
}
