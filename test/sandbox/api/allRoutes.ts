import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Actions } from "../../../sandbox/api/core/actions";
import { Api } from "../../../sandbox/api/core/api";
import { Store } from "../../../sandbox/api/core/store";
import { registerResources } from "../../../sandbox/api/server";

export interface Route {
  readonly method: string;
  /** As it is registered, with its `:parameters`. */
  readonly path: string;
}

/** Every route that the API has. */
export async function allRoutes(): Promise<Route[]> {
  const dir = await mkdtemp(join(tmpdir(), "sandbox-routes-"));
  const store = await Store.open(dir);
  try {
    const api = new Api(store, new Actions(store, 0), async () => {});
    registerResources(api);
    return api.routes.map(({ method, path }) => ({ method, path }));
  } finally {
    await store.close();
    await rm(dir, { recursive: true });
  }
}
