import assert from "node:assert/strict";
import { checkPaging, type Json, type Reply, TestApi } from "./testApi";

/** What is there before a resource of the table is made: ids by name. */
export type Ground = Record<string, Json>;

export interface BadBody {
  why: string;
  status?: number;
  /** What the body becomes; the good one comes in. */
  body: (good: Json, ground: Ground) => unknown;
  message: RegExp;
}

/** A kind of resource, by what is the same for all of them. */
export interface ResourceTable {
  title: string;
  /** Of the list; may use what is on the ground. */
  path: (ground: Ground) => string;
  /** The keys of answers: one object, the list. */
  one: string;
  many: string;
  created: number;
  /** Absent ids that the API must not know. */
  absent: string;
  ground?: (api: TestApi) => Promise<Ground>;
  /** A good body; `n` makes it a different one. */
  body: (ground: Ground, n: number) => Json;
  id?: (object: Json) => string;
  /** Waits until the object changes no more by itself; gives it. */
  settled?: (api: TestApi, object: Json) => Promise<Json>;
  /** What the first answer must hold of a first body. */
  shown: (body: Json, ground: Ground) => Json;
  /** Methods and bodies that change it, with what the answer must then hold. */
  changes: [method: "PUT" | "PATCH", body: (good: Json, ground: Ground) => Json, shown: Json][];
  bad: BadBody[];
}

/** Every resource: create, read back, list by page, change, restart, refuse bad bodies, delete, 404 after. */
export function describeResource(table: ResourceTable): void {
  const idOf = table.id ?? ((object: Json) => String(object.id));

  describe(`sandbox api: ${table.title}, by table`, () => {
    let api: TestApi;
    let ground: Ground;
    let path: string;
    beforeEach(async () => {
      api = await TestApi.start();
      ground = (await table.ground?.(api)) ?? {};
      path = table.path(ground);
    });
    afterEach(() => api.close());

    const add = async (n: number): Promise<Json> => {
      const answer = await api.expect(table.created, "POST", path, table.body(ground, n));
      return answer[table.one];
    };
    const settle = async (object: Json): Promise<Json> => (await table.settled?.(api, object)) ?? object;

    it("creates, reads back, changes, survives a restart, deletes", async () => {
      const body = table.body(ground, 0);
      const first = await add(0);
      assertHolds(first, table.shown(body, ground));
      const object = await settle(first);
      const own = `${path}/${idOf(object)}`;
      assert.deepEqual(await api.expect(200, "GET", own), { [table.one]: object });
      for (const [method, change, shown] of table.changes) {
        const changed = await api.expect(200, method, own, change(body, ground));
        assertHolds(changed[table.one], shown);
        assert.equal(idOf(changed[table.one]), idOf(object), "the id stays");
        const after = await settle(changed[table.one]);
        assert.deepEqual(await api.expect(200, "GET", own), { [table.one]: after });
      }
      const before = await api.expect(200, "GET", own);
      await api.restart();
      assert.deepEqual(await api.expect(200, "GET", own), before);
      await api.expect(204, "DELETE", own);
      await api.refuse(404, "GET", own);
      await api.refuse(404, "DELETE", own);
      for (const [method, change] of table.changes) await api.refuse(404, method, own, change(body, ground));
    });

    it("lists by page", async () => {
      for (const n of [0, 1, 2]) await settle(await add(n));
      await checkPaging(api, path, table.many);
    });

    it("says 404 for an id that is not there, 405 for a method that is not, 401 without the token", async () => {
      await api.refuse(404, "GET", `${path}/${table.absent}`);
      await api.refuse(404, "DELETE", `${path}/${table.absent}`);
      const other: Reply = await api.send("PUT", path, {});
      assert.equal(other.status, 405);
      assert.equal(other.headers.get("allow"), "HEAD, GET, POST");
      const stranger = await api.send("GET", path, undefined, { authorization: "Bearer wrong" });
      assert.equal(stranger.status, 401);
    });

    for (const { why, status = 422, body, message } of table.bad) {
      it(`refuses ${why}`, async () => {
        const good = table.body(ground, 0);
        const bad = body(structuredClone(good), ground);
        const total = (await api.expect(200, "GET", path)).meta.total;
        assert.match(await api.refuse(status, "POST", path, bad), message);
        assert.equal((await api.expect(200, "GET", path)).meta.total, total, "nothing was made");
      });
    }
  });
}

/** Without a field of the body. */
export const without =
  (...fields: string[]) =>
  (good: Json): Json =>
    Object.fromEntries(Object.entries(good).filter(([field]) => !fields.includes(field)));

/** With other values in the body. */
export const withFields =
  (fields: Json) =>
  (good: Json): Json => ({ ...good, ...fields });

/** Every field of `part` is so in `whole`, to any depth. */
export function assertHolds(whole: Json, part: Json): void {
  const pick = (from: Json, by: Json): Json => {
    if (typeof by !== "object" || by === null || Array.isArray(by)) return from;
    return Object.fromEntries(Object.keys(by).map((key) => [key, pick(from?.[key], by[key])]));
  };
  assert.deepEqual(pick(whole, part), part);
}

/** A droplet of the sandbox that is up, for what needs one. */
export async function addDroplet(api: TestApi, fields: Json = {}): Promise<Json> {
  const { droplet } = await api.expect(202, "POST", "/v2/droplets", {
    name: "host",
    region: "nyc3",
    size: "s-1vcpu-1gb",
    image: "ubuntu-24-04-x64",
    ...fields,
  });
  const answer = await api.until(
    "the droplet is active",
    () => api.expect(200, "GET", `/v2/droplets/${droplet.id}`),
    (one) => one.droplet.status === "active",
  );
  return answer.droplet;
}
