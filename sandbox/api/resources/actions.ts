import { actionObject } from "../core/actions";
import type { Api } from "../core/api";
import { ok, param } from "../core/http";
import { page } from "../core/pagination";

/** `/v2/actions`: every action of the account, for all kinds of resources. */
export function registerActions(api: Api): void {
  api.get("/v2/actions", (request) => page(request, "actions", api.actions.list(), actionObject));
  api.get("/v2/actions/:id", (request) =>
    ok({ action: actionObject(api.actions.get(param(request, "id"))) }),
  );
}
