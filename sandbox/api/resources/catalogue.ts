import type { Api } from "../core/api";
import { page } from "../core/pagination";
import { OPEN_REGIONS, REGIONS, regionObject } from "../core/regions";
import { SIZES, sizeObject } from "../core/sizes";

/** `/v2/regions` and `/v2/sizes`: the available sizes, and their regions. */
export function registerCatalogue(api: Api): void {
  api.get("/v2/regions", (request) => page(request, "regions", REGIONS, ({ slug }) => regionObject(slug)));
  api.get("/v2/sizes", (request) => page(request, "sizes", SIZES, (size) => sizeObject(size, OPEN_REGIONS)));
}
