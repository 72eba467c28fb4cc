import { randomBytes, randomInt } from "node:crypto";
import { z } from "zod";
import type { Api } from "../core/api";
import { timestamp } from "../core/clock";
import { badRequest, notFound } from "../core/errors";
import { type ApiRequest, created, noContent, ok, param } from "../core/http";
import { page } from "../core/pagination";
import type { Grant, SpacesAccount } from "../core/spaces";
import type { Store, Table } from "../core/store";
import { oneOf, optional, parseBody, parseQuery, text, withDefault } from "../core/validation";

interface SpacesKey {
  readonly access_key: string;
  readonly name: string;
  readonly grants: readonly Grant[];
  readonly created_at: string;
}

const grant = z.object({
  bucket: z.string().max(63, "must be a bucket's name"),
  permission: z.enum(["", "read", "readwrite", "fullaccess"]),
});
const createBody = z.object({ name: text(), grants: withDefault(z.array(grant), []) });
const updateBody = z.object({ name: optional(text()), grants: optional(z.array(grant)) });

const listQuery = z.object({
  name: text().optional(),
  bucket: text().optional(),
  permission: text().optional(),
  sort: oneOf("created_at", "name").optional(),
  sort_direction: oneOf("asc", "desc").optional(),
});

const keyTable = (store: Store): Table<SpacesKey> => store.table<SpacesKey>("spaces_keys");
/** Secrets are stored in separate files, like user data. */
const secretFile = (accessKey: string): string => `spaces-key-${accessKey}`;
const isFullAccess = (grants: readonly Grant[]): boolean =>
  grants.some(({ permission }) => permission === "fullaccess");

/** Every key of the account with its secret. */
export function spacesAccounts(store: Store): SpacesAccount[] {
  return keyTable(store)
    .values()
    .map(({ access_key, grants }) => ({
      accessKey: access_key,
      secretKey: store.readFile(secretFile(access_key)) ?? "",
      grants,
    }));
}

/**
 * `/v2/spaces/keys`: keys for the S3 API of Spaces. Only the answer to the creation contains the secret.
 * `/sandbox/spaces`: where this account's Spaces answer; null if keys are only records.
 */
export function registerSpacesKeys(api: Api): void {
  const keys = keyTable(api.store);
  const wanted = (request: ApiRequest): SpacesKey => {
    const key = keys.get(param(request, "key"));
    if (!key) throw notFound();
    return key;
  };
  const changed = () =>
    api.store.afterCommit(() => api.spaces?.setAccounts(spacesAccounts(api.store)), "spaces_keys");

  const buckets = () =>
    (api.spaces?.buckets() ?? []).map(({ name, createdAt }) => ({ id: name, name, created_at: createdAt }));
  api.addKind({
    urnType: "space",
    list: buckets,
    find: (name) => buckets().find(({ id }) => id === name),
  });

  api.get("/sandbox/spaces", () => ok({ url: api.spaces?.url ?? null }));

  api.get("/v2/spaces/keys", (request) => page(request, "keys", sorted(request, keys.values())));

  api.post("/v2/spaces/keys", (request) => {
    const { name, grants } = parseBody(createBody, request.body);
    checkGrants(grants);
    // DigitalOcean's own format: 20 characters, of which the first four are "DO00" (API reference and control panel).
    const access_key = `DO00${randomText("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 16)}`;
    const secret_key = randomBytes(32).toString("base64url");
    api.store.putFile(secretFile(access_key), secret_key);
    const key = keys.put(access_key, { access_key, name, grants, created_at: timestamp() });
    changed();
    return created({ key: { ...key, secret_key } });
  });

  api.get("/v2/spaces/keys/:key", (request) => ok({ key: wanted(request) }));

  const update = (request: ApiRequest) => {
    const key = wanted(request);
    const { name = key.name, grants = key.grants } = parseBody(updateBody, request.body);
    checkGrants(grants);
    if (isFullAccess(grants) !== isFullAccess(key.grants))
      throw badRequest("cannot convert a fullaccess key to a scoped key or vice versa");
    const updated = keys.put(key.access_key, { ...key, name, grants });
    changed();
    return ok({ key: updated });
  };
  api.put("/v2/spaces/keys/:key", update);
  api.patch("/v2/spaces/keys/:key", update);

  api.delete("/v2/spaces/keys/:key", (request) => {
    const { access_key } = wanted(request);
    keys.delete(access_key);
    api.store.deleteFile(secretFile(access_key));
    changed();
    return noContent();
  });
}

/** Throws 422, in DigitalOcean's own words if its description has any. */
function checkGrants(grants: readonly Grant[]): void {
  if (isFullAccess(grants) && grants.length > 1)
    throw badRequest("cannot mix fullaccess permission with scoped permissions.");
  for (const { bucket, permission } of grants) {
    if (permission === "fullaccess" && bucket !== "")
      throw badRequest("grants: a fullaccess permission covers every bucket: leave the bucket empty");
    if (permission !== "fullaccess" && bucket === "")
      throw badRequest("grants: a scoped permission needs the name of a bucket");
  }
}

function sorted(request: ApiRequest, keys: readonly SpacesKey[]): readonly SpacesKey[] {
  const {
    name,
    bucket,
    permission,
    sort = "created_at",
    sort_direction = "desc",
  } = parseQuery(listQuery, request);
  const matching = keys.filter(
    (key) =>
      (name === undefined || key.name === name) &&
      (bucket === undefined || key.grants.some((one) => one.bucket === bucket)) &&
      (permission === undefined || key.grants.some((one) => one.permission === permission)),
  );
  const ascending = sort === "name" ? matching.sort((a, b) => (a.name < b.name ? -1 : 1)) : matching;
  return sort_direction === "asc" ? ascending : ascending.reverse();
}

function randomText(alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join("");
}
