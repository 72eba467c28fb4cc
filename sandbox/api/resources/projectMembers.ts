import { randomUUID } from "node:crypto";
import type { Api } from "../core/api";
import { timestamp } from "../core/clock";
import { assignmentTable, projectOf } from "../core/projects";
import type { Store, Table } from "../core/store";

export interface Project {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly purpose: string;
  /** Empty if none was given. */
  readonly environment: "Development" | "Staging" | "Production" | "";
  readonly is_default: boolean;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface Member {
  readonly urn: string;
  readonly assigned_at: string;
}

/** The kinds that a project holds, by their names in URNs, and where each lives. */
export const ASSIGNABLE: Readonly<Record<string, string>> = {
  droplet: "droplets",
  domain: "domains",
  floatingip: "reserved_ips",
  loadbalancer: "load_balancers",
  space: "spaces",
  volume: "volumes",
};

/** The kinds that projects hold at DigitalOcean and that are not here: none of them can be found. */
export const ABSENT_KINDS: Readonly<Record<string, string>> = {
  dbaas: "databases",
  kubernetes: "kubernetes/clusters",
};

export const projectTable = (store: Store): Table<Project> => store.table<Project>("projects");

/** The project that takes what is assigned to no other. A new account has it. */
export function defaultProject(store: Store): Project {
  const existing = projectTable(store)
    .values()
    .find(({ is_default }) => is_default);
  if (existing) return existing;
  const now = timestamp();
  const id = randomUUID();
  return projectTable(store).put(id, {
    id,
    name: "sandbox",
    description: "Update your project information under Settings",
    purpose: "Just trying out DigitalOcean",
    environment: "Development",
    is_default: true,
    created_at: now,
    updated_at: now,
  });
}

/** A project's resources, kind by kind, each in the order of creation. */
export function membersOf(api: Api, projectId: string): Member[] {
  return Object.keys(ASSIGNABLE)
    .flatMap((urnType) => (api.kinds.get(urnType)?.list() ?? []).map((one) => ({ urnType, ...one })))
    .map(({ urnType, id, created_at }) => ({ urn: `do:${urnType}:${id}`, created_at }))
    .filter(({ urn }) => projectOf(api.store, urn) === projectId)
    .map(({ urn, created_at }) => ({ urn, assigned_at: assignedAt(api.store, urn, created_at) }));
}

/** Since when the resource is where it is: what was never assigned is in its project since it was made. */
export const assignedAt = (store: Store, urn: string, createdAt: string): string =>
  assignmentTable(store).get(urn)?.assigned_at ?? createdAt;
