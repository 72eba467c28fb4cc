import type { Method } from "./http";

/** The methods that each path accepts, for the header `Allow` of a refusal. */
export class RoutePaths {
  readonly #paths: { readonly pattern: RegExp; readonly parameters: number; readonly methods: Method[] }[] =
    [];

  constructor(routes: readonly { readonly method: Method; readonly path: string }[]) {
    const byPath = new Map<string, Method[]>();
    for (const { method, path } of routes) byPath.set(path, [...(byPath.get(path) ?? []), method]);
    for (const [path, methods] of byPath) {
      const parameters = path.split(":").length - 1;
      this.#paths.push({
        pattern: new RegExp(`^${path.replace(/:\w+/g, "[^/]+")}/?$`),
        parameters,
        methods,
      });
    }
    // A path without parameters takes precedence: /v2/droplets/actions does not belong to a droplet.
    this.#paths.sort((a, b) => a.parameters - b.parameters);
  }

  /** The value of `Allow` for an address, with or without its query; undefined for an unknown path. */
  allow(address: string): string | undefined {
    const path = address.split("?")[0] ?? "";
    const methods = this.#paths.find(({ pattern }) => pattern.test(path))?.methods;
    return methods && (methods.includes("GET") ? ["HEAD", ...methods] : methods).join(", ");
  }
}
