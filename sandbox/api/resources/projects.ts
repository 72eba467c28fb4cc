import { randomUUID } from "node:crypto";
import { z } from "zod";
import { type Api, canonicalUrn } from "../core/api";
import { timestamp } from "../core/clock";
import { badRequest, conflict, forbidden, notFound, preconditionFailed, unprocessable } from "../core/errors";
import { type Answer, type ApiRequest, created, noContent, ok, param } from "../core/http";
import { page } from "../core/pagination";
import { assignmentTable, assignToProject, projectOf } from "../core/projects";
import { parseBody, text } from "../core/validation";
import {
  ABSENT_KINDS,
  ASSIGNABLE,
  assignedAt,
  defaultProject,
  membersOf,
  type Project,
  projectTable,
} from "./projectMembers";

/** Where each kind that a URN can name lives. */
const PLACES: Readonly<Record<string, string>> = { ...ASSIGNABLE, ...ABSENT_KINDS };

const PURPOSES = [
  "Just trying out DigitalOcean",
  "Class project / Educational purposes",
  "Website or blog",
  "Web Application",
  "Service or API",
  "Mobile Application",
  "Machine learning / AI / Data processing",
  "IoT",
  "Operational / Developer tooling",
];
const ENVIRONMENTS = ["Development", "Staging", "Production"] as const;

const name = text(175);
const description = z.string().max(255, "must be at most 255 characters");
/** A purpose that is not one of DigitalOcean's own is stored as an other purpose. */
const purpose = text(255).transform((given) =>
  PURPOSES.includes(given) || given.startsWith("Other: ") ? given : `Other: ${given}`,
);
/** In any capitalization, because the official provider allows it. Go clients send "" for a missing value. */
const environment = z
  .string()
  .transform((given) => ENVIRONMENTS.find((one) => one.toLowerCase() === given.toLowerCase()) ?? given)
  .pipe(z.enum([...ENVIRONMENTS, ""]));

const createBody = z.object({
  name,
  purpose,
  description: description.default(""),
  environment: environment.default(""),
});
const putBody = z.object({ name, description, purpose, environment, is_default: z.boolean() });
const patchBody = putBody.partial();
const resourcesBody = z.object({
  resources: z
    .array(z.string(), { error: "must be a list of URNs" })
    .min(1, "must name at least one resource"),
});

/** `/v2/projects`: groups of the account's resources. In every path, the id `default` means the default project. */
export function registerProjects(api: Api): void {
  const projects = projectTable(api.store);
  const wanted = (request: ApiRequest): Project => {
    const id = param(request, "project");
    const fallback = defaultProject(api.store);
    const project = id === "default" ? fallback : projects.get(id);
    if (!project) throw notFound();
    return project;
  };

  api.store.transaction(() => defaultProject(api.store));
  api.onDeleted((urnType, id) => {
    assignmentTable(api.store).delete(`do:${urnType}:${id}`);
  });

  api.get("/v2/projects", (request) => {
    defaultProject(api.store);
    return page(request, "projects", projects.values(), projectObject);
  });

  api.post("/v2/projects", (request) => {
    const given = parseBody(createBody, request.body);
    refuseTakenName(api, given.name);
    const now = timestamp();
    const project = { id: randomUUID(), ...given, is_default: false, created_at: now, updated_at: now };
    return created({ project: projectObject(projects.put(project.id, project)) });
  });

  api.get("/v2/projects/:project", (request) => ok({ project: projectObject(wanted(request)) }));
  api.put("/v2/projects/:project", (request) =>
    change(api, wanted(request), parseBody(putBody, request.body)),
  );
  api.patch("/v2/projects/:project", (request) =>
    change(api, wanted(request), parseBody(patchBody, request.body)),
  );

  api.delete("/v2/projects/:project", (request) => {
    const project = wanted(request);
    if (project.is_default) throw forbidden("the default project cannot be deleted");
    if (membersOf(api, project.id).length > 0) {
      throw preconditionFailed("cannot delete a project with resources. move or remove the resources first");
    }
    projects.delete(project.id);
    return noContent();
  });

  api.get("/v2/projects/:project/resources", (request) =>
    page(request, "resources", membersOf(api, wanted(request).id), (member) =>
      memberObject(request, member.urn, member.assigned_at, "ok"),
    ),
  );

  api.post("/v2/projects/:project/resources", (request) => assign(api, request, wanted(request)));
}

