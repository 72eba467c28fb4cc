/** Where an nginx directive stands, and what holds there. */
import type { PlacedDirective } from "../../evidence/nginx";
import { shownPath } from "../../frame/message";

/** Directives that hold for the blocks within, unless one of them says otherwise. */
const inherited = new Set([
  "ssl_protocols",
  "ssl_ciphers",
  "ssl",
  "proxy_ssl_verify",
  "grpc_ssl_verify",
  "proxy_ssl",
]);

export type Settings = ReadonlyMap<string, readonly string[]>;

/** The settings within a block, given those around it. */
export function inherit(outer: Settings, block: readonly PlacedDirective[]): Settings {
  const own = block.filter(({ name }) => inherited.has(name));
  return own.length === 0
    ? outer
    : new Map([...outer, ...own.map(({ name, args }) => [name, args] as const)]);
}

/** The blocks of a kind by their first argument: upstreams by name. */
export function namedBlocks(
  block: readonly PlacedDirective[],
  kind: string,
): ReadonlyMap<string, PlacedDirective> {
  return new Map(block.filter(({ name }) => name === kind).map((found) => [found.args[0] ?? "", found]));
}

/** `path:line`, for messages. */
export function place({ path, line }: PlacedDirective): string {
  return `${shownPath(path)}:${line}`;
}