/**
 * Assigns what exists; what does not is answered with the status `not_found` (API reference, "Assign Resources to a
 * Project", `status` of a resource). The official provider relies on it: a replaced droplet is deleted before the
 * project's update moves its URN to the default project.
 */
function assign(api: Api, request: ApiRequest, project: Project): Answer {
  const { resources } = parseBody(resourcesBody, request.body);
  const urns = [...new Set(resources.map(canonicalUrn))];
  for (const urn of urns) checkAssignable(urn);
  const answers = urns.map((urn) => {
    const resource = api.resolveUrn(urn);
    if (!resource) return memberObject(request, urn, timestamp(), "not_found");
    const isThere = projectOf(api.store, urn) === project.id;
    if (!isThere) assignToProject(api.store, urn, project.id, timestamp());
    const since = assignedAt(api.store, urn, resource.created_at);
    return memberObject(request, urn, since, isThere ? "already_assigned" : "assigned");
  });
  return ok({ resources: answers });
}

/** Throws 400 for what is no URN of a kind that projects hold. */
function checkAssignable(urn: string): void {
  const [, type = ""] = /^do:([^:]+):.+$/.exec(urn) ?? [];
  if (type === "") {
    throw badRequest(
      "resource objects must have an urn in the following format: do:resource_type:resource_id",
    );
  }
  if (!Object.hasOwn(PLACES, type))
    throw badRequest(`resources of the type ${type} cannot be assigned to a project`);
}

type Changes = z.output<typeof patchBody>;

function change(api: Api, project: Project, given: Changes): Answer {
  if (given.name !== undefined && given.name !== project.name) refuseTakenName(api, given.name);
  if (given.is_default === false && project.is_default) {
    throw unprocessable("is_default: make another project the default instead");
  }
  if (given.is_default && !project.is_default) giveUpDefault(api);
  const changed = projectTable(api.store).put(project.id, {
    ...project,
    name: given.name ?? project.name,
    description: given.description ?? project.description,
    purpose: given.purpose ?? project.purpose,
    environment: given.environment ?? project.environment,
    is_default: given.is_default ?? project.is_default,
    updated_at: timestamp(),
  });
  return ok({ project: projectObject(changed) });
}

/** Resources that are in the default project only because they were never assigned stay in it. */
function giveUpDefault(api: Api): void {
  const project = defaultProject(api.store);
  for (const { urn, assigned_at } of membersOf(api, project.id)) {
    assignToProject(api.store, urn, project.id, assigned_at);
  }
  projectTable(api.store).put(project.id, { ...project, is_default: false });
}

function refuseTakenName(api: Api, taken: string): void {
  defaultProject(api.store);
  const same = projectTable(api.store)
    .values()
    .some((project) => project.name === taken);
  if (same) throw conflict("project with same name already exists");
}

const OWNER = { owner_uuid: "5a7d0b0c5a4d4b0e9c0f5a7d0b0c5a4d", owner_id: 1 };

/** Without the environment, if none was given. */
function projectObject({ environment: given, ...project }: Project): object {
  return { ...project, ...OWNER, ...(given === "" ? {} : { environment: given }) };
}

function memberObject(request: ApiRequest, urn: string, assigned_at: string, status: string): object {
  const [, type = "", ...rest] = urn.split(":");
  // By way of UTF-8: encodeURIComponent() throws for half of a surrogate pair.
  const id = encodeURIComponent(Buffer.from(rest.join(":")).toString());
  return {
    urn,
    assigned_at,
    links: { self: `${request.origin}/v2/${PLACES[type]}/${id}` },
    status,
  };
}
